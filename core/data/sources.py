"""What a path may hold, and the reader of each: a new source is one entry here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.data.fer2013 import COLUMNS as FER2013_COLUMNS
from core.data.fer2013 import read_fer2013
from core.data.image_files import MANIFEST_COLUMNS, read_folder, read_manifest
from core.data.packed import read_packed
from core.data.rows import CsvTable, ImageFormat, shown
from core.data.samples import Samples
from core.errors import DataError


class Reader(Protocol):
    """Reads one kind of source; raises DataError."""

    def __call__(
        self, path: Path, /, image_format: ImageFormat | None = None, *, skip_bad: bool = False
    ) -> Samples: ...


@dataclass(frozen=True)
class Source:
    """One kind of data set: how it is told from the others, and its reader."""

    title: str
    recognizes: Callable[[Path], bool]
    read: Reader


def _csv_with(columns: set[str]) -> Callable[[Path], bool]:
    def recognizes(path: Path) -> bool:
        try:
            return path.is_file() and set(CsvTable.open(path).columns) >= columns
        except DataError:
            return False

    return recognizes


def _is_parquet(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return path.suffix == ".parquet" or file.read(4) == b"PAR1"


SOURCES = (
    Source("a packed Parquet file", _is_parquet, read_packed),
    Source("fer2013.csv with the columns emotion, pixels, Usage", _csv_with(FER2013_COLUMNS), read_fer2013),
    Source("a CSV with the columns path, label, split", _csv_with(MANIFEST_COLUMNS), read_manifest),
    Source("a folder of root/split/class/image files", Path.is_dir, read_folder),
)


def read(path: str | Path, *, size_px: int = 48, channels: int = 1, skip_bad: bool = False) -> Samples:
    """Read a data set, whichever of the known kinds ``path`` holds (see ``SOURCES``).

    Images become gray (``channels=1``) or RGB (3) squares of ``size_px``. A bad row raises a DataError that names the
    file, the row (counted from 0, as in ``Samples.ids``) and what was expected; with ``skip_bad`` it is left out and
    counted in ``Samples.skipped``.
    """
    path, image_format = Path(path), ImageFormat(size_px, channels)
    try:
        if not path.exists():
            raise DataError(f"there is no file or folder {path}; expected {_expected()}")
        if path.is_file() and path.stat().st_size == 0:
            raise DataError(f"{path.name} is empty; expected {_expected()}")
        for source in SOURCES:
            if source.recognizes(path):
                return source.read(path, image_format, skip_bad=skip_bad)
        raise DataError(f"{path.name} is no data set known here: expected {_expected()}; found {_found(path)}")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def _expected() -> str:
    return " or ".join(source.title for source in SOURCES)


def _found(path: Path) -> str:
    if not path.is_file():
        return "neither a file nor a folder"
    with path.open(encoding="utf-8", errors="replace") as file:
        return f"a file that begins with {shown(file.readline(100))}"
