"""How FER2013 frames its faces, measured, so that the crop of a photo resembles a training image.

A network trained on these frames performs worse on crops that are tighter or wider, and every detector draws its boxes
differently. Each detector is therefore run on the frames themselves: the margin is what has to be added to its box to
obtain the frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from core.faces.cropping import CropMargin
from core.faces.detection import Detector


@dataclass(frozen=True)
class Framing:
    """How ``n`` frames are placed relative to the boxes that a detector finds in them.

    ``margin`` holds the medians, ``quartiles`` the 25th and 75th percentiles of side, dx and dy; ``found`` is the
    fraction of the frames in which a face was found.
    """

    detector: str
    margin: CropMargin
    quartiles: tuple[CropMargin, CropMargin]
    found: float
    n: int


def measure_margin(frames: np.ndarray, detector: Detector) -> Framing:
    """The margin m with box side * (1 + 2 m) = frame side, and the offset of the frame's center in box sides.

    ``frames``: (N, S, S) uint8, each showing one face. If several faces are found in a frame, the first one counts.
    Raises ValueError for other shapes, and if the detector finds no face at all.
    """
    if frames.ndim != 3 or frames.shape[1] != frames.shape[2] or frames.dtype != np.uint8 or not len(frames):
        raise ValueError(
            f"frames must be square and gray, (N, S, S) uint8 with N > 0, got {frames.dtype} {frames.shape}"
        )
    side_px = frames.shape[1]
    rows = []
    for frame in frames:
        faces = detector.detect(np.asarray(cv2.cvtColor(frame, cv2.COLOR_GRAY2RGB)))
        if faces:
            box = faces[0].box
            x, y = box.center
            rows.append(((side_px / box.side - 1) / 2, (side_px / 2 - x) / box.side, (side_px / 2 - y) / box.side))
    if not rows:
        raise ValueError(f"the detector {detector.name!r} found no face in any of the {len(frames)} frames")
    low, median, high = (CropMargin(*map(float, row)) for row in np.percentile(rows, (25, 50, 75), axis=0))
    return Framing(detector.name, median, (low, high), len(rows) / len(frames), len(frames))


# Medians over 3,000 Training frames of FER2013 drawn at random. YuNet (the release of May 2026) found a face in 98 % of
# them, MTCNN in 88 % and the Haar cascade in 74 % (70 % with its present min_score, at the same margin). Half of the
# sides lie within 0.03 of the median with YuNet, 0.05 with MTCNN and 0.04 with Haar. On frames cut to the face itself,
# Haar still draws a box of the same size and YuNet one that is at most 5 % smaller.
MEASURED = {
    "yunet": CropMargin(side=0.006, dx=-0.009, dy=-0.020),
    "mtcnn": CropMargin(side=-0.031, dx=0.007, dy=-0.004),
    "haar": CropMargin(side=0.011, dx=0.000, dy=0.003),
}
