"""A short video made of the bundled portraits, for trying FERscope."""

from __future__ import annotations

import io
import math

import cv2
import numpy as np

from core import images
from core.sample_photos import sample_photos
from core.video.writer import VideoWriter

WIDTH, HEIGHT, FRAMES_PER_SECOND = 640, 360, 12
TITLE = "Two portraits in motion"
CREDIT = "Made of the public-domain portraits of Eileen Collins (NASA) and Grace Hopper (U.S. Navy)"


def sample_clip() -> bytes:
    """An mp4 file of 9 seconds: both portraits in motion, then a cut, and one of them turning and getting dark."""
    photos = sample_photos()
    both, one = (images.decode(photos[name].data) for name in ("two_faces", "eileen_collins"))
    file = io.BytesIO()
    with VideoWriter(file, WIDTH, HEIGHT) as writer:
        for number in range(9 * FRAMES_PER_SECOND):
            time_s = number / FRAMES_PER_SECOND
            writer.write(_first_scene(both, time_s) if time_s < 4 else _second_scene(one, time_s - 4), time_s)
    return file.getvalue()


def _first_scene(photo: np.ndarray, time_s: float) -> np.ndarray:
    center = 0.5 + 0.035 * math.sin(1.3 * time_s), 0.285 + 0.012 * math.cos(1.7 * time_s)
    return _view(photo, 1.14 + 0.04 * math.sin(time_s), center, 0.0)


def _second_scene(photo: np.ndarray, time_s: float) -> np.ndarray:
    center = 0.5 + 0.05 * math.sin(1.4 * time_s), 0.33
    picture = _view(photo, 1.3, center, 9 * math.sin(1.6 * time_s))
    light = 1 - 0.75 * max(0.0, math.sin((time_s - 2) * math.pi / 3))
    return np.asarray(picture * light, np.uint8)


def _view(photo: np.ndarray, zoom: float, center: tuple[float, float], turn_deg: float) -> np.ndarray:
    """The part of a photo around ``center``, (x, y) in widths of the photo, turned clockwise; at a zoom of 1 the photo
    is as wide as the frame."""
    width = photo.shape[1]
    scale = zoom * WIDTH / width
    x, y = center[0] * width, center[1] * width
    matrix = cv2.getRotationMatrix2D((x, y), -turn_deg, scale)
    matrix[:, 2] += (WIDTH / 2 - x, HEIGHT / 2 - y)
    return np.asarray(cv2.warpAffine(photo, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT))
