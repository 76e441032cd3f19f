"""Share of a map in each region of a face: brows, eyes, nose, mouth and the rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from core.errors import ExplainError

REGION_NAMES = ("brows", "eyes", "nose", "mouth", "rest")
SIZE = 96  # cells per side of a region map; a multiple of the usual maps' 3, 6, 12, 24 and 48

# Right eye, left eye, nose tip, right and left mouth corner (the person's own right first), as fractions of
# the side. Medians of YuNet's landmarks in 1,000 random Training images of FER2013; half lie within 0.04 of them.
TEMPLATE_LANDMARKS = np.array([[0.310, 0.389], [0.685, 0.392], [0.489, 0.596], [0.347, 0.758], [0.643, 0.763]])
TEMPLATE_LANDMARKS.flags.writeable = False

# Landmarks closer than this (fraction of the crop's side) do not determine the orientation of the face.
LEAST_DISTANCE = 0.1


@dataclass(frozen=True, eq=False)
class FaceRegions:
    """The region of each cell of a square crop; every cell belongs to exactly one."""

    labels: np.ndarray  # (96, 96) uint8, index in REGION_NAMES
    from_landmarks: bool  # False: from the template of a face framed as FER2013's

    def mask(self, name: str) -> np.ndarray:
        """(96, 96) bool of one region. Raises ValueError for a name that is not in REGION_NAMES."""
        return np.asarray(self.labels == REGION_NAMES.index(name))

    @property
    def areas(self) -> np.ndarray:
        """(5,) fraction of the crop that each region covers: the shares of a uniform map."""
        counts = np.bincount(self.labels.ravel(), minlength=len(REGION_NAMES))
        return np.asarray(counts / self.labels.size)

    def shares(self, heatmaps: np.ndarray) -> np.ndarray:
        """Fraction of each map's saliency in each region: (..., h, w), none negative -> (..., 5) summing to 1.

        A cell that covers several regions is divided among them by area. NaN for a map without evidence.
        Raises ExplainError for maps with negative or not finite cells.
        """
        maps = np.asarray(heatmaps, np.float64)
        if maps.ndim < 2 or not (np.isfinite(maps).all() and (maps >= 0).all()):
            raise ExplainError(
                f"the shares need maps (..., h, w) of finite cells, none negative, got shape {maps.shape}"
            )
        height, width = maps.shape[-2:]
        each = np.stack([self.labels == k for k in range(len(REGION_NAMES))])
        covers = F.adaptive_avg_pool2d(torch.from_numpy(each.astype(np.float64))[None], (height, width))[0].numpy()
        peak = maps.max(axis=(-2, -1), keepdims=True, initial=0)
        # Fractions of subnormal numbers would round to zero.
        maps = maps / np.where(peak > 0, peak, 1.0)
        found = np.einsum("...hw,rhw->...r", maps, covers)
        total = maps.sum(axis=(-2, -1))[..., None]
        return np.asarray(np.where(total > 0, found / np.where(total > 0, total, 1.0), np.nan))


def face_regions(landmarks: np.ndarray | None = None) -> FaceRegions:
    """Regions around five landmarks (5, 2), x and y as fractions of the crop's side, in the order of a ``Face``.

    None, and landmarks too close together, give the template. Raises ValueError for another shape.
    """
    if landmarks is None:
        return FaceRegions(_drawn(TEMPLATE_LANDMARKS), from_landmarks=False)
    points = np.asarray(landmarks, np.float64)
    if points.shape != (5, 2) or not np.isfinite(points).all():
        raise ValueError(f"landmarks must be 5 finite points (5, 2), got shape {points.shape}")
    if min(_length(points[1] - points[0]), _length(points[4] - points[3])) < LEAST_DISTANCE:
        return FaceRegions(_drawn(TEMPLATE_LANDMARKS), from_landmarks=False)
    return FaceRegions(_drawn(points), from_landmarks=True)


def _drawn(points: np.ndarray) -> np.ndarray:
    """Ellipses around eyes, brows and mouth, a wedge for the nose. Sizes are relative to the larger of the distance
    between the eyes and that from eyes to mouth, since yaw shortens the first and pitch the second."""
    eyes, nose, corners = points[:2], points[2], points[3:]
    between, mouth = eyes.mean(axis=0), corners.mean(axis=0)
    unit = max(_length(eyes[1] - eyes[0]), _length(mouth - between))
    right = (eyes[1] - eyes[0]) / _length(eyes[1] - eyes[0])
    down = np.array([-right[1], right[0]])
    along_mouth = (corners[1] - corners[0]) / _length(corners[1] - corners[0])

    centers = (np.arange(SIZE) + 0.5) / SIZE
    cells = np.stack(np.meshgrid(centers, centers), axis=-1)  # (96, 96, 2): x, y
    labels = np.full((SIZE, SIZE), REGION_NAMES.index("rest"), np.uint8)
    for eye in eyes:
        labels[_ellipse(cells, eye - 0.33 * unit * down, right, 0.42 * unit, 0.20 * unit)] = 0
    # The area between the brows belongs to them.
    labels[_ellipse(cells, between - 0.30 * unit * down, right, 0.25 * unit, 0.17 * unit)] = 0
    labels[_wedge(cells, between, nose, right, unit)] = 2
    width = _length(corners[1] - corners[0]) / 2 + 0.15 * unit
    labels[_ellipse(cells, mouth, along_mouth, width, 0.27 * unit)] = 3
    for eye in eyes:  # last, so that eyes take precedence over brows and nose
        labels[_ellipse(cells, eye, right, 0.36 * unit, 0.20 * unit)] = 1
    return labels


def _ellipse(cells: np.ndarray, center: np.ndarray, axis: np.ndarray, long: float, short: float) -> np.ndarray:
    away = cells - center
    across = np.array([-axis[1], axis[0]])
    return np.asarray(((away @ axis) / long) ** 2 + ((away @ across) / short) ** 2 <= 1)


def _wedge(cells: np.ndarray, top: np.ndarray, tip: np.ndarray, right: np.ndarray, unit: float) -> np.ndarray:
    """From the point between the eyes to just below the tip of the nose, widening downward."""
    length = max(_length(tip - top), 1e-6)
    down = (tip - top) / length
    across = np.array([down[1], -down[0]])
    across = across if across @ right >= 0 else -across
    away = cells - top
    depth = (away @ down) / (length + 0.14 * unit)  # 0 at the top, 1 at the nostrils
    half = (0.12 + 0.18 * np.clip(depth, 0, 1)) * unit
    return np.asarray((depth >= 0) & (depth <= 1) & (np.abs(away @ across) <= half))


def _length(vector: np.ndarray) -> float:
    return float(np.hypot(*vector))
