"""One file of a batch, and whether the place it comes from is still there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.errors import BatchError
from core.images import SUFFIXES


@dataclass(frozen=True)
class Entry:
    """A file by its path within the source, the values of the source's further columns, and why it cannot be read."""

    path: str
    values: tuple[str, ...] = ()
    problem: str = ""


def is_photo(path: str) -> bool:
    """Whether a file of a source is looked at: it has the suffix of a photo and is not hidden."""
    return path.lower().endswith(SUFFIXES) and not is_hidden(path)


def is_hidden(path: str) -> bool:
    """Whether a name in a path within a source begins with a dot or is that of the folder that macOS adds to zips."""
    return any(part.startswith(".") or part == "__MACOSX" for part in path.replace("\\", "/").split("/"))


def require_present(source: Path) -> None:
    """Raises BatchError if a folder or file that a batch reads from is no longer there."""
    if not source.exists():
        raise BatchError(
            f"{source} is no longer there; the finished parts are stored; the same command continues when it is back"
        )
