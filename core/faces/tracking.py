"""Faces over the frames of a video or a camera: which detections show the same face.

Tracks are matched here and not by a package. ``trackers`` (2.6.1) requires ``opencv-python`` 5, which cannot be
installed next to the headless OpenCV; ``supervision`` (0.31.2) no longer contains a tracker; ``norfair`` and ``motpy``
require ``filterpy``, and ``norfair`` also an older NumPy. What is needed of them is one assignment.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from core.faces.face import Box, Face

# A track that was not detected for so long has ended.
MAX_GAP_S = 1.0
# A face is found again within this distance of its predicted center, in sides of its box ...
MAX_DISTANCE = 1.0
# ... and if its side has changed by less than this factor.
MAX_SIZE_RATIO = 2.0
# The weight of the newest displacement in the velocity of a track: detections are a few px off.
VELOCITY_GAIN = 0.5


@dataclass(frozen=True, eq=False)
class TrackedFace:
    """A face in one frame with the number of its track, from 1; ``detected`` is False where it was not searched for."""

    track: int
    face: Face
    detected: bool = True

    def mapped(self, scale: float) -> TrackedFace:
        """The same face in an image that is ``scale`` times as large."""
        return self if scale == 1 else replace(self, face=self.face.mapped((scale, scale)))


@dataclass
class _Track:
    number: int
    face: Face
    time_s: float  # of the last detection
    velocity: tuple[float, float] | None = None  # px per second; None after a single detection
    is_visible: bool = True  # in the last frame with a detection

    def predicted(self, time_s: float) -> Face:
        """The face at another time, moved with the velocity of its track."""
        if self.velocity is None:
            return self.face
        elapsed_s = time_s - self.time_s
        return self.face.mapped((1.0, 1.0), (self.velocity[0] * elapsed_s, self.velocity[1] * elapsed_s))

    def update(self, face: Face, time_s: float) -> None:
        elapsed_s = time_s - self.time_s
        if elapsed_s > 0:
            gain = 1.0 if self.velocity is None else VELOCITY_GAIN
            known = self.velocity or (0.0, 0.0)
            (x, y), (old_x, old_y) = face.box.center, self.face.box.center
            self.velocity = (
                (1 - gain) * known[0] + gain * (x - old_x) / elapsed_s,
                (1 - gain) * known[1] + gain * (y - old_y) / elapsed_s,
            )
        self.face, self.time_s, self.is_visible = face, time_s, True


class Tracker:
    """Numbers the faces of successive frames; a number is never given to another face.

    Each detection is assigned to the track whose predicted face is nearest to it: the assignment with the least sum of
    center distances, in sides of the box, and of ``1 - IoU`` (Bewley et al. 2016, SORT), where a track moves with
    constant velocity. As in ByteTrack (Zhang et al. 2022), an uncertain detection continues a track and begins none.
    A track that is not found for ``max_gap_s`` ends; the same face then gets a new number. Not for several threads.
    """

    def __init__(self, *, max_gap_s: float = MAX_GAP_S) -> None:
        if not max_gap_s >= 0:
            raise ValueError(f"max_gap_s must be at least 0, got {max_gap_s}")
        self.max_gap_s = max_gap_s
        self._tracks: list[_Track] = []
        self._last_number = 0

    def update(self, faces: Sequence[Face] | None, time_s: float) -> tuple[TrackedFace, ...]:
        """The tracked faces of the next frame at ``time_s``, which must not decrease.

        ``faces`` are the detections; those that belong to no track and are uncertain are left out. ``None`` means that
        this frame was not searched: the faces of the last searched frame are returned where they are expected now.
        """
        self._tracks = [track for track in self._tracks if time_s - track.time_s <= self.max_gap_s]
        if faces is None:
            return tuple(
                TrackedFace(track.number, track.predicted(time_s), detected=False)
                for track in self._tracks
                if track.is_visible
            )
        assigned = self._assigned(faces, time_s)
        for track in self._tracks:
            track.is_visible = False
        found = []
        for place, face in enumerate(faces):
            if place in assigned:
                track = assigned[place]
                track.update(face, time_s)
            elif face.uncertain:
                continue
            else:
                self._last_number += 1
                track = _Track(self._last_number, face, time_s)
                self._tracks.append(track)
            found.append(TrackedFace(track.number, face))
        return tuple(found)

    def resume(self, faces: Sequence[TrackedFace], time_s: float, last_number: int) -> None:
        """Take over the faces that were in the picture at ``time_s``, and number new ones after ``last_number``."""
        self._tracks = [_Track(found.track, found.face, time_s) for found in faces]
        self._last_number = last_number

    def end_tracks(self) -> None:
        """End all tracks, because the next frame shows another scene. New tracks have new numbers."""
        self._tracks = []

    def _assigned(self, faces: Sequence[Face], time_s: float) -> dict[int, _Track]:
        """The tracks by the index of the detection that continues them."""
        expected = [track.predicted(time_s).box for track in self._tracks]
        costs = np.array([_cost(box, face.box) for box in expected for face in faces])
        costs = costs.reshape(len(expected), len(faces))
        # The algorithm needs finite numbers; one forbidden pair costs more than all allowed ones together.
        forbidden = 1e6
        rows, columns = linear_sum_assignment(np.minimum(costs, forbidden))
        return {
            int(column): self._tracks[row]
            for row, column in zip(rows, columns, strict=True)
            if costs[row, column] < forbidden
        }


def interpolated(first: TrackedFace, second: TrackedFace, fraction: float) -> TrackedFace:
    """A face between two frames of its track: ``first`` at fraction 0, ``second`` at 1. Its score is the lower one."""
    one, other = first.face, second.face
    landmarks = None
    if one.landmarks is not None and other.landmarks is not None:
        landmarks = one.landmarks + (other.landmarks - one.landmarks) * fraction
    turn_deg = (other.roll_deg - one.roll_deg + 180) % 360 - 180  # the shorter way around
    roll_deg = (one.roll_deg + turn_deg * fraction + 180) % 360 - 180
    nearest = one if fraction < 0.5 else other
    face = replace(
        nearest,
        box=one.box.toward(other.box, fraction),
        landmarks=landmarks,
        roll_deg=roll_deg,
        score=min(one.score, other.score),
    )
    return TrackedFace(first.track, face, detected=False)


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes, 0 to 1."""
    shared = one.shared_area(other)
    return shared / (one.area + other.area - shared)


def _cost(expected: Box, found: Box) -> float:
    """How unlikely it is that a detection shows the expected face; infinite beyond the limits."""
    (x, y), (found_x, found_y) = expected.center, found.center
    distance = math.hypot(found_x - x, found_y - y) / max(expected.side, found.side)
    ratio = max(expected.side, found.side) / min(expected.side, found.side)
    if distance > MAX_DISTANCE or ratio > MAX_SIZE_RATIO:
        return math.inf
    return distance + 1 - overlap(expected, found)
