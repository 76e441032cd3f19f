"""Small pictures of the analyzed frames of a video, of which only so many are kept."""

from __future__ import annotations

import threading

import cv2
import numpy as np

from core.video.reader import Frame

MAX_PICTURES = 120
LONGEST_PX = 128


class Thumbnails:
    """At most 120 small pictures at about equal distances, whatever the length of the video: about 4 MB.

    When there are more, every second one is dropped and from then on half as many are added. Safe in several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pictures: list[tuple[float, np.ndarray]] = []
        self._every, self._number = 1, 0

    def add(self, frame: Frame) -> None:
        """Keep a picture of the next analyzed frame, unless enough are kept around it."""
        with self._lock:
            if self._number % self._every == 0:
                height, width = frame.image.shape[:2]
                scale = min(1.0, LONGEST_PX / max(height, width))
                size = max(1, round(width * scale)), max(1, round(height * scale))
                small = cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA)
                self._pictures.append((frame.time_s, np.asarray(small)))
                if len(self._pictures) > MAX_PICTURES:
                    self._pictures = self._pictures[::2]
                    self._every *= 2
            self._number += 1

    def pictures(self) -> list[tuple[float, np.ndarray]]:
        """The kept pictures with the times of their frames, in their order."""
        with self._lock:
            return list(self._pictures)
