"""One face in an upright photo, as a detector reports it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Box:
    """A rectangle in px of the upright photo; pixel i covers [i, i + 1). It may extend beyond the photo's border."""

    left: float
    top: float
    width: float
    height: float

    def __post_init__(self) -> None:
        if not all(math.isfinite(value) for value in (self.left, self.top, self.width, self.height)):
            raise ValueError(f"a box must have finite numbers, got {self}")
        if self.width <= 0 or self.height <= 0:
            raise ValueError(f"a box must have a positive width and height, got {self.width} x {self.height} px")

    @property
    def center(self) -> tuple[float, float]:
        """(x, y) in px."""
        return self.left + self.width / 2, self.top + self.height / 2

    @property
    def side(self) -> float:
        """The longer side in px: the height of the face if the detector's boxes are not square."""
        return max(self.width, self.height)

    @property
    def area(self) -> float:
        """In square px."""
        return self.width * self.height

    def shared_area(self, other: Box) -> float:
        """The area of the intersection in square px; 0 for separate boxes."""
        width = min(self.left + self.width, other.left + other.width) - max(self.left, other.left)
        height = min(self.top + self.height, other.top + other.height) - max(self.top, other.top)
        return max(width, 0.0) * max(height, 0.0)

    def toward(self, other: Box, fraction: float) -> Box:
        """The box between this one, at fraction 0, and ``other``, at 1, on a straight line."""

        def mixed(one: float, another: float) -> float:
            return one + (another - one) * fraction

        return Box(
            mixed(self.left, other.left),
            mixed(self.top, other.top),
            mixed(self.width, other.width),
            mixed(self.height, other.height),
        )

    def contains(self, point: tuple[float, float]) -> bool:
        """Whether (x, y) lies inside."""
        x, y = point
        return 0 <= x - self.left < self.width and 0 <= y - self.top < self.height

    def clipped(self, width_px: int, height_px: int) -> Box:
        """The part inside a photo of that size, at least 1 px wide and high."""
        left = min(max(self.left, 0.0), width_px - 1.0)
        top = min(max(self.top, 0.0), height_px - 1.0)
        right = max(min(self.left + self.width, float(width_px)), left + 1)
        bottom = max(min(self.top + self.height, float(height_px)), top + 1)
        return Box(left, top, right - left, bottom - top)


@dataclass(frozen=True, eq=False)
class Face:
    """One face.

    ``score`` is the detector's own, 0 to 1; scores of different detectors are not comparable. ``landmarks`` (5, 2) px
    are right eye, left eye, nose, right and left mouth corner, where right and left are the person's own.
    ``roll_deg`` is the clockwise rotation of the face on the screen, 0 if unknown. ``uncertain`` marks a detection
    whose score is below the detector's ``sure_score``.
    """

    box: Box
    score: float
    landmarks: np.ndarray | None = None
    roll_deg: float = 0.0
    uncertain: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.score <= 1:
            raise ValueError(f"a face's score must lie in [0, 1], got {self.score}")
        if not -180 <= self.roll_deg <= 180:
            raise ValueError(f"a face's roll must lie in [-180, 180] degrees, got {self.roll_deg}")
        if self.landmarks is not None:
            points = np.array(self.landmarks, np.float64)
            if points.shape != (5, 2) or not np.isfinite(points).all():
                raise ValueError(f"landmarks must be 5 finite points (5, 2), got shape {points.shape}")
            points.flags.writeable = False
            object.__setattr__(self, "landmarks", points)

    def mapped(self, scale: tuple[float, float], offset: tuple[float, float] = (0.0, 0.0)) -> Face:
        """The same face after a point (x, y) has moved to ``scale * (x, y) + offset``. The roll is unchanged."""
        box = Box(
            self.box.left * scale[0] + offset[0],
            self.box.top * scale[1] + offset[1],
            self.box.width * scale[0],
            self.box.height * scale[1],
        )
        landmarks = None if self.landmarks is None else self.landmarks * np.asarray(scale) + np.asarray(offset)
        return replace(self, box=box, landmarks=landmarks)


def roll_of(landmarks: np.ndarray) -> float:
    """The clockwise rotation in degrees of a face with these landmarks (5, 2).

    The line through the eyes and the axis from the eyes to the mouth are added, because each alone is less accurate.
    """
    across = landmarks[1] - landmarks[0]
    down = landmarks[3:].mean(axis=0) - landmarks[:2].mean(axis=0)
    return math.degrees(math.atan2(across[1] - down[0], across[0] + down[1]))
