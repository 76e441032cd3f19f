"""The photo with its faces numbered, and thumbnails with a frame."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from core.inference import PhotoAnalysis

DISPLAY_PX = 1280  # longest side of the copy; the analysis keeps the original
BORDER_PX = 5  # of a framed thumbnail


def with_boxes(analysis: PhotoAnalysis, selected: int) -> np.ndarray:
    """A copy of the photo (H, W, 3) uint8 with its faces numbered from 1; the selected one is drawn stronger."""
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
        color, width = ("#4FC3B8", 2 * stroke) if number == selected else ("#FFFFFF", stroke)
        # A dark rim keeps the line visible on light and dark skin, hair and backgrounds.
        draw.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline="#11181A", width=width + 2)
        draw.rectangle((left, top, right, bottom), outline=color, width=width)
        tag = (left, top, left + 9 * stroke, top + 8 * stroke)
        draw.rectangle(tag, fill=color)
        draw.text((left + 2.6 * stroke, top + 0.4 * stroke), str(number + 1), fill="#11181A", font=font)
    return np.asarray(picture)


def framed(picture: np.ndarray, color: str) -> np.ndarray:
    """A picture (H, W, 3) uint8 with a frame in a color such as "#D55E00"."""
    return np.asarray(ImageOps.expand(Image.fromarray(picture), border=BORDER_PX, fill=color))
