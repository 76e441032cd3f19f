"""Frames -> tracked faces with their predictions, in constant memory.

Faces are searched for in every k-th frame and at both sides of a cut. In the frames between, each face is where its
track leads from one detection to the next, so frames are held until the next detection; the faces of these frames are
predicted in batches.

Reading, searching and predicting run at the same time in separate threads, because a search does not use all cores all
the time, and FFmpeg, OpenCV and PyTorch release Python's global interpreter lock (GIL). Each step waits while the next
one is busy, so memory stays bounded.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain

import cv2
import numpy as np

from core.errors import VideoError
from core.faces import Detector, Face
from core.faces.tracking import MAX_GAP_S, TrackedFace, Tracker, interpolated
from core.inference import FaceAnalysis, Predictor, network_inputs, predict_faces
from core.parallel import parallel_map, read_ahead
from core.video.reader import Frame

DETECT_EVERY = 2
# Frames of an 8K video are 6 MB each after scaling, and three times as many are held at once.
MAX_DETECT_EVERY = 60
BATCH = 16  # faces that one core predicts at a time
# Frames that are decoded before they are needed, which evens out that a search takes longer than the frames between.
FRAMES_AHEAD = 4
# Two frames belong to different scenes if their thumbnails correlate less than this ...
CUT_CORRELATION = 0.25
# ... and differ by more than this in the mean, in gray levels: flat pictures correlate by chance.
CUT_DIFFERENCE = 20.0
THUMBNAIL_PX = (32, 18)


@dataclass(frozen=True, eq=False)
class AnalyzedFrame:
    """One frame with its faces; boxes are in px of ``frame.image``."""

    frame: Frame
    faces: tuple[tuple[TrackedFace, FaceAnalysis], ...]


@dataclass(frozen=True)
class _Searched:
    """A frame with a detection."""

    frame: Frame
    faces: tuple[TrackedFace, ...]


def analyze_frames(
    frames: Iterable[Frame],
    detector: Detector,
    predictors: Sequence[Predictor],
    *,
    detect_every: int = DETECT_EVERY,
    tracker: Tracker | None = None,
) -> Generator[AnalyzedFrame, None, None]:
    """The frames in their order, each with its faces and what the networks predict for them.

    ``tracker`` is given where the frames continue earlier ones.

    At most three times ``detect_every`` frames are held at once, and a few more that were read ahead. A face that is
    found in only one of two searched frames is left out between them, and a cut ends all tracks. Close the iterator to
    end the work before the last frame. Raises VideoError for a ``detect_every`` outside 1 to 60 and NotFiniteError if
    every network returns NaN or infinity.
    """
    require_detect_every(detect_every)
    if not predictors:
        raise ValueError("a video needs at least one network, got none; choose one")
    with (
        closing(read_ahead(frames, FRAMES_AHEAD)) as decoded,
        closing(
            read_ahead(_tracked(decoded, _SearchingTracker(detector, tracker or Tracker()), detect_every), 1)
        ) as tracked,
    ):
        for group in tracked:
            yield from _predicted(group, detector.name, predictors)


def require_detect_every(detect_every: int) -> None:
    """Raises VideoError for a number outside 1 to 60."""
    if not 1 <= detect_every <= MAX_DETECT_EVERY:
        raise VideoError(
            f"expected a detection on every k-th frame with k from 1 to {MAX_DETECT_EVERY}, got {detect_every}"
        )


_Group = list[tuple[Frame, tuple[TrackedFace, ...]]]


def _tracked(frames: Iterable[Frame], tracker: _SearchingTracker, detect_every: int) -> Iterator[_Group]:
    """The frames with their faces, from one search to the next at a time."""
    last: _Searched | None = None
    waiting: list[Frame] = []
    before: np.ndarray | None = None
    for frame in frames:
        thumbnail = _thumbnail(frame.image)
        is_cut = before is not None and _is_cut(before, thumbnail)
        before = thumbnail
        if is_cut:
            if waiting:
                last = yield from _up_to_search(tracker, last, waiting)
            tracker.end_tracks()
            last = None
        waiting.append(frame)
        if last is None or len(waiting) == detect_every:
            last = yield from _up_to_search(tracker, last, waiting)
    if waiting:
        yield from _up_to_search(tracker, last, waiting)


class _SearchingTracker:
    """A detector with a tracker whose tracks survive one frame in which a face was missed."""

    def __init__(self, detector: Detector, tracker: Tracker) -> None:
        self.detector = detector
        self._tracker = tracker
        self._last_s: float | None = None

    def search(self, frame: Frame) -> _Searched:
        if self._last_s is not None:
            self._tracker.max_gap_s = max(MAX_GAP_S, 2.5 * (frame.time_s - self._last_s))
        self._last_s = frame.time_s
        return _Searched(frame, self._tracker.update(self.detector.detect(frame.image), frame.time_s))

    def end_tracks(self) -> None:
        self._tracker.end_tracks()
        self._last_s = None


def _up_to_search(
    tracker: _SearchingTracker, first: _Searched | None, waiting: list[Frame]
) -> Generator[_Group, None, _Searched]:
    """Yield the waiting frames after a search of the last one, which is returned, and empty the list."""
    second = tracker.search(waiting[-1])
    faces = [_between(first, second, frame.time_s) for frame in waiting[:-1]] + [second.faces]
    group = list(zip(waiting, faces, strict=True))
    waiting.clear()
    yield group
    return second


def _between(first: _Searched | None, second: _Searched, time_s: float) -> tuple[TrackedFace, ...]:
    """The faces that are in both searched frames, at a time between them."""
    if first is None:
        return ()
    duration_s = second.frame.time_s - first.frame.time_s
    fraction = (time_s - first.frame.time_s) / duration_s if duration_s > 0 else 0.0
    ends = {found.track: found for found in second.faces}
    return tuple(interpolated(one, ends[one.track], fraction) for one in first.faces if one.track in ends)


def _predicted(frames: _Group, detector: str, predictors: Sequence[Predictor]) -> Iterator[AnalyzedFrame]:
    cards = [p.card for p in predictors]
    pairs = [(frame.image, found.face) for frame, faces in frames for found in faces]

    def predict(batch: list[tuple[np.ndarray, Face]]) -> tuple[FaceAnalysis, ...]:
        inputs = network_inputs(batch, detector, cards)
        return predict_faces([face for _, face in batch], inputs, predictors, keep_features=False)[0]

    batches = parallel_map(predict, [pairs[start : start + BATCH] for start in range(0, len(pairs), BATCH)])
    analyses = chain.from_iterable(batches)
    for frame, faces in frames:
        yield AnalyzedFrame(frame, tuple((found, next(analyses)) for found in faces))


def _thumbnail(image: np.ndarray) -> np.ndarray:
    # Averaging all pixels of a large frame would take as long as decoding it.
    step = max(1, min(image.shape[:2]) // 180)
    small = cv2.resize(image[::step, ::step], THUMBNAIL_PX, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.float64)


def _is_cut(before: np.ndarray, after: np.ndarray) -> bool:
    if np.abs(after - before).mean() <= CUT_DIFFERENCE:
        return False
    one, other = before - before.mean(), after - after.mean()
    norm = float(np.linalg.norm(one) * np.linalg.norm(other))
    return norm == 0 or float((one * other).sum()) / norm < CUT_CORRELATION
