"""Rows of a source -> Samples, and the one place where a bad row is named or left out."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from core.data.samples import FERPLUS_COLUMNS, Samples
from core.errors import DataError
from core.labels import LabelSet

Entry = TypeVar("Entry")


@dataclass(frozen=True)
class ImageFormat:
    """The one size and channel count that every image of a data set is brought to."""

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
        if image.mode.startswith(("I", "F")):  # Pillow would clip 16 bits to 8: a white picture without a warning
            raise DataError(f"an image must have 8 bits a channel, got Pillow mode {image.mode}")
        image = image.convert("L" if self.channels == 1 else "RGB")
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        # Of Pillow's filters Hamming comes nearest to the area average by which core.preprocessing shrinks a photo's
        # face (1 gray level on a portrait; Pillow's box 2 to 7, for it has whole pixels only); both grow bilinearly.
        method = Image.Resampling.HAMMING if side >= self.size_px else Image.Resampling.BILINEAR
        # Cut before and not while resizing: Pillow would blend in the pixels beyond the cut.
        square = image.crop((left, top, left + side, top + side))
        return np.asarray(square.resize((self.size_px, self.size_px), method))

    def apply_to_array(self, gray: np.ndarray) -> np.ndarray:
        """The same for a gray image (h, w) uint8 that is decoded already."""
        return gray if gray.shape == self.shape else self.apply(Image.fromarray(gray))


@dataclass(frozen=True)
class Row:
    """One labeled image, already in the format asked for."""

    image: np.ndarray  # (S, S) or (S, S, 3) uint8
    label: int
    split: str
    votes: tuple[int, ...] | None = None


def samples_from_rows(
    entries: Iterable[Entry],
    to_row: Callable[[Entry], Row],
    *,
    name: str,
    where: str,
    labels: LabelSet,
    image_format: ImageFormat,
    skip_bad: bool,
) -> Samples:
    """Turn each entry into a row. A DataError of ``to_row`` is raised with ``where`` and the row number before it, or
    with ``skip_bad`` counted; a source without one good row is always an error."""
    pixels = bytearray()  # grows in place: a list of arrays would hold every image twice while stacking
    truth, split, ids, votes = [], [], [], []
    first_error = DataError(f"{where} holds no rows")
    skipped = 0
    for number, entry in enumerate(entries):
        try:
            row = to_row(entry)
        except DataError as error:
            located = DataError(f"{where}, row {number}: {error}")
            if not skip_bad:
                raise located from error
            first_error = first_error if skipped else located
            skipped += 1
            continue
        pixels += row.image.tobytes()
        truth.append(row.label)
        split.append(row.split)
        ids.append(number)
        if row.votes is not None:
            votes.append(row.votes)
    if not ids:
        raise first_error
    return Samples(
        name=name,
        labels=labels,
        images=np.frombuffer(pixels, np.uint8).reshape(-1, *image_format.shape),
        truth=np.asarray(truth, np.int64),
        split=np.asarray(split),
        ids=np.asarray(ids, np.int64),
        votes=np.asarray(votes, np.int16).reshape(-1, len(FERPLUS_COLUMNS)) if votes else None,
        skipped=skipped,
    )


@dataclass(frozen=True)
class CsvTable:
    """A CSV file read line by line, so that a stray quote or a cut spoils one row and not the rest of the file.

    ``columns`` are stripped and lower-cased: copies of FER2013 in circulation pad them with spaces.
    """

    path: Path
    columns: tuple[str, ...]

    @classmethod
    def open(cls, path: Path) -> CsvTable:
        """Read the header. A file that is no CSV has columns that nobody asks for."""
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            header = _fields(file.readline(1 << 16))
        return cls(path, tuple(c.strip().lower() for c in header))

    def lines(self) -> Iterator[str]:
        """The lines below the header, blank ones left out; row N is the N-th of them, counted from 0."""
        # Bytes that are not UTF-8 become U+FFFD and are refused with the row they stand in.
        with self.path.open(encoding="utf-8-sig", errors="replace") as file:
            next(file, None)
            yield from (line for line in file if not line.isspace())

    def fields(self, line: str) -> dict[str, str]:
        """Column -> stripped text. Raises DataError when the line has more or fewer fields than the header."""
        values = _fields(line)
        if len(values) != len(self.columns):
            expected = f"{len(self.columns)} fields ({', '.join(self.columns)})"
            raise DataError(f"expected {expected}, got {len(values)}; is the file cut off?")
        return dict(zip(self.columns, (v.strip() for v in values), strict=True))


def _fields(line: str) -> list[str]:
    try:
        return next(csv.reader([line], skipinitialspace=True), [])
    except csv.Error as error:
        raise DataError(f"not a line of comma-separated values ({error})") from error


def shown(value: object) -> str:
    """A found value for a message, shortened: a bad field may be megabytes long."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
