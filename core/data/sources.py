"""The kinds of data sets that can be read, with their readers; a new kind is one entry here."""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from core.data.fer2013 import COLUMNS as FER2013_COLUMNS
from core.data.fer2013 import fer2013_labels, read_fer2013, source_files
from core.data.image_files import (
    MANIFEST_COLUMNS,
    folder_files,
    folder_labels,
    is_in_split_and_class,
    manifest_labels,
    read_folder,
    read_manifest,
)
from core.data.packed import packed_labels, read_packed
from core.data.rows import CsvTable, ImageFormat, ReadOptions, RowLabels, shown
from core.data.samples import Samples
from core.data.splits import SplitShares
from core.errors import DataError
from core.files import DAMAGED_ZIP
from core.images import SUFFIXES

MAX_UNPACKED_BYTES = 8_000_000_000
TABLE_SUFFIXES = (".csv", ".tsv", ".parquet", ".zip")


class Reader(Protocol):
    """Reads one kind of source; raises DataError."""

    def __call__(self, path: Path, options: ReadOptions, /) -> Samples: ...


@dataclass(frozen=True)
class Source:
    """One kind of data set: how it is recognized, its reader, and the reader of its labels, which needs no images."""

    title: str
    recognizes: Callable[[Path], bool]
    read: Reader
    read_labels: Callable[[Path], RowLabels] | None = None


def _csv_with(columns: set[str]) -> Callable[[Path], bool]:
    def recognizes(path: Path) -> bool:
        try:
            return path.is_file() and set(CsvTable.open(path).columns) >= columns
        except DataError:
            return False

    return recognizes


_is_fer2013 = _csv_with(FER2013_COLUMNS)
_is_manifest = _csv_with(MANIFEST_COLUMNS)


