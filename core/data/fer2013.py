"""CSV files of FER2013: one face per row, 48 x 48 gray levels as text.

Goodfellow et al., *Challenges in Representation Learning: A report on three machine learning contests*, 2013.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np

from core.data.ferplus import FILE_NAME, FerPlusTable
from core.data.info import FER2013
from core.data.rows import CsvTable, ReadOptions, Row, RowLabels, samples_from_rows, shown
from core.data.samples import Samples
from core.data.splits import split_of
from core.errors import DataError
from core.labels import FER7

SIZE_PX = 48
COLUMNS = {"emotion", "pixels"}
_LABEL = {str(k): k for k in range(len(FER7))}
_PIXEL = re.compile(r"0*(25[0-5]|2[0-4]\d|1?\d?\d)", re.ASCII)


def read_fer2013(path: Path, options: ReadOptions = ReadOptions()) -> Samples:
    """Read ``fer2013.csv`` or ``icml_face_data.csv``, with the FER+ votes if ``fer2013new.csv`` is in the same folder.

    Of Kaggle's ``train.csv`` and ``test.csv`` in one folder, either path reads both, train first.
    """
    votes = path.with_name(FILE_NAME)
    if not votes.is_file() or options.rows is not None or not _has_usage(path):
        return read_faces(path, options)
    samples = read_faces(path, replace(options, shares=None))  # the Usage of a face must be that of its votes
    samples = FerPlusTable.read(votes).attach(samples, skip_bad=options.skip_bad)
    if options.shares is None:
        return samples
    split = options.shares.assign(samples.split.tolist(), samples.truth.tolist(), [""] * len(samples))
    return replace(samples, split=np.asarray(split), shares=options.shares)


def source_files(path: Path) -> list[Path]:
    """The files that :func:`read_fer2013` reads for a path, the votes last."""
    return [*_tables(path), *(p for p in [path.with_name(FILE_NAME)] if p.is_file())]


def read_faces(path: Path, options: ReadOptions = ReadOptions()) -> Samples:
    """The same without votes. Raises DataError naming the first invalid row."""
    tables = [CsvTable.open(table) for table in _tables(path)]
    for table in tables:
        if not set(table.columns) >= COLUMNS:
            raise DataError(
                f"{table.path.name} must have the columns emotion and pixels, got {shown(', '.join(table.columns))}"
            )
    pair = len(tables) == 2
    if not pair and "usage" not in tables[0].columns:
        options.require_shares(path.name, "there is no column Usage")

    def to_row(entry: tuple[CsvTable, str]) -> Row:
        table, line = entry
        fields = table.fields(line)
        split = parse_usage(fields["usage"]) if "usage" in fields else None
        return Row(
            options.image_format.apply_to_array(parse_pixels(fields["pixels"])),
            parse_label(fields["emotion"]),
            split_of(table.path.stem) if pair else split,
        )

    return samples_from_rows(
        chain.from_iterable(((table, line) for line in table.lines()) for table in tables),
        to_row,
        name="FER2013",
        where=" and ".join(table.path.name for table in tables),
        labels=FER7,
        options=options,
    )


def fer2013_labels(path: Path) -> RowLabels:
    """The labels and splits of :func:`read_fer2013`. Raises DataError."""
    tables = [CsvTable.open(table) for table in _tables(path)]
    truth, split = [], []
    for table in tables:
        for line in table.lines():
            fields = table.fields(line)
            truth.append(parse_label(fields.get("emotion")))
            split.append(split_of(table.path.stem) if len(tables) == 2 else parse_usage(fields.get("usage")))
    return RowLabels(FER7, np.array(truth, np.int64), np.array(split, str))


def _tables(path: Path) -> list[Path]:
    """The file itself, or Kaggle's pair. Its ``test.csv`` was published without labels, and is then ignored."""
    train, test = path.with_name("train.csv"), path.with_name("test.csv")
    if path not in (train, test) or not train.is_file() or not test.is_file() or _has_usage(path):
        return [path]
    if "emotion" not in CsvTable.open(test).columns:
        return [path]
    return [train, test]


def _has_usage(path: Path) -> bool:
    return "usage" in CsvTable.open(path).columns


def parse_pixels(text: str) -> np.ndarray:
    """``"70 80 ..."`` -> (48, 48) uint8. Raises DataError naming the first bad pixel, or the count."""
    try:
        values = np.fromstring(text, dtype=np.int64, sep=" ")
        has_sign = "-" in text or "+" in text  # NumPy reads a lone sign as a blank
        if len(values) == SIZE_PX**2 and not has_sign and values.max() <= 255:
            return values.astype(np.uint8).reshape(SIZE_PX, SIZE_PX)
    except ValueError:
        pass
    # The fast way failed; find the reason.
    pixels = text.split()
    for position, pixel in enumerate(pixels):
        if not _PIXEL.fullmatch(pixel):
            raise DataError(f"pixel {position} must be a whole number from 0 to 255, got {shown(pixel)}")
    raise DataError(
        f"expected {SIZE_PX**2} pixels ({SIZE_PX} x {SIZE_PX}), got {len(pixels)}; the file may be truncated, so "
        "download or copy it again"
    )


def parse_label(emotion: object) -> int:
    """The digit of FER2013, which is the position in FER7."""
    text = str(emotion).strip()
    if text not in _LABEL:
        digits = ", ".join(f"{k} {name}" for k, name in enumerate(FER7.classes))
        raise DataError(f"emotion must be one of {digits}; got {shown(text)}")
    return _LABEL[text]


def parse_usage(usage: object) -> str:
    """The split that a Usage names, in the official spelling or another common one."""
    text = str(usage).strip()
    split = split_of(text)
    if split is None:
        expected = ", ".join([*FER2013.split_names.values(), *FER2013.split_names])
        raise DataError(f"Usage must be one of {expected}; got {shown(text)}")
    return split
