"""Videos as upright frames with their times, read with PyAV.

PyAV is a requirement and not an extra: its wheel has 36 MB, contains FFmpeg and needs nothing else of the system, while
PyTorch alone has over 180 MB.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from core.errors import VideoError
from core.parallel import core_count
from core.video.frame_images import clockwise_deg, reduction, square_size, stated_size, upright_image

SUFFIXES = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi")
# Frames are scaled to this longest side while they are converted to RGB: a frame of an 8K video has 100 MB.
MAX_SIDE_PX = 1920
MAX_THREADS = 4
# FFmpeg also reads playlists, which name other files and addresses; only files that contain their frames are opened.
OPTIONS = {"format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi", "protocol_whitelist": "file"}
# A header states a wrong duration if the frames end this much earlier, as a fraction and in seconds.
MISSING_SHARE, MISSING_S = 0.1, 1.0

Report = Callable[[str], object]


@dataclass(frozen=True)
class VideoInfo:
    """What the header of a video and its first frame state."""

    width: int  # px, upright and with square pixels
    height: int
    rotation_deg: int  # clockwise, from the stored to the upright frame: 0, 90, 180 or 270
    duration_s: float | None  # None if the header does not state it
    frames_per_second: float | None  # the mean; None if the header does not state it
    codec: str

    @property
    def frame_scale(self) -> float:
        """The ``scale`` of the frames that :meth:`VideoFile.frames` returns by default."""
        return reduction(self.width, self.height, MAX_SIDE_PX)


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a video."""

    time_s: float  # from the first frame
    image: np.ndarray  # (H, W, 3) uint8, upright
    scale: float = 1.0  # px of the video per px of ``image``


@dataclass(frozen=True)
class Sampling:
    """Which frames are analyzed: every ``every``-th one, or at most ``per_second`` of each second."""

    every: int = 1
    per_second: float | None = None

    def __post_init__(self) -> None:
        if self.every < 1:
            raise VideoError(f"expected every n-th frame with n of at least 1, got {self.every}")
        if self.per_second is not None and not (0 < self.per_second < math.inf):
            raise VideoError(f"expected more than 0 frames per second, got {self.per_second}")


class VideoFile:
    """A video in a file or in memory. Each call opens it again, so several threads may read it at once."""

    def __init__(self, source: Path | bytes, name: str = "") -> None:
        self._source = source
        self.name = name or (source.name if isinstance(source, Path) else "video")

    def info(self) -> VideoInfo:
        """Raises VideoError for a file that is not a video or has no frame that can be decoded."""
        with self.opened() as (container, stream):
            first = next(_frames(container, stream), None)
            if first is None:
                raise VideoError(f"expected frames in {self.name}, but none can be decoded; export the video again")
            width, height = square_size(first, stream)
            rotation_deg = clockwise_deg(first)
            if rotation_deg in (90, 270):
                width, height = height, width
            rate = stream.average_rate
            return VideoInfo(
                width,
                height,
                rotation_deg,
                _duration_s(container, stream),
                float(rate) if rate and 0 < rate < 1000 else None,
                stream.codec_context.name,
            )

    def frames(
        self,
        sampling: Sampling = Sampling(),
        *,
        start_s: float = 0.0,
        end_s: float = math.inf,
        max_side_px: int | None = MAX_SIDE_PX,
        report: Report | None = None,
    ) -> Iterator[Frame]:
        """The sampled frames from ``start_s`` to ``end_s`` in the order of their times; one frame is held at a time.

        Times are those of the file, so a variable frame rate is kept. ``report`` receives one sentence about damaged
        parts and about a file that ends early; the frames before are returned. Raises VideoError as :meth:`info`.
        """
        with self.opened() as (container, stream):
            damage, size = _Damage(), stated_size(stream)
            last_s, step_s, next_s, number = -math.inf, 0.0, start_s, 0
            for decoded in _frames(container, stream, start_s, damage):
                time_s = _time_s(decoded, stream, last_s)
                step_s, last_s = (0.0 if math.isinf(last_s) else time_s - last_s), time_s
                if time_s < start_s - 1e-6:
                    continue
                if time_s > end_s:
                    break
                if sampling.per_second is None:
                    is_sampled = number % sampling.every == 0
                else:
                    # Half a millisecond covers containers that store times in ms.
                    is_sampled = time_s >= next_s - 5e-4
                    if is_sampled:
                        next_s = max(next_s + 1 / sampling.per_second, time_s + 0.5 / sampling.per_second)
                number += 1
                if is_sampled:
                    yield Frame(time_s, *upright_image(decoded, stream, max_side_px, size))
            else:  # read to the end
                _report_missing(_duration_s(container, stream), last_s + step_s, end_s, damage, report)

    def frame_at(self, time_s: float, *, max_side_px: int | None = None) -> Frame:
        """The frame shown at a time: the last one that begins by then, at the resolution of the video by default.

        Raises VideoError if there is none.
        """
        with self.opened() as (container, stream):
            found, size = None, stated_size(stream)
            last_s = -math.inf
            for decoded in _frames(container, stream, time_s):
                frame_s = _time_s(decoded, stream, last_s)
                if frame_s > time_s + 1e-6 and found is not None:
                    break
                found, last_s = decoded, frame_s
            if found is None:
                raise VideoError(f"the video {self.name} has no frame at {time_s:.2f} s; choose an earlier time")
            return Frame(last_s, *upright_image(found, stream, max_side_px, size))

    @contextmanager
    def opened(self) -> Iterator[tuple[InputContainer, VideoStream]]:
        """The open file and its first video stream. Raises VideoError for a file that is not a video."""
        with closing(self._bytes()) as file:
            try:
                # Given as an open file, because FFmpeg would take some file names for addresses.
                container = av.open(file, mode="r", options=OPTIONS, metadata_errors="replace")
            except av.error.FFmpegError as error:
                formats = ", ".join(suffix[1:] for suffix in SUFFIXES)
                raise VideoError(
                    f"expected a video ({formats}), but {self.name} is another kind of file, truncated or damaged; "
                    "export or copy it again"
                ) from error
            with closing(container):
                # The cover of a song is a video stream, too.
                pictures = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
                if not pictures:
                    kinds = " and ".join(sorted({s.type for s in container.streams} - {"video"}))
                    found = f"only {kinds}" if kinds else "no stream"
                    raise VideoError(f"expected a video, but {self.name} contains {found}; choose a file with pictures")
                stream = pictures[0]
                if stream.codec_context is None:
                    raise VideoError(f"the codec of {self.name} is unknown; export the video as H.264")
                stream.thread_type = "AUTO"
                stream.codec_context.thread_count = min(MAX_THREADS, core_count())
                yield container, stream

    def _bytes(self) -> BinaryIO:
        if isinstance(self._source, Path):
            try:
                file: BinaryIO = self._source.open("rb")
            except OSError as error:
                raise VideoError(
                    f"the video {self.name} cannot be read: {error.strerror}; choose another file"
                ) from error
        else:
            file = io.BytesIO(self._source)
        if not file.read(1):
            file.close()
            raise VideoError(f"expected a video, but {self.name} is empty (0 bytes); choose another file")
        file.seek(0)
        return file


