"""YuNet: a small network that finds faces from many sides, with five landmarks."""

from __future__ import annotations

import math
import os
from pathlib import Path

import cv2
import numpy as np

from core.errors import DetectorUnavailableError
from core.faces.detection import Detector, register_detector, resized
from core.faces.face import Box, Face
from core.faces.model_file import DownloadError, fetch

PATH_VARIABLE = "FERSCOPE_YUNET"
FILE_NAME = "face_detection_yunet_2023mar.onnx"
# A tag, not a branch: the file stays where it is.
URL = f"https://github.com/opencv/opencv_zoo/raw/4.10.0/models/face_detection_yunet/{FILE_NAME}"
SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"

# Trained on faces of about 10 to 300 px, so that a face filling a large photo is missed or found in pieces.
COARSE_SIDE_PX = 320
COARSE_SHARE = 0.25
# The landmarks follow a turned face only where it has about 170 to 260 px; below 130 px they hardly turn with it.
CLOSE_FACE_PX = 220
CLOSE_VIEW_SIDES = 1.6
OVERLAP = 0.3
MAX_CANDIDATES = 5000


@register_detector("yunet", title="YuNet")
class YuNetDetector(Detector):
    """Faces from many sides and in hard light by a small network; 230 KB fetched on first use (Wu et al. 2023).

    The model file is ``path``, else the file named by the environment variable FERSCOPE_YUNET, else OpenCV Zoo's,
    fetched once into the user's cache folder and checked against its SHA-256. Raises DetectorUnavailableError.
    """

    def __init__(self, path: Path | str | None = None, *, min_score: float = 0.6) -> None:
        super().__init__(min_score=min_score)
        self._network = _loaded(path or os.environ.get(PATH_VARIABLE) or None, min_score)

    def _find(self, view: np.ndarray) -> list[Face]:
        bgr = np.asarray(cv2.cvtColor(view, cv2.COLOR_RGB2BGR))
        return [self._seen_closely(face, bgr) for face in self._seen_at_two_sizes(bgr)]

    def _seen_at_two_sizes(self, bgr: np.ndarray) -> list[Face]:
        scale = COARSE_SIDE_PX / max(bgr.shape[:2])
        if scale >= 1:
            return self._run(bgr)
        large = [face for face in self._run(bgr, scale) if face.box.side * scale >= COARSE_SHARE * COARSE_SIDE_PX]
        return large + [
            face for face in self._run(bgr) if not any(known.box.contains(face.box.center) for known in large)
        ]

    def _seen_closely(self, face: Face, bgr: np.ndarray) -> Face:
        """The same face found again at the size that suits the network, or as it is where it is not found."""
        (x, y), reach = face.box.center, face.box.side * CLOSE_VIEW_SIDES / 2
        left, top = max(0, int(x - reach)), max(0, int(y - reach))
        around = bgr[top : max(0, math.ceil(y + reach)), left : max(0, math.ceil(x + reach))]
        if not around.size:
            return face
        again = [found.mapped((1, 1), (left, top)) for found in self._run(around, CLOSE_FACE_PX / face.box.side)]
        again = [found for found in again if face.box.contains(found.box.center)]
        return min(again, key=lambda found: math.dist(found.box.center, (x, y)), default=face)

    def _run(self, bgr: np.ndarray, scale: float = 1.0) -> list[Face]:
        """One pass over a picture scaled first; faces in px of the picture as given."""
        height, width = bgr.shape[:2]
        scaled = resized(bgr, max(1, round(width * scale)), max(1, round(height * scale)))
        self._network.setInputSize((scaled.shape[1], scaled.shape[0]))
        _, rows = self._network.detect(scaled)
        if rows is None:
            return []
        back = (width / scaled.shape[1], height / scaled.shape[0])
        # Rows of 15: box, five points, score. The network's sizes are exponentials and may overflow.
        sound = [row for row in rows.astype(np.float64) if np.isfinite(row).all() and min(row[2:4]) > 0]
        return [_face(row).mapped(back) for row in sound]


def _face(row: np.ndarray) -> Face:
    landmarks = row[4:14].reshape(5, 2)
    # The line through the eyes and the axis from them to the mouth, added: each alone is a worse measure of the roll.
    across = landmarks[1] - landmarks[0]
    down = landmarks[3:].mean(axis=0) - landmarks[:2].mean(axis=0)
    roll_deg = math.degrees(math.atan2(across[1] - down[0], across[0] + down[1]))
    return Face(Box(*map(float, row[:4])), float(np.clip(row[14], 0, 1)), landmarks, roll_deg)


def _loaded(path: Path | str | None, min_score: float) -> cv2.FaceDetectorYN:
    name, content = _content(path)
    try:
        # From memory, so that what was checked is what is used.
        return cv2.FaceDetectorYN.create(
            "onnx",
            np.frombuffer(content, np.uint8),
            np.empty(0, np.uint8),
            (COARSE_SIDE_PX, COARSE_SIDE_PX),
            score_threshold=min_score,
            nms_threshold=OVERLAP,
            top_k=MAX_CANDIDATES,
        )
    except cv2.error as error:
        raise DetectorUnavailableError(
            f"{name} is not a YuNet model that OpenCV {cv2.__version__} can read; give {FILE_NAME} from OpenCV Zoo"
        ) from error


def _content(path: Path | str | None) -> tuple[str, bytes]:
    """The model file's name and bytes: the user's own as it is, else the official one."""
    if path is None:
        cached = cache_folder() / FILE_NAME
        try:
            return FILE_NAME, fetch(URL, cached, SHA256)
        except DownloadError as error:
            raise DetectorUnavailableError(
                f"YuNet's model file is not at hand and could not be fetched ({error}); download {URL} and name the "
                f"file in the environment variable {PATH_VARIABLE}, or use the Haar cascade"
            ) from error
    try:
        return Path(path).name, Path(path).expanduser().read_bytes()
    except OSError as error:
        raise DetectorUnavailableError(
            f"expected YuNet's model file at {path}, but it cannot be read ({error.strerror}); correct the path, or "
            f"unset {PATH_VARIABLE} to have the file fetched"
        ) from error


def cache_folder() -> Path:
    """Where fetched files stay: ``ferscope`` in the user's cache folder (XDG_CACHE_HOME or ~/.cache)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ferscope"
