"""Videos whose frames and times are known, and files that are not what their name states."""

from __future__ import annotations

import io
import struct
from fractions import Fraction

import av
import numpy as np
import pytest
from av.stream import Disposition

from core.errors import VideoError
from core.video import Sampling, VideoFile


def numbered(count: int, width: int = 64, height: int = 48) -> list[np.ndarray]:
    """Frames whose gray level is 10 + 4 times their number."""
    return [np.full((height, width, 3), 10 + 4 * i, np.uint8) for i in range(count)]


def numbers(frames) -> list[int]:
    return [round((float(frame.image.mean()) - 10) / 4) for frame in frames]


def test_frames_with_their_times_and_what_the_header_states(write_video):
    video = VideoFile(write_video(numbered(20), rate=10))
    info = video.info()
    assert (info.width, info.height, info.rotation_deg, info.codec) == (64, 48, 0, "h264")
    assert info.duration_s == pytest.approx(2, abs=0.15)
    frames = list(video.frames())
    assert [frame.time_s for frame in frames] == pytest.approx([i / 10 for i in range(20)])
    assert numbers(frames) == list(range(20))


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        (Sampling(4), [0, 4, 8, 12, 16]),
        (Sampling(per_second=5), [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]),
        (Sampling(per_second=99), list(range(20))),
    ],
)
def test_every_nth_frame_or_frames_per_second(write_video, sampling, expected):
    assert numbers(VideoFile(write_video(numbered(20))).frames(sampling)) == expected


def test_a_clip_begins_between_key_frames(write_video):
    video = VideoFile(write_video(numbered(40)))
    assert numbers(video.frames(start_s=1.25, end_s=1.6)) == [13, 14, 15, 16]
    assert numbers([video.frame_at(2.55)]) == [25]
    assert numbers([video.frame_at(99)]) == [39]


def test_a_variable_frame_rate_keeps_its_times(write_video):
    times = [0, 0.1, 0.2, 1.2, 1.25, 1.3, 3.0]
    video = VideoFile(write_video(numbered(7), times_s=times))
    assert [frame.time_s for frame in video.frames()] == pytest.approx(times)
    assert numbers(video.frames(Sampling(per_second=2))) == [0, 3, 6]


@pytest.mark.parametrize("rate", [1, 240])
def test_slow_and_fast_videos(write_video, rate):
    frames = list(VideoFile(write_video(numbered(12), rate=rate)).frames())
    assert [frame.time_s for frame in frames] == pytest.approx([i / rate for i in range(12)], abs=1e-4)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_video_rotated_by_its_metadata_is_upright(write_video, degrees):
    upright = np.full((64, 96, 3), 60, np.uint8)
    upright[:32, :48] = 220  # top left
    stored = np.rot90(upright, degrees // 90)  # the metadata turns it back, clockwise
    video = VideoFile(write_video([stored] * 3, rotation_deg=degrees))
    assert video.info().rotation_deg == degrees
    assert (video.info().width, video.info().height) == (96, 64)
    image = next(video.frames()).image
    assert image.shape == (64, 96, 3)
    assert np.abs(image.astype(int) - upright).mean() < 4


def test_an_8k_video_is_scaled_unless_one_frame_is_requested(write_video):
    video = VideoFile(write_video([np.full((4320, 7680, 3), 90, np.uint8)]))
    assert (video.info().width, video.info().height) == (7680, 4320)
    (frame,) = video.frames()
    assert frame.image.shape == (1080, 1920, 3)
    assert frame.scale == 4
    assert video.frame_at(0).image.shape == (4320, 7680, 3)


@pytest.mark.parametrize(("container", "codec"), [("webm", "libvpx"), ("matroska", "ffv1"), ("avi", "mpeg4")])
def test_other_containers(container, codec):
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        stream = out.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 64, 48, "yuv420p", 2_000_000
        for picture in numbered(40)[::4]:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode(None))
    video = VideoFile(file.getvalue())
    assert numbers(video.frames()) == pytest.approx(range(0, 40, 4), abs=1)
    assert numbers(video.frames(start_s=0.55, end_s=0.75)) == pytest.approx([24, 28], abs=1)


def without_frames() -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        stream = out.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 44100
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return file.getvalue()


def without_streams() -> bytes:
    """An mp4 with its header and no track."""
    header = struct.pack(">I4s5I80x", 108, b"mvhd", 0, 0, 0, 1000, 0)
    return struct.pack(">I4s8s", 16, b"ftyp", b"isom") + struct.pack(">I4s", 116, b"moov") + header


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"This is text.\n" * 50, "another kind of file"),
        (b"#EXTM3U\n#EXTINF:1,\nhttp://example.org/a.ts\n", "another kind of file"),
        (without_frames(), "contains only audio"),
        (without_streams(), "contains no stream"),
    ],
)
def test_files_that_are_not_videos(data, message):
    with pytest.raises(VideoError, match=message):
        VideoFile(data, "clip.mp4").info()


def test_missing_files_and_folders(tmp_path):
    for path in (tmp_path / "none.mp4", tmp_path):
        with pytest.raises(VideoError, match=f"the video {path.name} cannot be read"):
            VideoFile(path).info()


