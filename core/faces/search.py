"""Finding the faces of a photo, including one that was stored sideways or upside down without an EXIF orientation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.faces.detection import LEVELS_PX, Detector
from core.faces.face import Face
from core.faces.scaling import resized
from core.images import rotated

# How much higher the best score must be in a rotated photo. Of 200 upright FER2013 frames this rotates 3 with YuNet and
# 2 with MTCNN; of 200 sideways ones it sets 195 and 175 upright.
ROTATION_GAIN = 0.05


@dataclass(frozen=True, eq=False)
class Detection:
    """The faces of a photo and the photo in which they are upright.

    ``image`` (H, W, 3) uint8 is the photo rotated clockwise by ``rotation_deg``, which is 0, 90, 180 or 270; boxes are
    in px of it. ``detector`` is the name of the detector that found them.
    """

    faces: tuple[Face, ...]
    detector: str
    rotation_deg: int
    image: np.ndarray


def find_faces(image: np.ndarray, detector: Detector, rotation_deg: int | None = None) -> Detection:
    """The faces of a photo (H, W, 3) uint8, which is rotated if its faces are sideways or inverted.

    A ``rotation_deg`` of 0, 90, 180 or 270 rotates the photo clockwise by that angle instead, whatever its faces are.

    Rotations are tried only if no upright face reaches the detector's ``upright_score``, because detectors give
    sideways and inverted faces lower scores. They are compared at the smallest level of the pyramid.
    """
    if rotation_deg is not None:
        image = rotated(image, rotation_deg)
        return Detection(tuple(detector.detect(image)), detector.name, rotation_deg, image)
    faces = detector.detect(image)
    best = max((face.score for face in faces), default=0.0)
    rotation_deg = 0 if best >= detector.upright_score else _rotation(image, detector, best)
    if rotation_deg:
        image = rotated(image, rotation_deg)
        faces = detector.detect(image)
    return Detection(tuple(faces), detector.name, rotation_deg, image)


def _rotation(image: np.ndarray, detector: Detector, best_upright: float) -> int:
    """The clockwise rotation in degrees that gives the highest score, 0 unless it is clearly above the upright one."""
    height, width = image.shape[:2]
    scale = min(1.0, LEVELS_PX[0] / max(height, width))
    small = resized(image, max(1, round(width * scale)), max(1, round(height * scale)))
    best = {
        degrees: max((face.score for face in detector.detect(rotated(small, degrees))), default=0.0)
        for degrees in (90, 270, 180)
    }
    rotation_deg = max(best, key=best.__getitem__)
    threshold = max(detector.sure_score, best_upright + ROTATION_GAIN)
    return rotation_deg if best[rotation_deg] >= threshold else 0
