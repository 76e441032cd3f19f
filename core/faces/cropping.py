"""The square around a face that a network receives, upright and framed like its training images."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from core.faces.face import Box, Face
from core.faces.scaling import resized
from core.images import require_rgb

MAX_SIDE_PX = 512


@dataclass(frozen=True)
class CropMargin:
    """The position of the crop relative to a detector's box, in fractions of the box's side.

    ``side`` is added on each side (negative: the crop is tighter than the box); ``dx`` and ``dy`` move the center of
    the crop to the right and down, along the axes of the upright face.
    """

    side: float = 0.0
    dx: float = 0.0
    dy: float = 0.0

    def __post_init__(self) -> None:
        if not all(math.isfinite(value) for value in (self.side, self.dx, self.dy)):
            raise ValueError(f"a crop margin must have finite numbers, got {self}")
        if self.side <= -0.5:
            raise ValueError(f"a crop margin's side must be above -0.5, or nothing is left, got {self.side}")


def crop(image_rgb: np.ndarray, face: Face, margin: CropMargin, *, align: bool = True) -> np.ndarray:
    """The square (side, side, 3) uint8 around a face of an upright photo (H, W, 3) uint8.

    With ``align`` it is rotated so that the face is upright. The border is repeated where the square extends beyond
    it. The crop has the resolution of the photo, or less if its side would exceed 512 px.
    """
    require_rgb(image_rgb)
    center, right, down, side_px = _square(face, margin, align=align)
    size_px = max(1, min(MAX_SIDE_PX, round(side_px)))

    region, origin, scale = _region(image_rgb, center, side_px, size_px)
    # Coordinates are those of pixel corners; OpenCV counts from the center of the first pixel, half a pixel later.
    step = side_px / size_px
    first = (center + (0.5 - size_px / 2) * step * (right + down) - origin) * scale - 0.5
    matrix = np.column_stack([right * step * scale, down * step * scale, first])
    warped = cv2.warpAffine(
        region,
        matrix,
        (size_px, size_px),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(warped)


def points_in_crop(points: np.ndarray, face: Face, margin: CropMargin, *, align: bool = True) -> np.ndarray:
    """Points (P, 2) in px of the photo -> their place in the :func:`crop` of a face, (P, 2) in fractions of its side.

    0 and 1 are the borders of the crop; a point may lie outside.
    """
    center, right, down, side_px = _square(face, margin, align=align)
    away = (np.asarray(points, np.float64) - center) / side_px
    return np.stack([away @ right, away @ down], axis=-1) + 0.5


def crop_corners(face: Face, margin: CropMargin, *, align: bool = True) -> np.ndarray:
    """The top left, top right and bottom left corner of the :func:`crop` of a face, (3, 2) in px of the photo."""
    center, right, down, side_px = _square(face, margin, align=align)
    return center + side_px / 2 * np.stack([-right - down, right - down, down - right])


def whole_image_face(image_rgb: np.ndarray) -> Face:
    """The center square of a photo (H, W, 3) as a face, to be cropped with ``CropMargin()``; its score is 0."""
    require_rgb(image_rgb)
    height, width = image_rgb.shape[:2]
    side = min(height, width)
    return Face(Box((width - side) / 2, (height - side) / 2, side, side), score=0.0)


def _square(face: Face, margin: CropMargin, *, align: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """The crop's center (x, y) px, the face's own right-pointing and down-pointing axes, and the crop's side in px."""
    turn = math.radians(face.roll_deg) if align else 0.0
    right = np.array([math.cos(turn), math.sin(turn)])
    down = np.array([-right[1], right[0]])
    center = np.array(face.box.center) + face.box.side * (margin.dx * right + margin.dy * down)
    return center, right, down, face.box.side * (1 + 2 * margin.side)


def _region(
    image: np.ndarray, center: np.ndarray, side_px: float, size_px: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The part of the photo that the square covers in any rotation, at the resolution of the crop.

    Returns it with its origin (x, y) px in the photo and the scale (x, y) by which it was shrunk. Cutting it out first
    keeps the warp below OpenCV's limit of 32,767 px; shrinking it first keeps the warp from skipping pixels.
    """
    limit = np.array([image.shape[1], image.shape[0]])
    reach = side_px / math.sqrt(2) + 2
    start = np.clip(np.floor(center - reach), 0, limit - 1).astype(int)
    stop = np.clip(np.ceil(center + reach), start + 1, limit).astype(int)
    region = image[start[1] : stop[1], start[0] : stop[0]]
    size = np.array([region.shape[1], region.shape[0]])
    if side_px <= MAX_SIDE_PX:
        return region, start.astype(float), np.ones(2)
    small = np.maximum(1, np.round(size * size_px / side_px)).astype(int)
    return resized(region, int(small[0]), int(small[1])), start.astype(float), small / size
