"""Speed and memory of batches: ``python benchmarks/batch.py [--json] [--files 5000] [--pixels 12] [--model cnn]``.

``score_over_decode``: files per second of a whole batch (decoding, detection, all networks) ÷ files per second of
decoding alone, on the same photos of ``--pixels`` megapixels and in the same number of processes; medians of three
alternating rounds, without the start of the processes. The target is 0.5, for the default 12 megapixels, three networks
and YuNet. MTCNN, which is used where YuNet's file is not available, needs a quarter more time for detection. At 1
megapixel decoding needs a tenth of the time and detection nearly the same, so the ratio is below 0.1. The default
networks are run; more than three of them lower the ratio. The photos are enlarged portraits with the noise of a camera,
without which they would have a quarter of the bytes of real photos of that size.

``rss_growth``: resident memory of all processes of one batch of ``--files`` small photos at its end ÷ after a tenth of
them, minus 1; with one network, because the memory of a network does not depend on the number of files.
"""

from __future__ import annotations

import argparse
import gc
import io
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core import images
from core.batch.entry import Entry
from core.batch.job import Batch, BatchOptions, BatchProgress, local_engine, run_batch
from core.batch.local import in_processes, score_locally
from core.batch.part import parts_of
from core.batch.scorer import Preparation, PreparedFile
from core.parallel import core_count
from core.sample_photos import sample_photos

PHOTOS = 64
ROUNDS = 3
SMALL_PX = 160
NOISE = 6.0  # standard deviation in gray levels: 3.6 MB at 12 megapixels
PROC = Path("/proc")


class Decoding(Preparation):
    """Decoding alone: what is read and decoded is dropped."""

    def of_bytes(self, entry: Entry, data: bytes) -> PreparedFile:
        images.decode(data)
        return PreparedFile(entry)


class NoNetworks:
    """Scores nothing."""

    def rows(self, files: tuple[PreparedFile, ...]) -> list[list[dict[str, object]]]:
        return [[] for _ in files]


def write_photos(folder: Path, count: int, longest_px: int) -> None:
    """The portraits at that size under ``count`` names."""
    originals, random = [], np.random.default_rng(0)
    for number, sample in enumerate(sample_photos().values()):
        picture = Image.open(io.BytesIO(sample.data)).convert("RGB")
        scale = longest_px / max(picture.size)
        picture = picture.resize((round(picture.width * scale), round(picture.height * scale)))
        noise = random.normal(0, NOISE, (picture.height, picture.width, 1))
        noisy = np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8)
        originals.append(folder / f"original-{number}.jpg")
        Image.fromarray(noisy).save(originals[-1], quality=90)
    for number in range(count - len(originals)):
        os.link(originals[number % len(originals)], folder / f"{number:06}.jpg")


def resident_mb(process: int | None = None) -> float:
    """Resident memory of a process and of all processes that it started, in megabytes."""
    process = process or os.getpid()
    found = 0.0
    try:
        status = (PROC / str(process) / "status").read_text()
        children = [path.read_text().split() for path in (PROC / str(process) / "task").glob("*/children")]
    except OSError:  # it has just ended
        return 0.0
    line = next((line for line in status.splitlines() if line.startswith("VmRSS")), "VmRSS: 0")
    found += int(line.split()[1]) / 1024
    return found + sum(resident_mb(int(child)) for of_thread in children for child in of_thread)


def files_per_s(results: Iterator[object], files_per_result: int) -> float:
    """Speed after the first result, which includes the start of the processes."""
    next(results)
    begun, count = time.perf_counter(), 0
    for _ in results:
        count += files_per_result
    return count / (time.perf_counter() - begun)


def measure_speed(folder: Path, processes: int) -> dict[str, float]:
    """Files per second of the whole batch and of decoding alone."""
    batch, size = Batch(BatchOptions(str(folder))), 16
    decoding = Decoding(batch.preparation.cards, batch.options.detector)
    rounds: dict[str, list[float]] = {"score": [], "decode": []}
    for _ in range(ROUNDS):
        for name, preparation, scorer in (
            ("score", batch.preparation, batch.scorer),
            ("decode", decoding, NoNetworks()),
        ):
            start = in_processes(batch.source, preparation, processes)
            parts = parts_of(batch.source.entries(), files_per_part=size)
            rounds[name].append(files_per_s(score_locally(parts, scorer, start), size))
    return {name: statistics.median(values) for name, values in rounds.items()}


def measure_memory(folder: Path, model: str, files: int, processes: int, *, quiet: bool) -> tuple[float, float]:
    """Resident memory after a tenth of the files, and after all of them, in megabytes."""
    batch = Batch(BatchOptions(str(folder), (model,)))
    first = last = 0.0
    told = 0

    def watch(now: BatchProgress) -> None:
        nonlocal first, last, told
        gc.collect()
        last = resident_mb()
        if not first and now.done >= files / 10:
            first = last
        if not quiet and now.done >= told:
            told += files // 10
            print(f"{now.done:,} files: {last:.0f} MB, {now.files_per_s:.1f} files per second", flush=True)

    run_batch(batch, folder.parent / "results.parquet", local_engine(processes), progress=watch)
    return first, last


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one flat JSON object and nothing else")
    parser.add_argument("--files", type=int, default=5000, help="small photos whose memory is measured; 0: none")
    parser.add_argument("--pixels", type=float, default=12.0, help="megapixels of the photos whose speed is measured")
    parser.add_argument("--model", default="cnn", help="network of the memory measurement")
    parser.add_argument("--workers", type=int, default=core_count(), help="processes that decode")
    arguments = parser.parse_args()
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as place:
        large, small = Path(place) / "large", Path(place) / "small"
        large.mkdir()
        small.mkdir()
        if arguments.files and PROC.is_dir():  # before the other networks are loaded
            write_photos(small, arguments.files, SMALL_PX)
            first, last = measure_memory(
                small, arguments.model, arguments.files, arguments.workers, quiet=arguments.json
            )
            found["rss_growth"] = last / first - 1
        write_photos(large, PHOTOS, round((arguments.pixels * 1e6 * 4 / 3) ** 0.5))
        speed = measure_speed(large, arguments.workers)
        found["score_over_decode"] = speed["score"] / speed["decode"]
        if not arguments.json:
            size_mb = sum(path.stat().st_size for path in large.iterdir()) / PHOTOS / 1e6
            print(f"{speed['score']:.2f} files per second scored, {speed['decode']:.2f} decoded, {size_mb:.1f} MB each")
    if arguments.json:
        print(json.dumps(found))
    else:
        print("".join(f"{name}: {value:+.3f}\n" for name, value in found.items()), end="")


if __name__ == "__main__":
    main()
