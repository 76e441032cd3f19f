"""The photo with its faces numbered."""

from __future__ import annotations

from typing import Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from core.inference import PhotoAnalysis

DISPLAY_PX = 960  # longest side on the screen; the analysis keeps the original
TALLEST_PX = 400  # so that the answers stay above the fold


def with_boxes(analysis: PhotoAnalysis, chosen: int) -> np.ndarray:
    """A display copy of the photo (H, W, 3) uint8, faces numbered from 1; the chosen one is drawn stronger."""
    picture = Image.fromarray(analysis.image)
    scale = min(1.0, DISPLAY_PX / max(picture.size))
    picture.thumbnail((DISPLAY_PX, DISPLAY_PX), reducing_gap=2.0)
    draw = ImageDraw.Draw(picture)
    stroke = max(2, round(max(picture.size) / 320))
    font = ImageFont.load_default(size=max(12, 6 * stroke))
    for number, found in enumerate(analysis.faces):
        box = found.face.box.clipped(analysis.image.shape[1], analysis.image.shape[0])
        left, top = box.left * scale, box.top * scale
        right, bottom = left + box.width * scale, top + box.height * scale
        color, width = ("#4FC3B8", 2 * stroke) if number == chosen else ("#FFFFFF", stroke)
        # A dark rim keeps the line visible on light and dark skin, hair and background alike.
        draw.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline="#11181A", width=width + 2)
        draw.rectangle((left, top, right, bottom), outline=color, width=width)
        tag = (left, top, left + 9 * stroke, top + 8 * stroke)
        draw.rectangle(tag, fill=color)
        draw.text((left + 2.6 * stroke, top + 0.4 * stroke), str(number + 1), fill="#11181A", font=font)
    return np.asarray(picture)


def display_width(picture: np.ndarray, column_px: int = 520) -> int | Literal["stretch"]:
    """A width for ``st.image``: the column's, or less where the photo would become taller than 400 px."""
    height, width = picture.shape[:2]
    fitting = round(width * TALLEST_PX / height)
    return fitting if fitting < column_px else "stretch"
