"""Pictures -> an H.264 video in mp4, which every browser plays."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import av
import numpy as np

from core.errors import VideoError
from core.images import require_rgb
from core.video.sound import Sound

TIME_BASE = Fraction(1, 90_000)  # in which every usual frame rate is exact


class VideoWriter:
    """Writes frames of one size to a file or an open binary file; use it as a context manager.

    Sides are made even by leaving out the last row or column, as the format requires. ``rotation_deg`` is stored as
    metadata: the clockwise rotation that sets the frames upright. ``sound`` is copied next to the frames.
    """

    def __init__(
        self,
        target: Path | BinaryIO,
        width: int,
        height: int,
        *,
        crf: int = 23,
        rotation_deg: int = 0,
        sound: Sound | None = None,
    ) -> None:
        self._size = width // 2 * 2, height // 2 * 2
        if min(self._size) < 2:
            raise VideoError(f"a video must be at least 2 px wide and high, got {width} x {height} px")
        self._container = av.open(str(target) if isinstance(target, Path) else target, "w", format="mp4")
        stream = self._container.add_stream("libx264", rate=30, options={"crf": str(crf), "preset": "veryfast"})
        stream.width, stream.height = self._size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = TIME_BASE
        if rotation_deg:
            stream.set_display_rotation(-rotation_deg)
        self._stream = stream
        self._sound = sound
        self._sound_stream = None if sound is None else self._container.add_stream_from_template(sound.stream)

    def write(self, image: np.ndarray, time_s: float) -> None:
        """Add a frame (H, W, 3) uint8 that is shown from ``time_s`` on; times must increase."""
        require_rgb(image)
        width, height = self._size
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image[:height, :width]), format="rgb24")
        frame.pts, frame.time_base = round(time_s / TIME_BASE), TIME_BASE
        self._container.mux(self._stream.encode(frame))
        self._mux_sound(time_s)

    def _mux_sound(self, until_s: float) -> None:
        if self._sound is not None and self._sound_stream is not None:
            for packet in self._sound.until(until_s):
                packet.stream = self._sound_stream
                self._container.mux(packet)

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._container.mux(self._stream.encode(None))
                self._mux_sound(math.inf)
        finally:
            self._container.close()