@dataclass
class _Damage:
    packets: int = 0  # that could not be decoded
    ended: bool = False  # by an error before the end of the file


def _frames(
    container: InputContainer, stream: VideoStream, start_s: float = 0.0, damage: _Damage | None = None
) -> Iterator[av.VideoFrame]:
    """The decoded frames from the last key frame before ``start_s`` on; damaged packets are skipped and counted."""
    damage = damage or _Damage()
    if start_s > 0 and stream.time_base:
        # Without an index the file is read from its beginning instead.
        offset = round(start_s / stream.time_base) + (stream.start_time or 0)
        try:
            container.seek(offset, stream=stream)
        except av.error.FFmpegError:
            container.seek(0)
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.error.FFmpegError:
            damage.ended = True
            return
        try:
            yield from packet.decode()
        except av.error.EOFError:
            return
        except av.error.FFmpegError:
            damage.packets += 1


def _time_s(frame: av.VideoFrame, stream: VideoStream, last_s: float) -> float:
    """Seconds from the beginning of the stream; never before the previous frame."""
    if frame.pts is None or not stream.time_base:
        step = 1 / float(stream.average_rate) if stream.average_rate else 0.04
        return 0.0 if math.isinf(last_s) else last_s + step
    return max(float((frame.pts - (stream.start_time or 0)) * stream.time_base), last_s)


def _duration_s(container: InputContainer, stream: VideoStream) -> float | None:
    if stream.duration and stream.time_base:
        duration = float(stream.duration * stream.time_base)
    elif container.duration:
        duration = container.duration / av.time_base
    else:
        return None
    return duration if duration > 0 else None


def _report_missing(
    duration_s: float | None, last_s: float, end_s: float, damage: _Damage, report: Report | None
) -> None:
    if report is None:
        return
    expected_s = min(duration_s or 0.0, end_s)
    if expected_s - last_s > max(MISSING_S, MISSING_SHARE * expected_s):
        report(
            f"The frames end at {max(last_s, 0):.1f} s, although the file states a duration of {duration_s:.1f} s; it "
            "is truncated, or its header is wrong."
        )
    elif damage.ended:
        report(f"The file is damaged after {max(last_s, 0):.1f} s; what comes later cannot be read.")
    if damage.packets:
        parts = "1 damaged part" if damage.packets == 1 else f"{damage.packets} damaged parts"
        report(f"Skipped {parts} of the file.")
