"""YuNet: a small network for faces in many poses, with five landmarks.

Wu, Peng and Yu, *YuNet: A Tiny Millisecond-level Face Detector*, Machine Intelligence Research 2023.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import cv2
import numpy as np

from core.errors import DetectorUnavailableError
from core.faces.detection import Detector, register_detector
from core.faces.face import Box, Face, roll_of
from core.faces.scaling import resized

PATH_VARIABLE = "FERSCOPE_YUNET"
FILE_NAME = "face_detection_yunet_2023mar.onnx"
SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
# Pinned revisions of the two places where OpenCV publishes the file.
URLS = (
    f"https://github.com/opencv/opencv_zoo/raw/4.10.0/models/face_detection_yunet/{FILE_NAME}",
    f"https://huggingface.co/opencv/face_detection_yunet/resolve/3cc26e7f1014a5ee5d74a42acee58bafc9d0a310/{FILE_NAME}",
)
# Seconds to connect and to wait for data. Short, because "auto" tries to fetch the file on machines without a network.
TIMEOUT_S = (3.05, 20)

# YuNet was trained on faces of about 10 to 300 px: a face filling a large photo is missed or found in pieces.
COARSE_SIDE_PX = 320
COARSE_SHARE = 0.25
# The landmarks follow a rotated face only if it has about 170 to 260 px; below 130 px they hardly rotate with it.
CLOSE_FACE_PX = 220
CLOSE_VIEW_SIDES = 1.6
OVERLAP = 0.3
MAX_CANDIDATES = 5000


class _Passes(NamedTuple):
    """The network once for each kind of pass, because OpenCV prepares it again whenever the size of its input changes:
    for photos of one size, that is a quarter of the time."""

    coarse: cv2.FaceDetectorYN
    full: cv2.FaceDetectorYN
    close: cv2.FaceDetectorYN


@register_detector("yunet", title="YuNet", preference=1)
class YuNetDetector(Detector):
    """Faces in many poses and difficult light by a small network; downloads 230 kB on first use (Wu et al. 2023).

    The model file is ``path``, otherwise the file named by the environment variable FERSCOPE_YUNET, otherwise the one
    of OpenCV Zoo, fetched once into the user's cache folder and checked against its SHA-256. Raises
    DetectorUnavailableError.
    """

    sure_score = 0.75
    # 89 % of 300 upright FER2013 frames reach this score, 1 % of the sideways and 13 % of the inverted ones.
    upright_score = 0.88

    def __init__(self, path: Path | str | None = None, *, min_score: float = 0.6) -> None:
        self._path = path or os.environ.get(PATH_VARIABLE) or None
        super().__init__(min_score=min_score)

    def _load(self) -> _Passes:
        return _Passes(*(_loaded(self._path, self.min_score) for _ in _Passes._fields))

    def _find(self, view: np.ndarray, model: _Passes) -> list[Face]:
        bgr = np.asarray(cv2.cvtColor(view, cv2.COLOR_RGB2BGR))
        return [self._detected_again(face, bgr, model) for face in self._detected_at_two_sizes(bgr, model)]

    def _detected_at_two_sizes(self, bgr: np.ndarray, model: _Passes) -> list[Face]:
        scale = COARSE_SIDE_PX / max(bgr.shape[:2])
        if scale >= 1:
            return self._run(model.full, bgr)
        large = [
            face
            for face in self._run(model.coarse, bgr, scale)
            if face.box.side * scale >= COARSE_SHARE * COARSE_SIDE_PX
        ]
        return large + [
            face
            for face in self._run(model.full, bgr)
            if not any(known.box.contains(face.box.center) for known in large)
        ]

    def _detected_again(self, face: Face, bgr: np.ndarray, model: _Passes) -> Face:
        """The same face found again at the size that suits the network, or as it is where it is not found."""
        (x, y), reach = face.box.center, face.box.side * CLOSE_VIEW_SIDES / 2
        left, top = max(0, int(x - reach)), max(0, int(y - reach))
        around = bgr[top : max(0, math.ceil(y + reach)), left : max(0, math.ceil(x + reach))]
        if not around.size:
            return face
        close = self._run(model.close, around, CLOSE_FACE_PX / face.box.side)
        again = [found.mapped((1, 1), (left, top)) for found in close]
        again = [found for found in again if face.box.contains(found.box.center)]
        return min(again, key=lambda found: math.dist(found.box.center, (x, y)), default=face)

    def _run(self, network: cv2.FaceDetectorYN, bgr: np.ndarray, scale: float = 1.0) -> list[Face]:
        """One pass over a picture scaled first; faces in px of the picture as given."""
        height, width = bgr.shape[:2]
        scaled = resized(bgr, max(1, round(width * scale)), max(1, round(height * scale)))
        network.setInputSize((scaled.shape[1], scaled.shape[0]))
        _, rows = network.detect(scaled)
        if rows is None:
            return []
        back = (width / scaled.shape[1], height / scaled.shape[0])
        # Rows of 15: box, five points, score. The network's sizes are exponentials and may overflow.
        sound = [row for row in rows.astype(np.float64) if np.isfinite(row).all() and min(row[2:4]) > 0]
        return [_face(row).mapped(back) for row in sound]


def _face(row: np.ndarray) -> Face:
    landmarks = row[4:14].reshape(5, 2)
    return Face(Box(*map(float, row[:4])), float(np.clip(row[14], 0, 1)), landmarks, roll_of(landmarks))


def _loaded(path: Path | str | None, min_score: float) -> cv2.FaceDetectorYN:
    file = Path(path).expanduser() if path else _fetched()
    try:
        # From memory, because OpenCV cannot open every file name.
        return cv2.FaceDetectorYN.create(
            "onnx",
            np.frombuffer(file.read_bytes(), np.uint8),
            np.empty(0, np.uint8),
            (COARSE_SIDE_PX, COARSE_SIDE_PX),
            score_threshold=min_score,
            nms_threshold=OVERLAP,
            top_k=MAX_CANDIDATES,
        )
    except cv2.error as error:
        raise DetectorUnavailableError(
            f"{file.name} is not a YuNet model that OpenCV {cv2.__version__} can read; use {FILE_NAME} of OpenCV Zoo"
        ) from error
    except OSError as error:
        raise DetectorUnavailableError(
            f"expected YuNet's model file at {file}, but it cannot be read ({error.strerror}); correct the path, or "
            f"unset {PATH_VARIABLE} to have the file fetched"
        ) from error


def _fetched() -> Path:
    """The official file in the user's cache folder, fetched if it is missing there or damaged."""
    import pooch  # not on a machine that only trains

    pooch.get_logger().setLevel("ERROR")
    downloader = pooch.HTTPDownloader(timeout=TIMEOUT_S)
    problems = []
    for url in URLS:
        try:
            return Path(pooch.retrieve(url, SHA256, FILE_NAME, cache_folder(), downloader=downloader))
        except (OSError, ValueError) as error:  # no connection or no write access; not the expected file
            problems.append(f"{urlsplit(url).hostname}: {type(error).__name__}")
    raise DetectorUnavailableError(
        f"YuNet's model file is not on this machine and could not be fetched ({'; '.join(problems)}); download "
        f"{URLS[0]} and name the file in the environment variable {PATH_VARIABLE}, or use the detector mtcnn"
    )


def cache_folder() -> Path:
    """Where the fetched file is stored: ``ferscope`` in the user's cache folder."""
    import pooch

    return Path(os.environ.get("XDG_CACHE_HOME") or pooch.os_cache("")) / "ferscope"
