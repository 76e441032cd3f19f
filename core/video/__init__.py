"""Expressions over time, from a video file or a camera."""

from core.video.analysis import DETECT_EVERY, MAX_DETECT_EVERY, AnalyzedFrame, analyze_frames
from core.video.job import JobProgress, VideoJob, VideoOptions
from core.video.reader import SUFFIXES, Frame, Sampling, VideoFile, VideoInfo
from core.video.smoothing import ExponentialSmoothing
from core.video.thumbnails import Thumbnails
from core.video.timeline import GroupTimeline, Timeline, TimelineRecorder

__all__ = [
    "DETECT_EVERY",
    "MAX_DETECT_EVERY",
    "SUFFIXES",
    "AnalyzedFrame",
    "ExponentialSmoothing",
    "Frame",
    "GroupTimeline",
    "JobProgress",
    "Sampling",
    "Thumbnails",
    "Timeline",
    "TimelineRecorder",
    "VideoFile",
    "VideoInfo",
    "VideoJob",
    "VideoOptions",
    "analyze_frames",
]
