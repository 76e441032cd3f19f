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
# The centers of the eyes (x, y) in px of each portrait, the left one on the picture first.
EYES = {
    "grace_hopper": ((225.1, 191.6), (309.0, 188.8)),
    "eileen_collins": ((203.8, 101.9), (248.0, 104.2)),
}
CREDIT = "Made of the public-domain portraits of Eileen Collins (NASA) and Grace Hopper (U.S. Navy)"


def sample_clip(frames_per_second: int = FRAMES_PER_SECOND) -> bytes:
    """An mp4 file of 9 seconds: both portraits in motion, then a cut, and one face that dissolves into the other and
    back."""
    photos = {name: images.decode(photo.data) for name, photo in sample_photos().items()}
    file = io.BytesIO()
    with VideoWriter(file, WIDTH, HEIGHT) as writer:
        for number in range(9 * frames_per_second):
            time_s = number / frames_per_second
            picture = _first_scene(photos["two_faces"], time_s) if time_s < 4 else _second_scene(photos, time_s - 4)
            writer.write(picture, time_s)
    return file.getvalue()


def _first_scene(photo: np.ndarray, time_s: float) -> np.ndarray:
    center = 0.5 + 0.035 * math.sin(1.3 * time_s), 0.285 + 0.012 * math.cos(1.7 * time_s)
    return _view(photo, 1.14 + 0.04 * math.sin(time_s), center, 0.0)


def _second_scene(photos: dict[str, np.ndarray], time_s: float) -> np.ndarray:
    turn_deg = 4 * math.sin(1.6 * time_s)
    center = 312 + 6 * math.sin(1.4 * time_s), 135 + 4 * math.cos(1.9 * time_s)
    one, other = (_with_eyes_at(photos[name], EYES[name], center, turn_deg) for name in EYES)
    share = 0.5 - 0.5 * math.cos(2 * math.pi * time_s / 5)
    return np.asarray(cv2.addWeighted(one, 1 - share, other, share, 0))


def _with_eyes_at(
    photo: np.ndarray, eyes: tuple[tuple[float, float], ...], center: tuple[float, float], turn_deg: float
) -> np.ndarray:
    """The photo with its eyes around ``center`` px of the frame, at a distance of 110 px, turned clockwise."""
    first, second = np.array(eyes)
    across = second - first
    x, y = (first + second) / 2
    tilt_deg = math.degrees(math.atan2(across[1], across[0]))
    matrix = cv2.getRotationMatrix2D((x, y), tilt_deg - turn_deg, 110 / float(np.hypot(*across)))
    matrix[:, 2] += (center[0] - x, center[1] - y)
    return np.asarray(cv2.warpAffine(photo, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT))


def _view(photo: np.ndarray, zoom: float, center: tuple[float, float], turn_deg: float) -> np.ndarray:
    """The part of a photo around ``center``, (x, y) in widths of the photo, turned clockwise; at a zoom of 1 the photo
    is as wide as the frame."""
    width = photo.shape[1]
    scale = zoom * WIDTH / width
    x, y = center[0] * width, center[1] * width
    matrix = cv2.getRotationMatrix2D((x, y), -turn_deg, scale)
    matrix[:, 2] += (WIDTH / 2 - x, HEIGHT / 2 - y)
    return np.asarray(cv2.warpAffine(photo, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT))
