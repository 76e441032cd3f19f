"""Videos: throughput relative to decoding, and the memory of a long video relative to a short one.

python benchmarks/video.py [--json] [--minutes 60]

``video_over_decode``: frames per second of the analysis divided by those of decoding alone, medians of three, at the
defaults of the page (5 frames of each second) but with a detection on every fifth analyzed frame, by one network (or
those of ``--network``). ``every_frame_over_decode``: the same when every frame is analyzed. Decoding alone gives no RGB
pictures, and the analysis includes opening the file; detector and networks are loaded before, as on the page. The clip
of 24 frames per second has no repeated frames, noise as a camera adds it, and a usual bit rate (640 x 360: 1 Mbit/s,
1280 x 720: 5 Mbit/s): frames that repeat the one before cost a decoder almost nothing, and no camera delivers them.
``peak_rss_hour_over_minute``: peak memory of the process for ``--minutes`` and for one minute of video, at the defaults
of the page; the long video repeats the short one.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import av
import cv2
import numpy as np

from core.faces import AUTO, Detector
from core.inference import Predictor
from core.runtime import Runtime
from core.video import Sampling, VideoFile, VideoJob, VideoOptions
from core.video.sample_clip import FRAMES_PER_SECOND, HEIGHT, WIDTH, sample_clip

REPEATS = 3
NETWORK = "residual_cnn"
RATE = 24
BIT_RATES = {1: 1_000_000, 2: 5_000_000}  # by scale
NOISE = 3.0  # standard deviation in gray levels


def write_noisy(target: Path, scale: int) -> None:
    """The sample clip at 24 frames per second, enlarged, with noise and at the bit rate of its size."""
    random = np.random.default_rng(0)
    with av.open(str(target), "w", format="mp4") as file:
        stream = file.add_stream("libx264", rate=RATE, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH * scale, HEIGHT * scale, "yuv420p"
        stream.bit_rate = BIT_RATES[scale]
        for frame in VideoFile(sample_clip(RATE)).frames():
            picture = cv2.resize(frame.image, (WIDTH * scale, HEIGHT * scale), interpolation=cv2.INTER_CUBIC)
            noisy = picture + random.normal(0, NOISE, picture.shape)
            picture = np.clip(noisy, 0, 255).astype(np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode(None))


def repeat(source: Path, target: Path, minutes: float) -> None:
    """The packets of a video one after the other until ``minutes`` are filled, without encoding them again."""
    with av.open(str(source)) as read, av.open(str(target), "w", format="mp4") as write:
        stream = read.streams.video[0]
        out = write.add_stream_from_template(stream)
        packets = [packet for packet in read.demux(stream) if packet.dts is not None]
        length = max(packet.pts for packet in packets) + round(1 / FRAMES_PER_SECOND / stream.time_base)
        for number in range(max(1, round(minutes * 60 / float(length * stream.time_base)))):
            for packet in packets:
                copy = av.Packet(bytes(packet))
                copy.pts, copy.dts = packet.pts + number * length, packet.dts + number * length
                copy.time_base, copy.is_keyframe, copy.stream = packet.time_base, packet.is_keyframe, out
                write.mux(copy)


def seconds(*actions: Callable[[], object]) -> list[float]:
    """The median seconds of each action; the actions take turns."""
    measured: list[list[float]] = [[] for _ in actions]
    for _ in range(REPEATS):
        for times, action in zip(measured, actions, strict=True):
            start = time.perf_counter()
            action()
            times.append(time.perf_counter() - start)
    return [statistics.median(times) for times in measured]


def analyze(path: Path, find: Detector, predictors: list[Predictor], options: VideoOptions) -> VideoJob:
    video = VideoFile(path)
    job = VideoJob(video, video.info(), find, predictors, options)
    job.run()
    if job.error is not None:
        raise SystemExit(job.error.sentence)
    return job


def throughput(folder: Path, networks: list[str]) -> dict[str, float]:
    """The ratios to decoding."""
    runtime = Runtime()
    find, predictors = runtime.detector(AUTO), runtime.predictors(networks)
    found: dict[str, float] = {}
    for size, scale in (("", 1), ("_720p", 2)):
        path = folder / f"clip{scale}.mp4"
        write_noisy(path, scale)
        defaults = VideoOptions(Sampling(per_second=5.0), detect_every=5)
        all_frames = VideoOptions(Sampling(), detect_every=5)
        rows = len(analyze(path, find, predictors, defaults).timeline())
        if rows < 60:
            raise SystemExit(f"the detector found {rows} faces where at least 60 were expected")
        decode, sampled, whole = seconds(
            lambda path=path: list(VideoFile(path).frames(Sampling(10**9))),
            lambda path=path, options=defaults: analyze(path, find, predictors, options),
            lambda path=path, options=all_frames: analyze(path, find, predictors, options),
        )
        found[f"video_over_decode{size}"] = decode / sampled
        found[f"every_frame_over_decode{size}"] = decode / whole
        frames = 9 * RATE
        print(
            f"{WIDTH * scale} x {HEIGHT * scale}: decoding {frames / decode:.0f} frames/s, sampled "
            f"{frames / sampled:.0f}, every frame {frames / whole:.0f}",
            file=sys.stderr,
        )
    return found


def peak_mb(path: Path) -> float:
    """Peak memory of a process that analyzes a video."""
    child = subprocess.run(
        [sys.executable, __file__, "--peak", str(path)], capture_output=True, text=True, check=True, env=os.environ
    )
    print(f"{path.name}: {child.stdout.strip()}", file=sys.stderr)
    return float(child.stdout.split()[0])


def print_peak(path: Path) -> None:
    """Print the MB and the number of analyzed frames that :func:`peak_mb` reads."""
    runtime = Runtime()
    job = analyze(path, runtime.detector(AUTO), runtime.predictors([NETWORK]), VideoOptions(Sampling(per_second=5.0)))
    # Not ru_maxrss, which a process inherits from the one that started it.
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(int(line.split()[1]) / 1024, "MB", job.progress.frames, "frames")


def memory(folder: Path, minutes: float) -> dict[str, float]:
    source = folder / "source.mp4"
    source.write_bytes(sample_clip())
    short, long = folder / "minute.mp4", folder / "long.mp4"
    repeat(source, short, 1)
    repeat(source, long, minutes)
    name = "peak_rss_hour_over_minute" if minutes == 60 else f"peak_rss_{minutes:g}_minutes_over_minute"
    return {name: peak_mb(long) / peak_mb(short)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one flat JSON object and nothing else")
    parser.add_argument("--minutes", type=float, default=60, help="length of the long video; 0: measure no memory")
    parser.add_argument("--network", action="append", help="name of a network; repeat the option for several networks")
    parser.add_argument("--peak", type=Path, help="print the peak memory of the analysis of a video and nothing else")
    arguments = parser.parse_args()
    if arguments.peak:
        print_peak(arguments.peak)
        return
    with tempfile.TemporaryDirectory() as folder:
        found = throughput(Path(folder), arguments.network or [NETWORK])
        if arguments.minutes:
            found |= memory(Path(folder), arguments.minutes)
    if arguments.json:
        print(json.dumps(found))
    else:
        print(", ".join(f"{name} {value:.3f}" for name, value in found.items()))


if __name__ == "__main__":
    main()
