"""Many small faces or frames in one picture, which the browser shows piece by piece."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from core.images import data_uri

SIDE_PX = 48
QUALITY = 70  # of JPEG; a face of 48 px has about 1 kB


@dataclass(frozen=True)
class FaceSheet:
    """The images in rows of ``columns``, all of one size; ``uri`` is the picture as a data URI."""

    columns: int
    uri: str
    size_px: tuple[int, int]  # width and height of each image


def face_sheet(images: Sequence[np.ndarray], size_px: tuple[int, int] = (SIDE_PX, SIDE_PX)) -> FaceSheet:
    """The images, (H, W) or (H, W, 3) uint8, in their order, scaled to one size."""
    width, height = size_px
    columns = max(1, math.ceil(math.sqrt(len(images))))
    rows = max(1, math.ceil(len(images) / columns))
    gray = all(image.ndim == 2 for image in images)
    sheet = Image.new("L" if gray else "RGB", (width * columns, height * rows))
    for position, image in enumerate(images):
        face = Image.fromarray(image)
        if face.size != size_px:
            face = face.resize(size_px)
        sheet.paste(face, (width * (position % columns), height * (position // columns)))
    file = io.BytesIO()
    sheet.save(file, "JPEG", quality=QUALITY)
    return FaceSheet(columns, data_uri(file.getvalue(), "image/jpeg"), size_px)
