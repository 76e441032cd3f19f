"""A saliency map on the photo itself, at the photo's resolution."""

from __future__ import annotations

import cv2
import numpy as np

from core.explain import overlay
from core.faces import CropMargin, Face, points_in_crop


def overlay_on_photo(
    image: np.ndarray, face: Face, margin: CropMargin, heatmap: np.ndarray, *, opacity: float = 0.5
) -> np.ndarray:
    """The part of a photo that the crop of a face covers, under the heatmap of that crop.

    ``image`` is the upright photo (H, W, 3) uint8 and ``heatmap`` (h, w) has cells in [0, 1]. The result is the
    bounding rectangle of the crop, cut at the photo's border; pixels outside a rotated crop are as in the photo.
    """
    # The crop is an affine image of the photo, so three points determine it.
    origin, right, down = points_in_crop(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), face, margin)
    to_crop = np.column_stack([right - origin, down - origin])  # photo px -> parts of the crop's side
    corners = (np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) - origin) @ np.linalg.inv(to_crop).T
    corners = corners.round(6)  # or a rounding error would add a row
    limit = np.array([image.shape[1], image.shape[0]])
    start = np.clip(np.floor(corners.min(axis=0)), 0, limit - 1).astype(int)
    stop = np.clip(np.ceil(corners.max(axis=0)), start + 1, limit).astype(int)
    region = np.ascontiguousarray(image[start[1] : stop[1], start[0] : stop[0]])

    cells = np.array([heatmap.shape[1], heatmap.shape[0]])
    # OpenCV counts from the center of the first pixel or cell, half a pixel or cell from the corner.
    linear = to_crop * cells[:, None]
    offset = origin * cells + linear @ (start + 0.5) - 0.5
    in_region = cv2.warpAffine(
        heatmap.astype(np.float32),
        np.column_stack([linear, offset]),
        (region.shape[1], region.shape[0]),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    inside = cv2.warpAffine(
        np.ones((1, 1), np.float32),
        np.column_stack([linear / cells[:, None], origin + to_crop @ (start + 0.5) - 0.5]),
        (region.shape[1], region.shape[0]),
        flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
    )
    return np.where(inside[..., None] > 0, overlay(region, in_region, opacity=opacity), region)
