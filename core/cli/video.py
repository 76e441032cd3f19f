"""``python -m core video``: a video -> its faces over time -> what each network predicts."""

from __future__ import annotations

import math
import time
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from core import checkpoints
from core.cli.output import (
    DetectorName,
    Device,
    Json,
    Models,
    Root,
    console,
    print_json,
    print_line,
    progress_bar,
    require_distinct,
    require_writable,
    warn,
    writing,
)
from core.errors import VideoError
from core.files import write_atomically
from core.interrupts import without_interrupts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.checkpoints import ModelCard
    from core.records import VideoRecord
    from core.video import Timeline, VideoInfo, VideoJob

app = typer.Typer()


@app.command(epilog="Example: `python -m core video clip.mp4 --fps 5 --csv clip.csv --annotated clip-faces.mp4`")
def video(
    file: Annotated[Path, typer.Argument(help="A video: mp4, mov, webm, mkv or avi.")],
    model: Models = None,
    detector: DetectorName = "auto",
    every: Annotated[int | None, typer.Option(help="Analyze every n-th frame instead of --fps.")] = None,
    fps: Annotated[float, typer.Option(help="Analyze this many frames per second.")] = 5.0,
    detect_every: Annotated[
        int,
        typer.Option(
            help="Detect faces in every k-th analyzed frame; in the frames between, the boxes are interpolated."
        ),
    ] = 2,
    start: Annotated[float, typer.Option(help="Begin at this time in seconds.")] = 0.0,
    end: Annotated[float | None, typer.Option(help="End at this time in seconds.")] = None,
    smoothing: Annotated[
        float, typer.Option(help="Time constant of the smoothing of CSV, Parquet and the annotated video, in seconds.")
    ] = 0.0,
    csv: Annotated[Path | None, typer.Option(help="Write one row per face, frame and network as CSV.")] = None,
    parquet: Annotated[Path | None, typer.Option(help="The same rows as Parquet.")] = None,
    annotated: Annotated[
        Path | None, typer.Option(help="Write the video with boxes and expressions as H.264 in mp4, with its sound.")
    ] = None,
    before: Annotated[
        Path | None,
        typer.Option(
            "--continue",
            help="The document that --json printed for a stopped analysis of this file, which is continued.",
        ),
    ] = None,
    device: Device = "auto",
    json_output: Json = False,
    root: Root = checkpoints.ROOT,
) -> None:
    """Track the faces of a video and print for which share of the time each expression was predicted.

    Ctrl-C ends the analysis; what was computed until then is printed and written, and the exit status is 130. If parts
    of the video cannot be decoded, this is reported, the other parts are written, and the exit status is 1.
    --continue analyzes the rest with the same networks and detector; give the other options as before.
    """
    from core.records import VideoRecord
    from core.runtime import Runtime
    from core.video import Sampling, Timeline, VideoFile, VideoJob, VideoOptions

    options = VideoOptions(
        Sampling(per_second=fps) if every is None else Sampling(every),
        start,
        math.inf if end is None else end,
        detect_every,
    )
    if not 0 <= smoothing < math.inf:
        raise VideoError(f"expected a finite time constant of at least 0 s, got {smoothing:g}; correct --smoothing")
    tables = [(csv, Timeline.write_csv), (parquet, Timeline.write_parquet)]
    outputs = [target for target in (csv, parquet, annotated) if target is not None]
    require_distinct([file] if before is None else [file, before], outputs)
    require_writable(outputs)
    source = VideoFile(file)
    info = source.info()
    runtime = Runtime(root, device)
    earlier, timeline_before = (None, None) if before is None else _earlier(before)
    if earlier is not None:
        if model is None or set(model) == set(earlier.networks):
            model = list(earlier.networks)  # in their order
        detector = earlier.detector
    predictors = runtime.predictors(model, report=warn)
    cards = [predictor.card for predictor in predictors]
    if before is not None and earlier is not None:
        _require_same(earlier, before, info, cards)
    job = VideoJob(
        source,
        info,
        runtime.detector(detector),
        predictors,
        options,
        before=timeline_before,
    )
    is_stopped = _run(job, file.name)
    with without_interrupts() if is_stopped else nullcontext():
        for note in job.notes:
            warn(f"{file}: {note}")
        timeline = job.timeline().smoothed(smoothing)
        if json_output:
            print_json(VideoRecord.of(file, job, cards).model_dump())
        elif job.progress.frames:
            _print(job, file.name)
        for target, write in tables:
            if target is not None:
                with writing(target):
                    write_atomically(target, partial(write, timeline))
    if annotated is not None and len(timeline.frame_times_s):
        _annotate(job, smoothing, annotated)
    if job.error is not None:
        raise job.error
    if is_stopped:
        raise KeyboardInterrupt(f"Stopped after {job.progress.frames:,} frames.")
    if job.notes:
        raise typer.Exit(1)


