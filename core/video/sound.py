"""The sound of a video, copied into another file without decoding it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import av
from av.audio.stream import AudioStream
from av.container import InputContainer

from core.video.reader import VideoFile

# Codecs that players support in mp4. Most players are silent for others, such as PCM and Vorbis.
MP4_CODECS = {
    "aac": "AAC",
    "mp3": "MP3",
    "opus": "Opus",
    "flac": "FLAC",
    "alac": "ALAC",
    "ac3": "AC-3",
    "eac3": "E-AC-3",
}


class Sound:
    """The packets of an audio stream in their order; their times begin at ``start_s`` of the container's clock."""

    def __init__(self, container: InputContainer, stream: AudioStream, start_s: float, end_s: float) -> None:
        self.stream = stream
        self._start_s = start_s
        self._packets = self._between(container, start_s, end_s)
        self._next = next(self._packets, None)

    def until(self, time_s: float) -> Iterator[av.Packet[AudioStream]]:
        """The packets up to a time from the start that were not returned before."""
        while self._next is not None and self._next[0] <= time_s:
            yield self._next[1]
            self._next = next(self._packets, None)

    def _between(
        self, container: InputContainer, start_s: float, end_s: float
    ) -> Iterator[tuple[float, av.Packet[AudioStream]]]:
        packets = container.demux(self.stream)
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError:  # the file is truncated; what comes before is kept
                return
            if packet is None:
                return
            if packet.pts is None or packet.time_base is None:
                continue
            time_s = float(packet.pts * packet.time_base)
            if time_s > end_s:
                return
            if time_s >= start_s:
                shift = round(start_s / packet.time_base)
                packet.pts -= shift
                packet.dts = packet.pts if packet.dts is None else packet.dts - shift
                yield time_s - start_s, packet


@contextmanager
def sound_of(
    video: VideoFile, start_s: float = 0.0, end_s: float = math.inf, report: Callable[[str], object] | None = None
) -> Iterator[Sound | None]:
    """The first audio stream between two times from the first frame; None where there is none that mp4 can hold.

    ``report`` receives a sentence about a codec that mp4 cannot hold. Raises VideoError as :meth:`VideoFile.info`.
    """
    with video.opened() as (container, frames):
        stream = next(iter(container.streams.audio), None)
        codec = (
            "unknown" if stream is None or stream.codec_context is None else stream.codec_context.codec.canonical_name
        )
        if stream is not None and codec not in MP4_CODECS and report is not None:
            *titles, last = MP4_CODECS.values()
            report(
                f"The annotated video has no sound: players support {', '.join(titles)} and {last} in mp4, but the "
                f"sound of {video.name} has the codec {codec}; convert it to AAC to keep it."
            )
        if stream is None or codec not in MP4_CODECS:
            yield None
            return
        first_s = float((frames.start_time or 0) * (frames.time_base or 0))
        if start_s > 0:
            try:
                container.seek(round((first_s + start_s) * av.time_base))
            except av.error.FFmpegError:
                container.seek(0)
        yield Sound(container, stream, first_s + start_s, first_s + end_s)
