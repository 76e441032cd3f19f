"""A video that belongs to a session: analyzed in the background, in memory only, and stopped with the session."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from PIL import Image, ImageOps

from core.caching import Cache
from core.checkpoints import ModelCard
from core.faces import CropMargin, Face, crop
from core.video import Frame, Timeline, VideoJob
from dashboard.plots.face_sheet import FaceSheet, face_sheet

SHOWN_PX = 1280  # longest side of the picture on the page
STRIP_PX = 120
THUMBNAIL_PX = 160
THUMBNAIL_MARGIN = CropMargin(0.25)


class SessionVideo:
    """The analysis of a video and pictures of it. Dropping the object stops the analysis."""

    def __init__(self, job: VideoJob, request: object, cards: Sequence[ModelCard], names: Mapping[str, str]) -> None:
        """``request`` identifies the settings with which the job was started; ``cards`` are those of its networks, and
        ``names`` their titles, because others may be chosen later."""
        self.job, self.request, self.cards, self.names = job, request, tuple(cards), dict(names)
        self.name = job.video.name
        self._pictures = Cache(96)
        self._smoothed: tuple[Timeline, float, Timeline] | None = None
        # The thread refers to the job only, so that this object ends with the session.
        weakref.finalize(self, job.stop)
        job.start()

    @property
    def running(self) -> bool:
        """Whether the analysis has not ended."""
        return self.job.progress.state == "running"

    def stop(self) -> None:
        """End the analysis; what was found stays."""
        self.job.stop()

    def timeline(self, smoothing_s: float) -> Timeline:
        """What was found so far, smoothed."""
        timeline = self.job.timeline()
        if self._smoothed is None or self._smoothed[:2] != (timeline, smoothing_s):
            self._smoothed = timeline, smoothing_s, timeline.smoothed(smoothing_s)
        return self._smoothed[2]

    def frame(self, time_s: float) -> Frame:
        """The frame at a time, for the page. Raises VideoError."""
        return self._pictures.get(("frame", time_s), lambda: self.job.video.frame_at(time_s, max_side_px=SHOWN_PX))

    def strip_picture(self, time_s: float) -> np.ndarray:
        """The frame at a time as a small 16 : 9 picture (h, w, 3) uint8. Raises VideoError."""

        def compute() -> np.ndarray:
            frame = self.job.video.frame_at(time_s, max_side_px=2 * STRIP_PX)
            return np.asarray(ImageOps.fit(Image.fromarray(frame.image), (STRIP_PX, STRIP_PX * 9 // 16)))

        return self._pictures.get(("strip", time_s), compute)

    def hover_sheet(self, start_s: float, end_s: float) -> tuple[list[float], FaceSheet] | None:
        """The frames between two times that are shown under the pointer, with their times; None without any."""

        def compute() -> tuple[list[float], FaceSheet] | None:
            thumbnails = self.job.thumbnails.pictures() if self.job.thumbnails is not None else []
            shown = [(time_s, image) for time_s, image in thumbnails if start_s <= time_s <= end_s]
            if not shown:
                return None
            height, width = shown[0][1].shape[:2]
            return [time_s for time_s, _ in shown], face_sheet([image for _, image in shown], (width, height))

        return self._pictures.get(("hover", start_s, end_s, self.job.progress.frames), compute)

    def face_thumbnail(self, timeline: Timeline, row: int) -> np.ndarray:
        """The face of a row of the timeline, (160, 160, 3) uint8. Raises VideoError."""
        time_s, track = float(timeline.times_s[row]), int(timeline.tracks[row])

        def compute() -> np.ndarray:
            frame = self.frame(time_s)
            face = Face(timeline.box(row), 1.0).mapped((1 / frame.scale, 1 / frame.scale))
            return np.asarray(cv2.resize(crop(frame.image, face, THUMBNAIL_MARGIN), (THUMBNAIL_PX, THUMBNAIL_PX)))

        return self._pictures.get(("face", time_s, track), compute)
