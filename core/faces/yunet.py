"""YuNet: a small network that finds faces from many sides, with five landmarks."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np

from core.faces.detection import Detector, DetectorUnavailableError, register_detector
from core.faces.face import Box, Face, roll_of_eyes_deg
from core.faces.model_file import DownloadError, fetch

PATH_VARIABLE = "FERSCOPE_YUNET"
FILE_NAME = "face_detection_yunet_2023mar.onnx"
# A tag, not a branch: the file stays where it is.
URL = f"https://github.com/opencv/opencv_zoo/raw/4.10.0/models/face_detection_yunet/{FILE_NAME}"
SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"

# Trained on faces of about 10 to 300 px, so that a face filling a large photo is missed or found in pieces.
COARSE_SIDE_PX = 320
COARSE_SHARE = 0.25
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
        height, width = view.shape[:2]
        bgr = np.asarray(cv2.cvtColor(view, cv2.COLOR_RGB2BGR))
        scale = COARSE_SIDE_PX / max(height, width)
        if scale >= 1:
            return self._run(bgr)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        back = (width / size[0], height / size[1])
        coarse = self._run(np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)))
        large = [face.mapped(back) for face in coarse if face.box.side >= COARSE_SHARE * COARSE_SIDE_PX]
        fine = self._run(bgr)
        return large + [face for face in fine if not any(known.box.contains(face.box.centre) for known in large)]

    def _run(self, bgr: np.ndarray) -> list[Face]:
        self._network.setInputSize((bgr.shape[1], bgr.shape[0]))
        _, rows = self._network.detect(bgr)
        if rows is None:
            return []
        # Rows of 15: box, five points, score. The network's sizes are exponentials and may overflow.
        return [_face(row) for row in rows.astype(np.float64) if np.isfinite(row).all() and min(row[2:4]) > 0]


def _face(row: np.ndarray) -> Face:
    landmarks = row[4:14].reshape(5, 2)
    return Face(
        Box(*map(float, row[:4])),
        score=float(np.clip(row[14], 0, 1)),
        landmarks=landmarks,
        roll_deg=roll_of_eyes_deg(tuple(landmarks[0]), tuple(landmarks[1])),
    )


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
