"""Rows of a source -> Samples, and the one place where an invalid row is reported or skipped."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from core.data.samples import FERPLUS_COLUMNS, Samples
from core.data.splits import SplitShares
from core.errors import DataError, SplitError
from core.labels import LabelSet

Entry = TypeVar("Entry")


@dataclass(frozen=True)
class ImageFormat:
    """The size and channel count to which every image of a data set is converted."""

    size_px: int = 48
    channels: int = 1

    def __post_init__(self) -> None:
        if self.size_px < 1:
            raise DataError(f"size_px must be at least 1, got {self.size_px}")
        if self.channels not in (1, 3):
            raise DataError(f"channels must be 1 (gray) or 3 (RGB), got {self.channels}")

    @property
    def shape(self) -> tuple[int, ...]:
        """(S, S) for gray, (S, S, 3) for RGB."""
        return (self.size_px, self.size_px) if self.channels == 1 else (self.size_px, self.size_px, 3)

    def apply(self, image: Image.Image) -> np.ndarray:
        """Gray or RGB, the central square, resized -> (S, S) or (S, S, 3) uint8."""
        image = image.convert("L" if self.channels == 1 else "RGB")
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        # Among Pillow's filters, Hamming is closest to the area average with which core.preprocessing shrinks a face (1
        # gray level on a portrait; Pillow's box 2 to 7, because it uses whole pixels). Both enlarge bilinearly.
        method = Image.Resampling.HAMMING if side >= self.size_px else Image.Resampling.BILINEAR
        # Cropped before and not while resizing, because Pillow would blend in the pixels beyond the border.
        square = image.crop((left, top, left + side, top + side))
        return np.asarray(square.resize((self.size_px, self.size_px), method))

    def apply_to_array(self, gray: np.ndarray) -> np.ndarray:
        """The same for a gray image (h, w) uint8 that is already decoded."""
        return gray if gray.shape == self.shape else self.apply(Image.fromarray(gray))


@dataclass(frozen=True)
class Row:
    """One labeled image in the requested format; ``split`` is None if the source has none for it."""

    image: np.ndarray  # (S, S) or (S, S, 3) uint8
    label: int
    split: str | None
    votes: tuple[int, ...] | None = None
    group: str = ""


@dataclass(frozen=True, eq=False)
class RowLabels:
    """The classes of a source, and the label and the split of each of its N rows, without the images."""

    labels: LabelSet
    truth: np.ndarray  # (N,) int64, position in labels
    split: np.ndarray  # (N,) str


@dataclass(frozen=True)
class ReadOptions:
    """How a data set is read: the format of its images, whether invalid rows are skipped, the chosen split, and the
    numbers of the rows if only some of them are read."""

    image_format: ImageFormat = ImageFormat()
    skip_bad: bool = False
    shares: SplitShares | None = None
    rows: Collection[int] | None = None

    def require_shares(self, where: str, found: str) -> None:
        """Raises SplitError for a source without splits, before any image is read, if no split was chosen."""
        if self.shares is None:
            raise SplitError(
                f"{where} has no splits ({found})",
                "choose one with --split 80/10/10 --seed 0 (shares of train, val and test)",
            )


def samples_from_rows(
    entries: Iterable[Entry],
    to_row: Callable[[Entry], Row],
    *,
    name: str,
    where: str,
    labels: LabelSet,
    options: ReadOptions,
    ignored: int = 0,
) -> Samples:
    """Turn each entry into a row.

    A DataError of ``to_row`` is raised with ``where`` and the row number before it, or with ``skip_bad`` counted; a
    source without one valid row is always an error. ``ignored`` files are added to the count.
    """
    pixels = bytearray()  # grows in place; a list of arrays would need twice the memory while stacking
    truth, split, ids, votes, groups = [], [], [], [], []
    first_error = DataError(f"{where} contains no rows")
    skipped = 0
    for number, entry in enumerate(entries):
        if options.rows is not None and number not in options.rows:
            continue
        try:
            row = to_row(entry)
        except DataError as error:
            located = DataError(f"{where}, row {number}: {error}")
            if not options.skip_bad:
                raise located from error
            first_error = first_error if skipped else located
            skipped += 1
            continue
        pixels += row.image.tobytes()
        truth.append(row.label)
        split.append(row.split)
        ids.append(number)
        groups.append(row.group)
        if row.votes is not None:
            votes.append(row.votes)
    if not ids:
        raise first_error
    if options.shares is not None:
        split = list(options.shares.assign(split, truth, groups))
    return Samples(
        name=name,
        labels=labels,
        images=np.frombuffer(pixels, np.uint8).reshape(-1, *options.image_format.shape),
        truth=np.asarray(truth, np.int64),
        split=np.asarray(split),
        ids=np.asarray(ids, np.int64),
        votes=np.asarray(votes, np.int16).reshape(-1, len(FERPLUS_COLUMNS)) if votes else None,
        skipped=skipped + ignored,
        shares=options.shares,
        grouped=any(groups),
    )


@dataclass(frozen=True)
class CsvTable:
    """A CSV file read line by line, so that a stray quote or a cut invalidates one row and not the rest of the file.

    ``columns`` are stripped and lowercased, because copies of FER2013 in circulation pad them with spaces. The
    delimiter is the comma, semicolon or tab that is most frequent in the header; the first bytes distinguish UTF-8 and
    UTF-16.
    """

    path: Path
    columns: tuple[str, ...]
    delimiter: str = ","
    encoding: str = "utf-8-sig"

    @classmethod
    def open(cls, path: Path) -> CsvTable:
        """Read the header. A file that is not a CSV has columns that no reader recognizes."""
        with path.open("rb") as file:
            start = file.read(4)
        encoding = "utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        with path.open(encoding=encoding, errors="replace") as file:
            header = file.readline(1 << 16)
        delimiter = max(",;\t", key=header.count)
        return cls(path, tuple(c.strip().lower() for c in _fields(header, delimiter)), delimiter, encoding)

    def lines(self) -> Iterator[str]:
        """The lines below the header except blank ones; row N is the N-th of them, counted from 0."""
        # Bytes that cannot be decoded become U+FFFD, and fields() refuses the row.
        with self.path.open(encoding=self.encoding, errors="replace") as file:
            next(file, None)
            yield from (line for line in file if not line.isspace())

    def fields(self, line: str) -> dict[str, str]:
        """Column -> stripped text. Raises DataError as :meth:`values`."""
        return dict(zip(self.columns, self.values(line), strict=True))

    def values(self, line: str) -> tuple[str, ...]:
        """The stripped texts of a line, one per column.

        Raises DataError if the line has more or fewer fields than the header, or bytes that are no text.
        """
        if "\ufffd" in line:
            raise DataError(
                "the row has bytes that are not valid text, or the character U+FFFD that replaces them; save the "
                "original file as UTF-8"
            )
        values = _fields(line, self.delimiter)
        if len(values) != len(self.columns):
            expected = f"{len(self.columns)} fields ({', '.join(self.columns)})"
            raise DataError(
                f"expected {expected}, got {len(values)}; the file may be truncated, so download or copy it again"
            )
        return tuple(value.strip() for value in values)


def _fields(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error as error:
        raise DataError(f"not a line of delimited values ({error})") from error


def shown(value: object) -> str:
    """A value for a message, shortened, because an invalid field may be megabytes long."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
