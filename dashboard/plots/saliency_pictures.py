"""Saliency maps as pictures: over the face, the color bar, and the maps of all networks in one PNG."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from core.explain import Explanation, colorize, overlay
from core.images import encode_png
from dashboard.section import Picture

SIZE_PX = 336
COLORMAPS = ("viridis", "cividis", "magma")


def enlarged(face: np.ndarray, size_px: int = SIZE_PX) -> np.ndarray:
    """A network's input, (S, S) or (S, S, 3) uint8, enlarged so that its pixels stay visible."""
    return np.asarray(Image.fromarray(face).convert("RGB").resize((size_px, size_px), Image.Resampling.NEAREST))


def overlay_picture(
    face: np.ndarray, explanation: Explanation, *, opacity: float, colormap: str, size_px: int = SIZE_PX
) -> np.ndarray:
    """A map over a square picture of the face, (size_px, size_px, 3) uint8; without evidence only the face."""
    smooth = np.asarray(Image.fromarray(face).convert("RGB").resize((size_px, size_px), Image.Resampling.LANCZOS))
    if not explanation.has_evidence:
        return smooth
    return overlay(smooth, explanation.heatmap, opacity=opacity, colormap=colormap)


def color_bar(colormap: str) -> np.ndarray:
    """(14, 336, 3) uint8, from 0 on the left to 1 on the right."""
    return colorize(np.tile(np.linspace(0, 1, SIZE_PX, dtype=np.float32), (14, 1)), colormap)


def color_scale(colormap: str, caption: str) -> Picture:
    """The color bar as part of a section; ``caption`` states what its ends mean."""
    return Picture(color_bar(colormap), "Color bar from 0 on the left to 1", caption=caption)


def contact_sheet(pictures: Mapping[str, np.ndarray], title: str, colormap: str) -> bytes:
    """PNG of the networks' maps side by side, with their names (one or more lines), a title and the color bar."""
    margin, text_px = 16, 20
    named_px = text_px * max(1 + name.count("\n") for name in pictures)
    width = len(pictures) * (SIZE_PX + margin) + margin
    sheet = Image.new("RGB", (max(width, 520), SIZE_PX + 3 * margin + 4 * text_px + named_px), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=text_px * 0.8)
    draw.text((margin, margin / 2), title, fill="#1B2A2E", font=font)
    for number, (name, picture) in enumerate(pictures.items()):
        left = margin + number * (SIZE_PX + margin)
        draw.text((left, margin + text_px), name, fill="#1B2A2E", font=font)
        sheet.paste(Image.fromarray(picture), (left, margin + text_px + named_px + 8))
    below = 2 * margin + text_px + named_px + SIZE_PX + 4
    sheet.paste(Image.fromarray(color_bar(colormap)), (margin, below))
    draw.text((margin, below + 18), "0: no evidence", fill="#1B2A2E", font=font)
    draw.text((margin + SIZE_PX - 84, below + 18), "1: maximum", fill="#1B2A2E", font=font)
    return encode_png(np.asarray(sheet))
