"""Expressions over time, from a video file or a camera."""

from core.video.smoothing import ExponentialSmoothing
from core.video.timeline import GroupTimeline, Timeline, TimelineRecorder

__all__ = ["ExponentialSmoothing", "GroupTimeline", "Timeline", "TimelineRecorder"]
