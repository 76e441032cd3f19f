"""The frames of a video with the boxes, track numbers and expressions of a timeline drawn on them."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from core.errors import VideoError
from core.faces import Box
from core.inference import ENSEMBLE
from core.video.reader import Sampling, VideoFile
from core.video.sound import sound_of
from core.video.timeline import GroupTimeline, Timeline
from core.video.writer import VideoWriter

LIGHT, DARK = (255, 255, 255), (20, 30, 34)


def write_annotated(
    video: VideoFile,
    timeline: Timeline,
    target: Path | BinaryIO,
    *,
    group: GroupTimeline | None = None,
    name: str = ENSEMBLE,
    start_s: float = 0.0,
    end_s: float = math.inf,
    report_time: Callable[[float], object] | None = None,
    report: Callable[[str], object] | None = None,
) -> int:
    """Write all frames of a video with the faces of a timeline as H.264 in mp4, with its sound; returns their number.

    The labels are those of ``name`` in a group of the timeline, without one the largest. ``report_time`` receives the
    time of each written frame, and ``report`` a sentence if the sound cannot be copied; the video is then written
    without. Raises VideoError for a video without frames there.
    """
    shown_group = timeline.groups[0] if group is None else group
    tracks = [_TrackBoxes(timeline, track, shown_group, name) for track in timeline.track_numbers]
    count = 0
    last_s = -math.inf
    with ExitStack() as stack:
        sound = stack.enter_context(sound_of(video, start_s, end_s, report))
        writer = None
        for frame in video.frames(Sampling(), start_s=start_s, end_s=end_s):
            if frame.time_s <= last_s:
                continue  # two frames at one time cannot be stored
            if writer is None:
                height, width = frame.image.shape[:2]
                writer = stack.enter_context(VideoWriter(target, width, height, sound=sound))
            for track in tracks:
                shown = track.at(frame.time_s)
                if shown is not None:
                    draw_face(frame.image, *shown, scale=frame.scale)
            writer.write(frame.image, frame.time_s - start_s)
            last_s, count = frame.time_s, count + 1
            if report_time is not None:
                report_time(frame.time_s)
    if not count:
        raise VideoError(f"{video.name} has no frames between {start_s:.1f} s and {end_s:.1f} s; choose another range")
    return count


class _TrackBoxes:
    """The box and the label of one track at any time.

    Between two analyzed frames the box moves in a straight line; over longer gaps there is none.
    """

    def __init__(self, timeline: Timeline, track: int, group: GroupTimeline, name: str) -> None:
        self._rows = np.flatnonzero(timeline.tracks == track)
        self._timeline, self._group, self._name = timeline, group, name
        self._times_s = timeline.times_s[self._rows]
        self._max_gap_s = timeline.max_gap_s

    def at(self, time_s: float) -> tuple[Box, str] | None:
        """None where the track is not in the picture."""
        after = int(np.searchsorted(self._times_s, time_s, side="right"))
        if after == 0:
            return None
        row = int(self._rows[after - 1])
        box, text = self._timeline.box(row), face_label(self._timeline, row, self._group, self._name)
        if time_s - self._times_s[after - 1] < 1e-6:
            return box, text
        if after == len(self._times_s) or self._times_s[after] - self._times_s[after - 1] > self._max_gap_s:
            return None
        share = (time_s - self._times_s[after - 1]) / (self._times_s[after] - self._times_s[after - 1])
        other = self._timeline.box(int(self._rows[after]))
        return box.toward(other, share), text


def face_label(timeline: Timeline, row: int, group: GroupTimeline, name: str) -> str:
    """``1: happy 87 %``, from a network or the ensemble of a group; without a prediction only the number."""
    probabilities = group.of(name)[row]
    number = str(int(timeline.tracks[row]))
    if np.isnan(probabilities).any():
        return number
    top = int(probabilities.argmax())
    return f"{number}: {group.labels.classes[top]} {100 * probabilities[top]:.0f} %"


def draw_face(image: np.ndarray, box: Box, text: str, *, scale: float = 1.0) -> None:
    """Draw a box in px of the video and its label on a frame (H, W, 3) uint8, one px of which is ``scale`` px of it."""
    height, width = image.shape[:2]
    line_px = max(1, round(min(width, height) / 240))
    first = round(box.left / scale), round(box.top / scale)
    last = round((box.left + box.width) / scale), round((box.top + box.height) / scale)
    # A light line on a dark one is visible on every background.
    cv2.rectangle(image, first, last, DARK, line_px + 2)
    cv2.rectangle(image, first, last, LIGHT, line_px)
    label = _label(text, max(12, round(min(width, height) / 26)))
    left = min(max(first[0], 0), max(width - label.shape[1], 0))
    top = first[1] - label.shape[0] - line_px
    if top < 0:
        top = min(last[1] + line_px, height - label.shape[0])
    part = image[max(top, 0) : max(top, 0) + label.shape[0], left : left + label.shape[1]]
    part[:] = label[: part.shape[0], : part.shape[1]]


@lru_cache(maxsize=256)
def _label(text: str, size_px: int) -> np.ndarray:
    """Light text on a dark ground, (h, w, 3) uint8."""
    font = ImageFont.load_default(size_px)
    left, top, right, bottom = font.getbbox(text)
    pad = size_px // 4
    picture = Image.new("RGB", (round(right - left) + 2 * pad, round(bottom - top) + 2 * pad), DARK)
    ImageDraw.Draw(picture).text((pad - left, pad - top), text, font=font, fill=LIGHT)
    return np.asarray(picture)
