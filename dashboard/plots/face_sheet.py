"""Many small faces in one picture, which the browser shows piece by piece."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

SIDE_PX = 48
QUALITY = 70  # of JPEG; a face of 48 px has about 1 kB


@dataclass(frozen=True)
class FaceSheet:
    """The faces in rows of ``columns``, each 48 x 48 px; ``uri`` is the picture as a data URI."""

    columns: int
    uri: str


def face_sheet(images: Sequence[np.ndarray]) -> FaceSheet:
    """The images, (H, W) or (H, W, 3) uint8, in their order."""
    columns = max(1, math.ceil(math.sqrt(len(images))))
    rows = max(1, math.ceil(len(images) / columns))
    gray = all(image.ndim == 2 for image in images)
    sheet = Image.new("L" if gray else "RGB", (SIDE_PX * columns, SIDE_PX * rows))
    for position, image in enumerate(images):
        face = Image.fromarray(image)
        if face.size != (SIDE_PX, SIDE_PX):
            face = face.resize((SIDE_PX, SIDE_PX))
        sheet.paste(face, (SIDE_PX * (position % columns), SIDE_PX * (position // columns)))
    file = io.BytesIO()
    sheet.save(file, "JPEG", quality=QUALITY)
    return FaceSheet(columns, "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode())
