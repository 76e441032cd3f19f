"""The official CSV of FER2013: one face a row, 48 × 48 numbers as text.

Goodfellow et al., *Challenges in Representation Learning: A report on three machine learning contests*, 2013.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from core.data.ferplus import FILE_NAME, FerPlusTable
from core.data.rows import CsvTable, ImageFormat, Row, samples_from_rows, shown
from core.data.samples import Samples
from core.errors import DataError
from core.labels import FER7

SIZE_PX = 48
USAGE = {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}
USAGE_OF_SPLIT = {split: usage for usage, split in USAGE.items()}
COLUMNS = {"emotion", "pixels", "usage"}
_LABEL = {str(k): k for k in range(len(FER7))}
_PIXEL = re.compile(r"0*(25[0-5]|2[0-4]\d|1?\d?\d)", re.ASCII)


def read_fer2013(path: Path, image_format: ImageFormat | None = None, *, skip_bad: bool = False) -> Samples:
    """Read ``fer2013.csv`` or ``icml_face_data.csv``, with the FER+ votes where ``fer2013new.csv`` lies beside it."""
    samples = read_faces(path, image_format, skip_bad=skip_bad)
    beside = path.with_name(FILE_NAME)
    if not beside.is_file():
        return samples
    return FerPlusTable.read(beside).attach(samples, USAGE_OF_SPLIT, skip_bad=skip_bad)


def read_faces(path: Path, image_format: ImageFormat | None = None, *, skip_bad: bool = False) -> Samples:
    """The same without votes. Raises DataError naming the first bad row."""
    image_format = image_format or ImageFormat(SIZE_PX)
    table = CsvTable.open(path)
    if not set(table.columns) >= COLUMNS:
        raise DataError(f"{path.name} must have the columns emotion, pixels and Usage, got {', '.join(table.columns)}")

    def to_row(line: str) -> Row:
        fields = table.fields(line)
        label, split = parse_label(fields["emotion"]), parse_usage(fields["usage"])
        return Row(image_format.apply_to_array(parse_pixels(fields["pixels"])), label, split)

    return samples_from_rows(
        table.lines(),
        to_row,
        name="FER2013",
        where=path.name,
        labels=FER7,
        image_format=image_format,
        skip_bad=skip_bad,
    )


def parse_pixels(text: str) -> np.ndarray:
    """``"70 80 ..."`` -> (48, 48) uint8. Raises DataError naming the first bad pixel, or the count."""
    try:
        values = np.fromstring(text, dtype=np.int64, sep=" ")
        has_sign = "-" in text or "+" in text  # NumPy takes a lone sign for a blank
        if len(values) == SIZE_PX**2 and not has_sign and values.max() <= 255:
            return values.astype(np.uint8).reshape(SIZE_PX, SIZE_PX)
    except ValueError:
        pass
    # Something is wrong; slowly say what.
    pixels = text.split()
    for position, pixel in enumerate(pixels):
        if not _PIXEL.fullmatch(pixel):
            raise DataError(f"pixel {position} must be a whole number from 0 to 255, got {shown(pixel)}")
    raise DataError(f"expected {SIZE_PX**2} pixels ({SIZE_PX} x {SIZE_PX}), got {len(pixels)}; is the file cut off?")


def parse_label(emotion: object) -> int:
    """The digit of FER2013, which is the position in FER7."""
    text = str(emotion).strip()
    if text not in _LABEL:
        digits = ", ".join(f"{k} {name}" for k, name in enumerate(FER7.classes))
        raise DataError(f"emotion must be one of {digits}; got {shown(text)}")
    return _LABEL[text]


def parse_usage(usage: object) -> str:
    """The split that a Usage names."""
    text = str(usage).strip()
    if text not in USAGE:
        raise DataError(f"Usage must be one of {', '.join(USAGE)}, got {shown(text)}; is the file cut off?")
    return USAGE[text]
