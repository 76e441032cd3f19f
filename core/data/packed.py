"""FER2013 and the FER+ votes in one Parquet file: lossless WebP images and the official columns."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from PIL import Image

from core.data.fer2013 import SIZE_PX, parse_label, parse_usage, read_faces
from core.data.ferplus import FILE_NAME, FerPlusTable, parse_votes
from core.data.info import FER2013
from core.data.rows import ReadOptions, Row, RowLabels, samples_from_rows
from core.data.samples import FERPLUS_COLUMNS, Samples
from core.errors import DataError, SplitError
from core.files import write_atomically
from core.labels import FER7

COLUMNS = ("image", "emotion", "Usage")


def read_packed(path: Path, options: ReadOptions = ReadOptions()) -> Samples:
    """Read a file written by :func:`pack`. Raises DataError naming the first invalid row."""
    try:
        found = pq.read_schema(path).names
        votes = [c for c in FERPLUS_COLUMNS if c in found]
        table = pd.read_parquet(path, columns=[c for c in (*COLUMNS, *votes) if c in found])
    except Exception as error:  # pyarrow raises many types of exceptions for a file that is truncated or not Parquet
        raise DataError(f"{path.name} is not a readable Parquet file: {error}") from error
    missing = [c for c in COLUMNS if c not in table.columns]
    if missing:
        raise DataError(f"{path.name} lacks the column {missing[0]!r}; a packed FER2013 has image, emotion and Usage")
    has_votes = len(votes) == len(FERPLUS_COLUMNS)

    def to_row(entry: tuple[Any, ...]) -> Row:
        data, emotion, usage, *counts = entry
        label, split = parse_label(emotion), parse_usage(usage)
        return Row(
            options.image_format.apply_to_array(_decoded(data)),
            label,
            split,
            parse_votes(counts) if has_votes else None,
        )

    columns = [*COLUMNS, *votes] if has_votes else list(COLUMNS)
    return samples_from_rows(
        zip(*(table[c] for c in columns), strict=True),
        to_row,
        name="FER2013",
        where=path.name,
        labels=FER7,
        options=options,
    )


def packed_labels(path: Path) -> RowLabels:
    """The labels and splits of :func:`read_packed`. Raises DataError."""
    try:
        table = pd.read_parquet(path, columns=list(COLUMNS[1:]))
    except Exception as error:  # pyarrow raises many types of exceptions for a file that is not Parquet
        raise DataError(f"{path.name} is not a readable Parquet file: {error}") from error
    truth = [parse_label(emotion) for emotion in table["emotion"]]
    split = [parse_usage(usage) for usage in table["Usage"]]
    return RowLabels(FER7, np.array(truth, np.int64), np.array(split, str))


def pack(official_csv: str | Path, out: str | Path, ferplus_csv: str | Path | None = None) -> int:
    """Write ``official_csv`` as a packed Parquet file of a fifth of its size; returns the number of rows.

    The FER+ votes come from ``ferplus_csv``, otherwise from a ``fer2013new.csv`` in the folder of the faces. Every row
    must be valid, because a packed file has the official row numbers. Raises DataError naming the first invalid row.
    """
    source, target = Path(official_csv), Path(out)
    votes_path = Path(ferplus_csv) if ferplus_csv else source.with_name(FILE_NAME)
    for path in (source, votes_path):
        if not path.is_file() and (path is source or ferplus_csv):
            raise DataError(f"{path} does not exist")
    try:
        samples = read_faces(source)
    except SplitError as error:
        raise DataError(f"{error.fact}; a packed file has the official splits, so add a column Usage") from error
    columns: dict[str, Any] = {
        "image": [_encoded(image) for image in samples.images],
        "emotion": samples.truth.astype(np.int8),
        "Usage": [FER2013.split_names[split] for split in samples.split.tolist()],
    }
    if votes_path.is_file():
        ferplus = FerPlusTable.read(votes_path)
        ferplus.attach(samples, skip_bad=False)  # for its checks
        columns["Image name"] = list(ferplus.image_names)
        columns |= {c: ferplus.votes[:, k].astype(np.int8) for k, c in enumerate(FERPLUS_COLUMNS)}
    write_atomically(target, lambda partial: pd.DataFrame(columns).to_parquet(partial, index=False))
    return len(samples)


def _encoded(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "WEBP", lossless=True, quality=100, method=4)
    return buffer.getvalue()


def _decoded(data: bytes) -> np.ndarray:
    try:
        image = np.asarray(Image.open(io.BytesIO(data)).convert("L"))
    except Exception as error:  # Pillow raises many types of exceptions for bytes that are not an image
        raise DataError(f"the image cannot be decoded ({error})") from error
    if image.shape != (SIZE_PX, SIZE_PX):
        raise DataError(f"an image must have {SIZE_PX} x {SIZE_PX} pixels, got {image.shape[1]} x {image.shape[0]}")
    return image
