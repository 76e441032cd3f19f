"""The files of a batch: a folder, a pattern, a zip, a CSV of paths or an address that fsspec knows.

A source lists its files one by one, so that a hundred thousand need no memory, and returns the bytes of each. What is
wrong with a single file becomes the reason in its line of the results; the other files are scored.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from core.batch.archive import ArchiveSource
from core.batch.entry import Entry, is_hidden, is_photo, require_present
from core.data.rows import CsvTable
from core.errors import BatchError, DataError, ImageError
from core.images import MAX_BYTES, require_size

PATH_COLUMN = "path"
PATTERN_SIGNS = "*?["


class PhotoSource(Protocol):
    """Files to score. It can be sent to another process."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Further columns of the results, whose values each entry has."""

    def entries(self) -> Iterator[Entry]:
        """The files in a fixed order; also those that cannot be read, with the reason."""

    def read(self, entry: Entry) -> bytes:
        """The bytes of a file, possibly only the beginning of one that is larger than MAX_BYTES, which no photo may be.
        Raises ImageError."""

    def check(self) -> None:
        """Raises BatchError if the source as a whole is no longer there, such as a disk that was disconnected."""


@dataclass(frozen=True)
class FolderSource:
    """Every photo below a folder, or those that a pattern such as ``**/*.jpg`` matches.

    What is hidden below the folder is left out. Links are followed as long as they stay below ``limit``, a resolved
    folder.
    """

    folder: Path
    limit: Path
    pattern: str = ""
    columns: tuple[str, ...] = ()

    def entries(self) -> Iterator[Entry]:
        """Raises BatchError if the folder cannot be read or the pattern is invalid."""
        if self.pattern:
            try:
                matched = sorted(path for path in self.folder.glob(self.pattern) if not path.is_dir())
            except ValueError as error:
                raise BatchError(
                    f"the pattern {self.pattern} cannot be used: {error}; write ** between slashes, as in **/*.jpg"
                ) from error
            paths = (path.relative_to(self.folder).as_posix() for path in matched)
            return (Entry(path) for path in paths if not is_hidden(path))
        return self._walk("")

    def read(self, entry: Entry) -> bytes:
        """The bytes of a file below the folder."""
        return read_file(self.folder / entry.path, self.limit)

    def check(self) -> None:
        """Raises BatchError if the folder is no longer there."""
        require_present(self.folder)

    def _walk(self, below: str) -> Iterator[Entry]:
        try:
            with os.scandir(self.folder / below) as found:
                items = sorted((item.name, item.is_dir(follow_symlinks=False), item.is_symlink()) for item in found)
        except OSError as error:
            if not below:
                raise BatchError(f"{self.folder} cannot be read: {error.strerror or error}") from error
            yield Entry(below, problem=f"the folder cannot be read: {error.strerror or error}")
            return
        for name, is_folder, is_link in items:
            path = f"{below}/{name}" if below else name
            if is_hidden(name):
                continue
            if is_folder:
                yield from self._walk(path)
            elif is_link and (self.folder / path).is_dir():
                # A folder inside is walked under its own name.
                if not (self.folder / path).resolve().is_relative_to(self.limit):
                    yield Entry(path, problem=_outside(self.limit))
            elif is_photo(name):
                yield Entry(path)


@dataclass(frozen=True)
class ListSource:
    """The photos whose paths are in a CSV, relative to it; its other columns are passed on to the results."""

    table: CsvTable
    limit: Path | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the CSV without the paths."""
        return tuple(column for column in self.table.columns if column != PATH_COLUMN)

    def entries(self) -> Iterator[Entry]:
        """One entry per row; a malformed row is one that cannot be read."""
        position = self.table.columns.index(PATH_COLUMN)
        for number, line in enumerate(self.table.lines()):
            try:
                values = self.table.values(line)
            except DataError as error:
                place = f"{self.table.path.name}, row {number}"
                yield Entry(place, ("",) * len(self.columns), problem=f"{place}: {error}")
                continue
            yield Entry(values[position], values[:position] + values[position + 1 :])

    def read(self, entry: Entry) -> bytes:
        """The bytes of a listed file."""
        return read_file(self.table.path.parent / entry.path, self.limit)

    def check(self) -> None:
        """Raises BatchError if the CSV is no longer there."""
        require_present(self.table.path)


@dataclass(frozen=True)
class RemoteSource:
    """Every photo below an address that fsspec knows, such as ``s3://bucket/photos``."""

    address: str
    columns: tuple[str, ...] = ()

    def entries(self) -> Iterator[Entry]:
        """Raises BatchError if the address cannot be read, for example because a package is missing."""
        try:
            files, root = self._opened()
            found = sorted(files.find(root))
            exists = bool(found) or files.exists(root)
        except Exception as error:  # each file system raises its own types of exceptions
            raise BatchError(
                f"{self.address} cannot be listed: {error}; expected an address that fsspec knows, such as "
                "s3://bucket/photos"
            ) from error
        if not exists:
            raise BatchError(f"{self.address} does not exist; check the address")
        if found == [root]:
            raise BatchError(f"{self.address} is a single file; expected the address of a folder")
        start = root.rstrip("/") + "/"
        return (Entry(path) for path in (path.removeprefix(start) for path in found) if is_photo(path))

    def read(self, entry: Entry) -> bytes:
        """The bytes of a file."""
        try:
            files, root = self._opened()
            with files.open(f"{root.rstrip('/')}/{entry.path}", "rb") as file:
                return bytes(file.read(MAX_BYTES + 1))
        except Exception as error:  # as above
            raise ImageError(f"the file cannot be read: {error}") from error

    def check(self) -> None:
        """Raises BatchError if nothing is found at the address any more."""
        self.entries()

    def _opened(self) -> tuple[Any, str]:
        from fsspec.core import url_to_fs  # keeps one connection per process

        files, root = url_to_fs(self.address)
        return files, root