def test_a_truncated_video_gives_its_frames_and_a_sentence():
    """Fragments are readable without the rest of the file, like a recording that was interrupted."""
    file = io.BytesIO()
    random = np.random.default_rng(0)
    with av.open(file, "w", format="matroska") as out:
        stream = out.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(100):
            noise = random.integers(0, 255, (48, 64, 3), dtype=np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(noise, format="rgb24")))
        out.mux(stream.encode(None))
    whole = file.getvalue()
    said: list[str] = []
    frames = list(VideoFile(whole[: len(whole) // 2]).frames(report=said.append))
    assert 20 < len(frames) < 80
    assert len(said) == 1
    assert "truncated" in said[0]
    assert not list_of_reports(whole)
    with pytest.raises(VideoError, match="truncated or damaged"):
        VideoFile(whole[:40]).info()


def list_of_reports(data: bytes) -> list[str]:
    said: list[str] = []
    list(VideoFile(data).frames(report=said.append))
    return said


@pytest.mark.parametrize(("damaged", "said"), [(1, "1 damaged part"), (2, "2 damaged parts")])
def test_damaged_parts_are_skipped_and_counted(damaged, said):
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as out:
        stream = out.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for number, picture in enumerate(numbered(5)):
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                if number < damaged:
                    broken = av.Packet(b"no picture")
                    broken.pts, broken.dts, broken.time_base = packet.pts, packet.dts, packet.time_base
                    broken.stream, packet = stream, broken
                out.mux(packet)
    assert list_of_reports(file.getvalue()) == [f"Skipped {said} of the file."]


def test_an_intact_video_is_not_called_truncated_where_it_begins_late(write_video):
    said: list[str] = []
    assert not list(VideoFile(write_video(numbered(20))).frames(start_s=1.95, report=said.append))
    assert not said


def test_a_header_that_states_a_wrong_duration(write_video):
    data = bytearray(write_video(numbered(20)))
    scale_at = data.index(b"mdhd") + 16
    scale = struct.unpack(">I", data[scale_at : scale_at + 4])[0]
    data[scale_at + 4 : scale_at + 8] = struct.pack(">I", 60 * scale)
    video = VideoFile(bytes(data))
    said: list[str] = []
    assert len(list(video.frames(report=said.append))) == 20
    if video.info().duration_s > 10:
        assert "header is wrong" in said[0]


def test_sampling_is_checked():
    for wrong in ({"every": 0}, {"per_second": 0}, {"per_second": float("nan")}):
        with pytest.raises(VideoError, match="expected"):
            Sampling(**wrong)


def white_video(*sizes):
    """Five white frames of each size (width, height), as in a recorded call, whose resolution changes."""
    file = io.BytesIO()
    with av.open(file, "w", format="avi") as out:
        stream = out.add_stream("mjpeg", rate=10)
        (stream.width, stream.height), stream.pix_fmt = sizes[0], "yuvj420p"
        encoders = [stream.codec_context]
        for width, height in sizes[1:]:
            encoders.append(av.CodecContext.create("mjpeg", "w"))
            encoders[-1].width, encoders[-1].height, encoders[-1].pix_fmt = width, height, "yuvj420p"
            encoders[-1].time_base = Fraction(1, 10)
        for number in range(5 * len(sizes)):
            width, height = sizes[number // 5]
            frame = av.VideoFrame.from_ndarray(np.full((height, width, 3), 255, np.uint8), format="rgb24")
            frame = frame.reformat(format="yuvj420p")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            for packet in encoders[number // 5].encode(frame):
                packet.stream = stream
                out.mux(packet)
    return VideoFile(file.getvalue())


def test_frames_of_another_size_are_scaled_to_the_first_ones():
    video = white_video((64, 48), (128, 96))
    found = list(video.frames())
    assert len(found) == 10
    assert {(f.image.shape, f.scale) for f in found} == {((48, 64, 3), 1.0)}
    assert all((f.image > 250).all() for f in found)
    assert video.frame_at(0.9).image.shape == (48, 64, 3)


@pytest.mark.parametrize("max_side_px", [None, 32])
def test_frames_of_another_shape_keep_it(max_side_px):
    """They fit into the first ones; the rest is black."""
    *_, last = white_video((64, 48), (48, 64)).frames(max_side_px=max_side_px)
    height, width = (48, 64) if max_side_px is None else (24, 32)
    assert last.image.shape == (height, width, 3)
    columns = np.flatnonzero((last.image > 250).all(axis=(0, 2)))
    assert len(columns) == pytest.approx(height * 48 / 64, abs=1)
    assert (last.image[:, : columns[0] - 1] < 5).all()
    assert columns[0] + columns[-1] == pytest.approx(width - 1, abs=1)


def test_the_cover_of_a_song_is_not_a_video():
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        sound = out.add_stream("aac", rate=44100)
        cover = out.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 48, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        samples.sample_rate = 44100
        picture = av.VideoFrame.from_ndarray(numbered(1)[0], format="rgb24").reformat(format="yuvj420p")
        out.mux(cover.encode(picture))
        out.mux(sound.encode(samples))
        out.mux(cover.encode(None))
        out.mux(sound.encode(None))
    with pytest.raises(VideoError, match="contains only audio;"):
        VideoFile(file.getvalue(), "song.mp4").info()


def test_a_slide_show_is_not_called_truncated():
    """The last of three pictures is shown for five seconds, too."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=1, options={"bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1)
        frames = [av.VideoFrame.from_ndarray(picture, format="rgb24") for picture in numbered(3)]
        for number, frame in enumerate(frames):
            frame.pts, frame.time_base = 5 * number, Fraction(1, 1)
        for frame in (*frames, None):
            for packet in stream.encode(frame):
                packet.duration = 5
                out.mux(packet)
    assert VideoFile(file.getvalue()).info().duration_s == pytest.approx(15, abs=0.1)
    assert list_of_reports(file.getvalue()) == []
