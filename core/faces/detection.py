"""Detectors by name. A new one is one file with a class under :func:`register_detector`."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import cv2
import numpy as np

from core.errors import UnknownDetectorError
from core.faces.face import Face
from core.images import require_rgb

# Faces of interest are still large at this size, and detection costs what a webcam allows.
LONGEST_SIDE_PX = 960
# A 48 px training frame is itself a face; below this size detectors see too little of it.
SHORTEST_LONGEST_SIDE_PX = 192


class Detector(ABC):
    """Finds faces in photos of any size; safe to share between threads."""

    name: ClassVar[str]
    # Part of the photo's shorter side that is added all around by repeating the border.
    border: ClassVar[float] = 0.0

    def __init__(self, *, min_score: float) -> None:
        if not 0 <= min_score <= 1:
            raise ValueError(f"min_score must lie in [0, 1], got {min_score}")
        self.min_score = min_score
        # OpenCV's detectors keep state during a call, and sessions are threads.
        self._lock = threading.Lock()

    @abstractmethod
    def _find(self, view: np.ndarray) -> list[Face]:
        """The faces in a photo already scaled for detection, in px of it; called by one thread at a time."""

    def detect(self, image_rgb: np.ndarray) -> list[Face]:
        """Faces with at least ``min_score`` in an upright photo (H, W, 3) uint8, the largest first.

        The photo is scaled for detection; boxes and landmarks are in px of the photo itself.
        """
        require_rgb(image_rgb)
        height, width = image_rgb.shape[:2]
        scale = _scale(width, height, self.border)
        view = resized(image_rgb, max(1, round(width * scale)), max(1, round(height * scale)))
        to_photo = (width / view.shape[1], height / view.shape[0])
        pad = round(self.border * min(view.shape[:2]))
        if pad:
            view = cv2.copyMakeBorder(view, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
        with self._lock:
            found = self._find(view)
        offset = (-pad * to_photo[0], -pad * to_photo[1])
        faces = [face.mapped(to_photo, offset) for face in found if face.score >= self.min_score]
        # Cores report in any order; equal faces are numbered from the top left.
        return sorted(faces, key=lambda face: (-face.box.area, face.box.top, face.box.left))


@dataclass(frozen=True)
class DetectorKind:
    """A registered detector: how it is made and what a reader should know of it."""

    name: str
    title: str
    build: type[Detector]
    summary: str


_KINDS: dict[str, DetectorKind] = {}
D = TypeVar("D", bound=Detector)


def register_detector(name: str, *, title: str) -> Callable[[type[D]], type[D]]:
    """Decorator for a :class:`Detector`; its docstring's first line is shown."""

    def add(build: type[D]) -> type[D]:
        if name in _KINDS:
            raise ValueError(f"the detector {name!r} is registered twice")
        build.name = name
        _KINDS[name] = DetectorKind(name, title, build, (build.__doc__ or "").strip().splitlines()[0])
        return build

    return add


def detectors() -> dict[str, DetectorKind]:
    """All detectors by name, the default first."""
    return dict(_KINDS)


def detector(name: str, **options: Any) -> Detector:
    """A detector ready for use, with options of its own.

    Raises UnknownDetectorError naming those there are, DetectorUnavailableError where its model file is missing, and
    TypeError for an option it lacks.
    """
    if name not in _KINDS:
        raise UnknownDetectorError(f"there is no face detector {name!r}; there are {', '.join(_KINDS)}")
    return _KINDS[name].build(**options)


def _scale(width: int, height: int, border: float) -> float:
    """By how much a photo is scaled so that it, its border included, is neither too large nor too small."""
    longest = max(width, height)
    if longest < SHORTEST_LONGEST_SIDE_PX:
        return SHORTEST_LONGEST_SIDE_PX / longest
    return min(1.0, LONGEST_SIDE_PX / (longest + 2 * border * min(width, height)))


def resized(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """An image of any size at another one, both in px."""
    if image.shape[:2] == (height, width):
        return image
    # INTER_AREA averages while shrinking (no aliasing) but blocks while growing.
    method = cv2.INTER_AREA if width < image.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (width, height), interpolation=method))
