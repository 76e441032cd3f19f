"""The photos in a zip file. Nothing is unpacked to the disk, and at most one photo at a time is in memory."""

from __future__ import annotations

import io
import itertools
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from core.batch.entry import Entry, is_photo, require_present
from core.errors import BatchError, ImageError
from core.files import DAMAGED_ZIP
from core.images import MAX_BYTES


@dataclass(frozen=True, eq=False)
class ArchiveSource:
    """The photos in a zip, either a file or the bytes of one. Raises BatchError where it is none, and OSError for a
    file that cannot be opened."""

    path: Path | None = None
    data: bytes = b""
    columns: tuple[str, ...] = ()

    @classmethod
    def of_file(cls, path: Path) -> ArchiveSource:
        """A zip file on the disk."""
        source = cls(path.resolve())
        source._archive  # noqa: B018  (so that a damaged file is reported here)
        return source

    @classmethod
    def of_bytes(cls, data: bytes) -> ArchiveSource:
        """A zip in memory, such as an upload."""
        source = cls(data=data)
        source._archive  # noqa: B018
        return source

    @classmethod
    def of_photos(cls, photos: Iterable[tuple[str, bytes]]) -> ArchiveSource:
        """Files with their names, as a zip in memory; of two with the same name, the second becomes "name (2)"."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            used: set[str] = set()
            for name, data in photos:
                path = PurePosixPath(name)
                numbered = (str(path.with_stem(f"{path.stem} ({number})")) for number in itertools.count(2))
                unused = next(n for n in itertools.chain([name], numbered) if n not in used)
                used.add(unused)
                archive.writestr(unused, data)
        return cls(data=buffer.getvalue())

    def check(self) -> None:
        """Raises BatchError if the zip file is no longer there."""
        if self.path is not None:
            require_present(self.path)

    def entries(self) -> Iterator[Entry]:
        """The photos in the order of the archive. One that would be too large, whose path points outside the
        archive, or whose name a later one has as well, is refused."""
        for member in self._archive.infolist():
            parts = member.filename.replace("\\", "/").split("/")
            if ".." in parts or parts[0] == "":
                problem = "its path points outside the zip file; rename it and pack the zip again"
                yield Entry(member.filename, problem=problem)
            elif not is_photo(member.filename):
                continue
            elif member is not self._archive.getinfo(member.filename):  # a name finds the last file that has it
                problem = "the zip has another file of this name, which is read instead; rename one and pack it again"
                yield Entry(member.filename, problem=problem)
            elif member.file_size > MAX_BYTES:
                yield Entry(member.filename, problem=_too_large(member))
            else:
                yield Entry(member.filename)

    def read(self, entry: Entry) -> bytes:
        """The bytes of a photo; no more than the size it states is unpacked."""
        try:
            with self._archive.open(entry.path) as file:
                return file.read(MAX_BYTES + 1)
        except KeyError:
            raise ImageError("the file is no longer in the zip") from None
        except DAMAGED_ZIP as error:
            raise ImageError(f"the file cannot be unpacked ({error}); pack the zip again") from error

    @cached_property
    def _archive(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self.path or io.BytesIO(self.data))
        except (FileNotFoundError, PermissionError):
            raise
        except DAMAGED_ZIP as error:
            name = self.path.name if self.path else "the file"
            raise BatchError(f"{name} is damaged or not a zip ({error}); pack it again") from error

    def __getstate__(self) -> dict[str, Any]:
        """Without the open file: another process opens its own."""
        return {"path": self.path, "data": self.data, "columns": self.columns}


def _too_large(member: zipfile.ZipInfo) -> str:
    found = f"this file is {member.file_size / 1e6:.1f} MB"
    if member.compress_size < member.file_size:
        found = f"this file unpacks from {member.compress_size / 1e6:.1f} to {member.file_size / 1e6:.1f} MB"
    return f"a photo may be at most {MAX_BYTES / 1e6:.0f} MB; {found}; save a smaller version"