def _earlier(path: Path) -> tuple[VideoRecord, Timeline]:
    """The document of an earlier analysis and its timeline. Raises VideoError for another file."""
    from core.records import VideoRecord

    try:
        record = VideoRecord.model_validate_json(path.read_bytes())
        return record, record.timeline()
    except OSError as error:
        raise VideoError(f"{path} cannot be read: {error.strerror}; choose another file for --continue") from error
    except ValueError as error:
        raise VideoError(
            f"expected the document that this command prints with --json, but {path} is another kind of file or cut "
            "off; choose another file for --continue"
        ) from error


def _require_same(earlier: VideoRecord, document: Path, info: VideoInfo, cards: Sequence[ModelCard]) -> None:
    """Raises VideoError where the document belongs to another video or to other weights."""
    known_size, size = ((of.width, of.height, round(of.duration_s or 0, 3)) for of in (earlier, info))
    if known_size != size:
        raise VideoError(
            f"expected the document of this video ({_described(*size)}), but {document} describes a video of "
            f"{_described(*known_size)}; choose the document that belongs to this video"
        )
    known = {name: network.weights_sha256 for name, network in earlier.networks.items()}
    if changed := [card.run_id for card in cards if known.get(card.run_id) not in (None, card.weights_sha256)]:
        raise VideoError(
            f"the weights of {', '.join(changed)} are not those with which {document} was created; analyze the video "
            "from the beginning, without --continue"
        )


def _described(width: int, height: int, duration_s: float) -> str:
    return f"{width} x {height} px and {duration_s:g} s"


def _run(job: VideoJob, name: str) -> bool:
    """Run the analysis with a progress bar, and return whether Ctrl-C stopped it."""
    is_stopped = False
    with progress_bar() as bar:
        task = bar.add_task(f"{name}: analyzing", total=1.0, left="")
        job.start()
        try:
            while (progress := job.progress).state == "running":
                left = "" if progress.left_s is None else f"about {_duration(progress.left_s)} left"
                bar.update(task, completed=progress.fraction, left=f"{progress.frames:,} frames  {left}")
                job.wait(0.2)
        except KeyboardInterrupt:
            is_stopped = True
            with without_interrupts():
                job.stop()
                job.wait()
        bar.update(task, completed=job.progress.fraction, left=f"{job.progress.frames:,} frames")
    return is_stopped


def _annotate(job: VideoJob, smoothing: float, target: Path) -> None:
    from core.video.annotation import write_annotated

    times_s = job.timeline().frame_times_s
    first_s, last_s = float(times_s[0]), float(times_s[-1])
    with progress_bar() as bar, writing(target):
        task = bar.add_task(f"{target.name}: writing", total=max(last_s - first_s, 1e-3), left="")
        started = time.monotonic()

        def show(time_s: float) -> None:
            share = (time_s - first_s) / max(last_s - first_s, 1e-3)
            left_s = (time.monotonic() - started) * (1 - share) / share if share > 0.02 else None
            left = "" if left_s is None else f"about {_duration(left_s)} left"
            bar.update(task, completed=time_s - first_s, left=left)

        timeline = job.timeline().smoothed(smoothing)
        write_atomically(
            target,
            lambda partial: write_annotated(
                job.video, timeline, partial, start_s=first_s, end_s=last_s, report_time=show, report=warn
            ),
        )


def _print(job: VideoJob, name: str) -> None:
    from core.video.statistics import track_shares

    timeline = job.timeline()
    if not len(timeline):
        print_line(
            f"{name}: {job.detector_name} found no face in {len(timeline.frame_times_s):,} analyzed frames; "
            "try another --detector or a larger --fps"
        )
        return
    for group in timeline.groups:
        shown = group.names[-1]
        table = Table("face", "from - to", "seen", *group.labels.classes, title=f"{name}: share of time, {shown}")
        for found in track_shares(timeline, group, shown):
            shares = (f"{share:.0%}".replace("%", " %") for share in found.shares)
            table.add_row(
                str(found.track), f"{found.start_s:.1f} - {found.end_s:.1f} s", f"{found.seen_s:.1f} s", *shares
            )
        console.print(table)


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
