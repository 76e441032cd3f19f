"""The analysis of one video: how far it is, what it has found so far, and how it is stopped."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field

from core.errors import FerscopeError, VideoError
from core.faces import Detector
from core.faces.tracking import Tracker
from core.inference import Predictor
from core.video.analysis import DETECT_EVERY, analyze_frames, require_detect_every
from core.video.reader import Sampling, VideoFile, VideoInfo
from core.video.thumbnails import Thumbnails
from core.video.timeline import Timeline, TimelineRecorder

log = logging.getLogger(__name__)

# An estimate from less time than this is unreliable.
ESTIMATE_AFTER_S = 2.0


@dataclass(frozen=True)
class VideoOptions:
    """How a video is analyzed; ``end_s`` may be infinite. Raises VideoError for values that cannot be used."""

    sampling: Sampling = field(default_factory=lambda: Sampling(per_second=5.0))
    start_s: float = 0.0
    end_s: float = math.inf
    detect_every: int = DETECT_EVERY

    def __post_init__(self) -> None:
        if not (0 <= self.start_s < self.end_s):
            raise VideoError(
                f"expected a start of at least 0 s and an end after it, got {self.part}; choose another start or end"
            )
        require_detect_every(self.detect_every)

    @property
    def part(self) -> str:
        """The part of the video that is analyzed, in words."""
        return f"{self.start_s:g} s to {f'{self.end_s:g} s' if math.isfinite(self.end_s) else 'the end'}"


@dataclass(frozen=True)
class JobProgress:
    """How far an analysis is. ``elapsed_s`` begins anew where it continues another; ``left_s`` is None as long as no
    estimate is possible."""

    frames: int
    fraction: float
    elapsed_s: float
    left_s: float | None
    state: str  # "running", "finished", "stopped" or "failed"


class VideoJob:
    """Analyzes a video in :meth:`run`, or in a thread of its own after :meth:`start`; other threads may read meanwhile.

    What was found before a stop, an error or the end of a damaged file stays available, and another job continues from
    there: ``before`` is the timeline of an earlier one with the same networks and options. ``thumbnails`` receives
    the analyzed frames. Raises VideoError if the video ends before ``options.start_s`` and if ``before`` has other
    networks.
    """

    def __init__(
        self,
        video: VideoFile,
        info: VideoInfo,
        detector: Detector,
        predictors: Sequence[Predictor],
        options: VideoOptions,
        *,
        before: Timeline | None = None,
        thumbnails: Thumbnails | None = None,
    ) -> None:
        if info.duration_s is not None and options.start_s >= info.duration_s:
            raise VideoError(
                f"the video {video.name} ends after {info.duration_s:.1f} s, but the start is set to "
                f"{options.start_s:g} s; choose an earlier start"
            )
        self.video, self.info, self.options = video, info, options
        self.detector_name = detector.name
        self.notes: list[str] = []  # sentences about damaged parts
        self.error: FerscopeError | None = None
        self.thumbnails = thumbnails
        self._detector, self._predictors = detector, tuple(p.for_background() for p in predictors)
        self._recorder = TimelineRecorder({p.model_id: p.card.labels for p in predictors})
        self._lock = threading.Lock()
        self._stop, self._done = threading.Event(), threading.Event()
        self._state = "running"
        self._frames, self._time_s = 0, options.start_s
        self._tracker = Tracker()
        if before is not None and len(before.frame_times_s):
            self._recorder.add_timeline(before)
            self._frames, self._time_s = len(before.frame_times_s), float(before.frame_times_s[-1])
            # The timeline is in px of the video, the tracker in px of the frames that are analyzed.
            last_faces = [found.mapped(1 / info.frame_scale) for found in before.last_faces()]
            self._tracker.resume(last_faces, self._time_s, max(before.track_numbers, default=0))
        self.continued_at = self._frames  # the number of frames that an earlier job analyzed
        self._first_s = self._time_s
        self._started = self._ended = time.monotonic()
        self._snapshot: tuple[int, Timeline] | None = None

    def start(self) -> None:
        """Run in a thread that ends with the program."""
        self._done.clear()
        threading.Thread(target=self.run, name="video", daemon=True).start()

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until the analysis has ended, at most ``timeout_s``."""
        self._done.wait(timeout_s)

    def stop(self) -> None:
        """End the analysis after the frames that are analyzed now."""
        self._stop.set()

    def run(self) -> None:
        """Analyze the video to its end. An error is stored in ``error`` and not raised."""
        state = "failed"
        try:
            state = self._analyze()
        except FerscopeError as error:
            self.error = error
        except Exception:
            log.exception("the analysis of a video ended")
            self.error = VideoError("the analysis ended because of an error in FERscope; the log has the details")
        finally:
            self._ended = time.monotonic()
            self._state = state
            self._done.set()
            self._detector, self._predictors = None, ()  # type: ignore[assignment]  # the job outlives its networks

    def _analyze(self) -> str:
        options = self.options
        # The last frame before is read again: sampling and tracks continue from it.
        frames = self.video.frames(
            options.sampling, start_s=self._first_s, end_s=options.end_s, report=self.notes.append
        )
        analyzed = analyze_frames(
            frames, self._detector, self._predictors, detect_every=options.detect_every, tracker=self._tracker
        )
        with closing(analyzed):
            for item in analyzed:
                if self._frames == self.continued_at > 0 and item.frame.time_s <= self._first_s + 1e-6:
                    continue
                if self.thumbnails is not None:
                    self.thumbnails.add(item.frame)
                scale = item.frame.scale
                with self._lock:
                    self._recorder.add_frame(item.frame.time_s)
                    for found, analysis in item.faces:
                        self._recorder.add(found.mapped(scale), analysis.predictions)
                    self._frames += 1
                    self._time_s = item.frame.time_s
                if self._stop.is_set():
                    return "stopped"
        if not self._frames:
            raise VideoError(f"the video {self.video.name} has no frame from {options.part}; choose a longer part")
        return "finished"

    @property
    def progress(self) -> JobProgress:
        """How far the analysis is now."""
        running = self._state == "running"
        elapsed_s = (time.monotonic() if running else self._ended) - self._started
        start_s = self.options.start_s
        end_s = min(self.options.end_s, self.info.duration_s or math.inf)
        # A duration in a header may be wrong; the bar then waits at its end.
        known = math.isfinite(end_s) and end_s > start_s
        fraction, first = (
            min(max((at_s - start_s) / (end_s - start_s), 0.0), 0.99) if known else 0.0
            for at_s in (self._time_s, self._first_s)
        )
        if self._state == "finished":
            fraction = 1.0
        left_s = None
        if running and fraction > first and elapsed_s >= ESTIMATE_AFTER_S:
            left_s = elapsed_s * (1 - fraction) / (fraction - first)
        return JobProgress(self._frames, fraction, elapsed_s, left_s, self._state)

    @property
    def reached_s(self) -> float:
        """The time of the last analyzed frame."""
        return self._time_s

    def timeline(self) -> Timeline:
        """What was found so far; the same object as long as nothing was added."""
        with self._lock:
            if self._snapshot is None or self._snapshot[0] != self._frames:
                self._snapshot = self._frames, self._recorder.timeline()
            return self._snapshot[1]
