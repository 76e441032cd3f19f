"""One file of a batch."""

from __future__ import annotations

from dataclasses import dataclass

from core.images import SUFFIXES


@dataclass(frozen=True)
class Entry:
    """A file by its path within the source, the values of the source's further columns, and why it cannot be read."""

    path: str
    values: tuple[str, ...] = ()
    problem: str = ""


def is_photo(path: str) -> bool:
    """Whether a file of a source is looked at: it has the suffix of a photo and is not hidden.

    Hidden are names that begin with a dot, also those of folders, and the folder that macOS adds to zips.
    """
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.replace("\\", "/").split("/"))
    return path.lower().endswith(SUFFIXES) and not hidden