def _is_parquet(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return path.suffix == ".parquet" or file.read(4) == b"PAR1"


def _read_zip(path: Path, options: ReadOptions) -> Samples:
    """Read the data set in a zip file, which may be below folders with nothing else in them that are no splits."""
    with tempfile.TemporaryDirectory(prefix="ferscope-") as folder:
        root = Path(folder, path.name)  # named like the zip, because messages name the folder
        _unpack(path, root)
        while root.is_dir() and len(inner := [p for p in root.iterdir() if not p.name.startswith((".", "__"))]) == 1:
            if any(is_in_split_and_class(relative) for relative in folder_files(root)):
                break
            root = inner[0]
        samples = _read(root, options)
        return replace(samples, name=path.stem) if samples.name == root.name else samples


def _unpack(path: Path, folder: Path) -> None:
    folder.mkdir()
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(info.file_size for info in archive.infolist())
            if size > MAX_UNPACKED_BYTES:
                raise DataError(
                    f"{path.name} unpacks to {size / 1e9:.1f} GB, but at most {MAX_UNPACKED_BYTES / 1e9:.0f} GB can be "
                    "read; unpack the file and give the path of the folder"
                )
            archive.extractall(folder)
    except DAMAGED_ZIP as error:
        raise DataError(f"{path.name} cannot be unpacked ({error}); unpack it and give its folder") from error


SOURCES = (
    Source("a packed Parquet file", _is_parquet, read_packed, packed_labels),
    Source(
        "fer2013.csv with the columns emotion, pixels and Usage",
        _is_fer2013,
        read_fer2013,
        fer2013_labels,
    ),
    Source("a CSV with the columns path, label and split", _is_manifest, read_manifest, manifest_labels),
    Source("a folder of root/split/class/image files", Path.is_dir, read_folder, folder_labels),
    Source("a zip of one of these", zipfile.is_zipfile, _read_zip),
)


def read(
    path: str | Path,
    *,
    size_px: int = 48,
    channels: int = 1,
    skip_bad: bool = False,
    split: str | SplitShares | None = None,
    seed: int = 0,
    rows: Collection[int] | None = None,
) -> Samples:
    """Read a data set of any kind in ``SOURCES``.

    Images become gray (``channels=1``) or RGB (3) squares of ``size_px``. ``split``, such as ``"80/10/10"`` or
    the :class:`SplitShares` of a card, distributes the images of a data set that lacks splits. An invalid row raises a
    DataError that names the file, the row (counted from 0, as in ``Samples.ids``) and what was expected; with
    ``skip_bad`` it is skipped and counted in ``Samples.skipped``. With ``rows``, only the images with these row numbers
    are read, without the votes of a separate file.
    """
    path = Path(path)
    shares = SplitShares.parse(split, seed) if isinstance(split, str) else split
    options = ReadOptions(ImageFormat(size_px, channels), skip_bad, shares, rows)
    try:
        if not path.exists():
            raise DataError(f"{path} does not exist; expected {_expected()}")
        if path.is_file() and path.stat().st_size == 0:
            raise DataError(f"{path.name} is empty; expected {_expected()}")
        return _read(path, options)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def row_labels(path: Path) -> RowLabels | None:
    """The label and the split of every row that :func:`read` finds; None where that needs the images.

    Raises DataError for an invalid row.
    """
    path, source = _source_of(path)
    return source.read_labels(path) if source.read_labels else None


def data_stamp(path: str | Path) -> str:
    """A digest that changes when a data set's files do: path, size and time of each of them.

    Of a folder these are all of its files, of fer2013.csv also the FER+ votes in the same folder. Of a CSV of paths it
    is the CSV only: parsing its rows and examining every image takes half a second for 36,000, and stamps are computed
    several times per click. A missing path also has a stamp.
    """
    path = Path(path)
    if path.is_dir():
        files = list(folder_files(path).values())
    elif path.is_file():
        recognized = _is_fer2013(path)
        files = source_files(path) if recognized else [path]
    else:
        files = []
    digest = hashlib.sha256(str(path).encode(errors="surrogateescape"))
    for file in files:
        status = file.stat()
        digest.update(f"{file}\0{status.st_size}\0{status.st_mtime_ns}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _read(path: Path, options: ReadOptions) -> Samples:
    path, source = _source_of(path)
    return source.read(path, options)


def _source_of(path: Path) -> tuple[Path, Source]:
    """The file or folder that is read, and its kind. Raises DataError for an unknown kind."""
    if path.is_dir():
        path = _only_table(path) or path
    for source in SOURCES:
        if source.recognizes(path):
            return path, source
    raise DataError(f"{path.name} is not a known data set: expected {_expected()}; found {_found(path)}")


def _only_table(folder: Path) -> Path | None:
    """The table in a folder that is read instead of the folder: among images the one that lists them, otherwise the
    only data set. None for a folder without such a table, and where the images are in ``split/class`` folders.

    Raises DataError naming the tables if there are several, because it is not known which one is meant.
    """
    files = folder_files(folder)
    tables = [file for file in files.values() if file.suffix.lower() in TABLE_SUFFIXES]
    if images := [relative for relative, file in files.items() if file.suffix.lower() in SUFFIXES]:
        if all(map(is_in_split_and_class, images)):
            return None
        tables = [table for table in tables if table.parent == folder and _is_manifest(table)]
    if not tables:
        return None
    known = [table for table in tables if any(source.recognizes(table) for source in SOURCES)]
    # The two files of one form of FER2013 are read together.
    is_pair = [table.name for table in known] == ["test.csv", "train.csv"] and _is_fer2013(known[-1])
    if len(known) == 1 or is_pair:
        return known[-1]
    names = ", ".join(str(table.relative_to(folder)) for table in tables[:5])
    raise DataError(
        f"expected one data set, but {folder.name} is a folder with {names}; give the path of a file, such as "
        f"{(known or tables)[0].relative_to(folder)}"
    )


def _expected() -> str:
    return " or ".join(source.title for source in SOURCES)


def _found(path: Path) -> str:
    if not path.is_file():
        return "neither a file nor a folder"
    with path.open(encoding="utf-8", errors="replace") as file:
        return f"a file that begins with {shown(file.readline(100))}"
