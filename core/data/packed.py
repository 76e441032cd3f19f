"""FER2013 and the FER+ votes in one Parquet file: lossless WebP images beside the official columns."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from core.data.samples import FERPLUS_COLUMNS, DataError, Samples
from core.labels import FER7

SIZE_PX = 48
USAGE = {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}


def read_packed(path: Path, *, skip_bad: bool = False) -> Samples:
    """Read a file that ``python -m core data pack`` made. Raises DataError naming the first bad row."""
    try:
        table = pd.read_parquet(path)
    except Exception as error:  # pyarrow raises many kinds for a file that is cut or not Parquet
        raise DataError(f"{path.name} is not a readable Parquet file: {error}") from error
    missing = [c for c in ("image", "emotion", "Usage") if c not in table.columns]
    if missing:
        raise DataError(f"{path.name} lacks the column {missing[0]!r}; a packed FER2013 has image, emotion and Usage")

    rows, images, skipped = [], [], 0
    for row, (data, label, usage) in enumerate(
        zip(table["image"], table["emotion"], table["Usage"], strict=True)
    ):
        try:
            images.append(_decoded(data, row, path.name))
            if not 0 <= int(label) < len(FER7):
                raise DataError(f"{path.name}, row {row}: emotion must be 0 to 6, got {label}")
            if usage not in USAGE:
                raise DataError(f"{path.name}, row {row}: Usage must be one of {', '.join(USAGE)}, got {usage!r}")
        except DataError:
            if not skip_bad:
                raise
            skipped += 1
            del images[len(rows) :]
            continue
        rows.append(row)

    kept = table.iloc[rows]
    has_votes = all(c in table.columns for c in FERPLUS_COLUMNS)
    return Samples(
        name="FER2013",
        labels=FER7,
        images=np.stack(images) if images else np.empty((0, SIZE_PX, SIZE_PX), np.uint8),
        truth=kept["emotion"].to_numpy(np.int64),
        split=kept["Usage"].map(USAGE).to_numpy(str),
        ids=np.asarray(rows, np.int64),
        votes=kept[list(FERPLUS_COLUMNS)].to_numpy(np.int16) if has_votes else None,
        skipped=skipped,
    )


def _decoded(data: bytes, row: int, name: str) -> np.ndarray:
    try:
        image = np.asarray(Image.open(io.BytesIO(data)).convert("L"))
    except Exception as error:
        raise DataError(f"{name}, row {row}: the image cannot be decoded ({error})") from error
    if image.shape != (SIZE_PX, SIZE_PX):
        raise DataError(f"{name}, row {row}: an image must have 48 x 48 pixels, got {image.shape[1]} x {image.shape[0]}")
    return image
