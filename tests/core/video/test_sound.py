"""The annotated video keeps the sound of its source."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest

from core.labels import FER7
from core.video import TimelineRecorder, VideoFile
from core.video.annotation import write_annotated

RATE = 48_000


def with_tone(container: str, video_codec: str, audio_codec: str, seconds: int = 4) -> bytes:
    """Gray frames, ten a second, and a tone that is silent in the first half."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as written:
        pictures = written.add_stream(video_codec, rate=10)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        sound = written.add_stream(audio_codec, rate=RATE, layout="mono")
        for number in range(10 * seconds):
            image = np.full((48, 64, 3), 5 * number % 250, np.uint8)
            written.mux(pictures.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        wave = np.sin(np.arange(seconds * RATE) * 2 * np.pi * 440 / RATE) * 12_000
        wave[: len(wave) // 2] = 0
        frame = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], format="s16", layout="mono")
        frame.rate, frame.pts = RATE, 0
        for of in (frame, None):
            written.mux(sound.encode(of))
        written.mux(pictures.encode(None))
    return file.getvalue()


def annotated(data: bytes, **options) -> tuple[bytes, list[str]]:
    file, sentences = io.BytesIO(), []
    timeline = TimelineRecorder({"network": FER7}).timeline()
    write_annotated(VideoFile(data, "clip"), timeline, file, report=sentences.append, **options)
    return file.getvalue(), sentences


def samples(data: bytes) -> np.ndarray:
    with av.open(io.BytesIO(data)) as file:
        return np.concatenate([frame.to_ndarray().astype(float).mean(axis=0) for frame in file.decode(audio=0)])


@pytest.mark.parametrize(("container", "codecs"), [("mp4", ("libx264", "aac")), ("webm", ("libvpx", "libopus"))])
def test_the_sound_of_the_range_is_kept_in_time(container, codecs):
    written, sentences = annotated(with_tone(container, *codecs), start_s=1.0, end_s=3.0)
    assert sentences == []
    wave = np.abs(samples(written))
    assert len(wave) / RATE == pytest.approx(2, abs=0.15)
    # The tone begins at 2 s of the source, which is 1 s here.
    loud = wave > 0.2 * wave.max()
    assert loud.argmax() / RATE == pytest.approx(1, abs=0.1)


def test_a_codec_that_players_do_not_support_in_mp4_is_named_and_the_frames_are_written():
    written, sentences = annotated(with_tone("mov", "libx264", "pcm_s16le"))
    assert sentences == [
        "The annotated video has no sound: players support AAC, MP3, Opus, FLAC, ALAC, AC-3 and E-AC-3 in mp4, but the "
        "sound of clip has the codec pcm_s16le; convert it to AAC to keep it."
    ]
    with av.open(io.BytesIO(written)) as file:
        assert [stream.type for stream in file.streams] == ["video"]
    assert len(list(VideoFile(written).frames())) == 40


def test_a_video_without_sound_stays_without(write_video, compose):
    written, sentences = annotated(write_video([compose()] * 3))
    assert sentences == []
    with av.open(io.BytesIO(written)) as file:
        assert [stream.type for stream in file.streams] == ["video"]