@dataclass(frozen=True)
class SourceKind:
    """One kind of source: what it is called, how it is recognized, and how it is opened below a limit."""

    title: str
    recognizes: Callable[[str], bool]
    open: Callable[[str, Path | None], PhotoSource]


def _folder(source: str, limit: Path | None) -> PhotoSource:
    folder = Path(source).resolve()
    return FolderSource(folder, limit or folder)


def _pattern(source: str, limit: Path | None) -> PhotoSource:
    parts = Path(source).parts
    # The first part with a sign that is not the name of a folder, such as "Trip [2024]".
    signs = (i for i, part in enumerate(parts) if any(sign in part for sign in PATTERN_SIGNS))
    first = next((i for i in signs if not Path(*parts[: i + 1]).is_dir()), len(parts) - 1)
    folder = Path(*parts[:first]).resolve()
    return FolderSource(folder, limit or folder, str(Path(*parts[first:])))


def _list(source: str, limit: Path | None) -> PhotoSource:
    table = CsvTable.open(Path(source).absolute())
    if PATH_COLUMN not in table.columns:
        raise BatchError(
            f"{source} must have a column {PATH_COLUMN!r} with the paths of the photos; "
            f"it has {_shortened(', '.join(table.columns)) or 'none'}"
        )
    repeated = [name for name, count in Counter(table.columns).items() if name and count > 1]
    if repeated:
        raise BatchError(
            f"expected columns of different names, but {source} has {_shortened(', '.join(repeated))} several times; "
            "rename or remove the others"
        )
    return ListSource(table, limit)


KINDS = (
    SourceKind("an address such as s3://bucket/photos", lambda s: "://" in s, lambda s, _: RemoteSource(s)),
    SourceKind("a folder", os.path.isdir, _folder),
    SourceKind("a zip of photos", lambda s: s.lower().endswith(".zip"), lambda s, _: ArchiveSource.of_file(Path(s))),
    SourceKind("a CSV with a column path", lambda s: s.lower().endswith((".csv", ".tsv")), _list),
    SourceKind("a pattern such as 'photos/**/*.jpg'", lambda s: any(sign in s for sign in PATTERN_SIGNS), _pattern),
)


def open_source(source: str, limit: Path | None = None) -> PhotoSource:
    """The files that ``source`` names. Files outside of ``limit``, a resolved folder, are refused one by one.

    Without a limit, a folder or pattern is limited to the folder itself, and a CSV is not limited. Raises BatchError.
    """
    for kind in KINDS:
        if kind.recognizes(source):
            try:
                return kind.open(source, limit)
            except OSError as error:
                raise BatchError(f"{source} cannot be read: {error.strerror or error}") from error
    if is_photo(source) and os.path.isfile(source):  # noqa: PTH113  (it may be no path at all)
        raise BatchError(f"{source} is a single photo; name its folder, or run: python -m core analyze")
    exists = "is none of these" if os.path.exists(source) else "does not exist"  # noqa: PTH110
    raise BatchError(f"expected {', '.join(kind.title for kind in KINDS)}; {source} {exists}")


def read_file(path: Path, limit: Path | None) -> bytes:
    """The bytes of a file of at most MAX_BYTES. Raises ImageError, also for a file outside of ``limit``."""
    try:
        real = path.resolve(strict=True)
        if limit is not None and not real.is_relative_to(limit):
            raise ImageError(_outside(limit))
        if not real.is_file():  # opening a pipe would wait forever
            raise ImageError("expected a file, found a folder or a device")
        require_size(real.stat().st_size)
        return real.read_bytes()
    except (OSError, ValueError, RuntimeError) as error:  # a null byte in the path; a loop of links
        raise ImageError(f"the file cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _shortened(text: str, longest: int = 100) -> str:
    """Text that a terminal can print, also of a file that is not text."""
    printable = "".join(sign if sign.isprintable() else "?" for sign in text)
    return printable if len(printable) <= longest else f"{printable[:longest]}…"


def _outside(limit: Path) -> str:
    return f"the path points outside {limit}; give the path of the file itself"
