"""The Haar cascade of Viola and Jones: included in OpenCV, frontal faces only."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import cv2.data
import numpy as np

from core.errors import DetectorUnavailableError
from core.faces.detection import Detector, all_cores, register_detector
from core.faces.face import Box, Face
from core.faces.model_pool import ModelPool
from core.parallel import core_count, parallel_map

MIN_FACE_PX = 30
MIN_NEIGHBORS = 5
# Below this size an eye has too few pixels for the eye cascade.
MIN_FACE_FOR_EYES_PX = 48
# At this size eyes are as large as the cascade's window, which then moves in steps of two pixels.
EYE_VIEW_PX = 100
MAX_ROLL_DEG = 25.0


@register_detector("haar", title="Haar cascade", preference=3)
class HaarDetector(Detector):
    """Frontal faces by a boosted cascade of Haar features; part of OpenCV (Viola and Jones 2001).

    ``score`` is the logistic of a third of the last stage's weight, a sum of votes that is about 0 for a window that
    just passes and 2 to 13 for faces. It orders detections and is not a probability. ``roll_deg`` comes from the eye
    cascade if that finds a plausible pair of eyes, and is 0 otherwise. There are no landmarks.
    """

    # The cascade finds only faces that lie wholly inside the picture. Without a border its boxes are 16 % too small in
    # photos that a face fills; a quarter of the shorter side corrects that.
    border = 0.25
    sure_score = upright_score = 0.8

    # At 0.75 the cascade keeps 67 of 68 faces and 4 of 11 false detections of 64 ordinary photos, compared with 0.6.
    def __init__(self, *, min_score: float = 0.75) -> None:
        super().__init__(min_score=min_score)
        # Finding eyes takes as long as a small network, so the eyes of several faces are searched at once.
        self._eyes = ModelPool(lambda: _cascade("haarcascade_eye.xml"), core_count())

    def _load(self) -> cv2.CascadeClassifier:
        return _cascade("haarcascade_frontalface_default.xml")

    def _find(self, view: np.ndarray, model: cv2.CascadeClassifier) -> list[Face]:
        gray = np.asarray(cv2.cvtColor(view, cv2.COLOR_RGB2GRAY))
        with all_cores():
            boxes, _, weights = model.detectMultiScale3(
                gray,
                scaleFactor=1.1,
                minNeighbors=MIN_NEIGHBORS,
                minSize=(MIN_FACE_PX, MIN_FACE_PX),
                outputRejectLevels=True,
            )
        crops = [gray[top : top + height, left : left + width] for left, top, width, height in boxes]
        rolls = self._rolls_deg(crops)
        return [
            Face(
                Box(float(left), float(top), float(width), float(height)),
                score=1 / (1 + math.exp(-float(weight) / 3)),
                roll_deg=roll_deg,
            )
            for (left, top, width, height), weight, roll_deg in zip(boxes, weights, rolls, strict=True)
        ]

    def _rolls_deg(self, faces: list[np.ndarray]) -> list[float]:
        """:meth:`_roll_deg` of each face. Each worker gets its share at once, because passing one face costs a third of
        the computation."""
        shares = min(len(faces), core_count())
        if shares < 2:
            return [self._roll_deg(face) for face in faces]
        rolls = [0.0] * len(faces)
        of_shares = parallel_map(lambda k: [self._roll_deg(face) for face in faces[k::shares]], range(shares))
        for k, of_share in enumerate(of_shares):
            rolls[k::shares] = of_share
        return rolls

    def _roll_deg(self, face: np.ndarray) -> float:
        """The angle of the line through both eyes of a square gray face, or 0 if no plausible pair is found."""
        if len(face) < MIN_FACE_FOR_EYES_PX:
            return 0.0
        resized = cv2.resize(face, (EYE_VIEW_PX, EYE_VIEW_PX), interpolation=cv2.INTER_LINEAR)
        upper = np.asarray(resized)[int(0.15 * EYE_VIEW_PX) : int(0.6 * EYE_VIEW_PX)]
        with self._eyes.borrowed() as cascade:
            found, votes = cascade.detectMultiScale2(
                upper,
                scaleFactor=1.05,
                minNeighbors=1,  # an eyebrow or a nostril may pass too; the window with most votes on each side counts
                # Eyes are a fifth to a third of a face's box; smaller windows cost most and found no further pair.
                minSize=(int(0.2 * EYE_VIEW_PX),) * 2,
                maxSize=(int(0.34 * EYE_VIEW_PX),) * 2,
            )
        middle = EYE_VIEW_PX / 2
        eyes = [
            (n, left + width / 2, top + height / 2, width)
            for (left, top, width, height), n in zip(found, votes, strict=True)
        ]
        on_the_left, on_the_right = [e for e in eyes if e[1] < middle], [e for e in eyes if e[1] > middle]
        if not on_the_left or not on_the_right:
            return 0.0
        (_, left_x, left_y, left_width), (_, right_x, right_y, right_width) = max(on_the_left), max(on_the_right)
        roll = math.degrees(math.atan2(right_y - left_y, right_x - left_x))
        plausible = (
            0.25 < (right_x - left_x) / EYE_VIEW_PX < 0.65
            and max(left_width, right_width) < 1.6 * min(left_width, right_width)
            and abs(roll) < MAX_ROLL_DEG
        )
        return roll if plausible else 0.0


def _cascade(file_name: str) -> cv2.CascadeClassifier:
    path = Path(cv2.data.haarcascades) / file_name
    cascade = cv2.CascadeClassifier(str(path))
    if cascade.empty():
        raise DetectorUnavailableError(
            f"OpenCV's cascade file {file_name} is missing or damaged; reinstall opencv-python-headless"
        )
    return cascade
