"""``python -m core batch``: many photos -> one table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core import checkpoints
from core.cli.output import (
    DetectorName,
    Device,
    Json,
    Models,
    Root,
    messages,
    print_json,
    print_line,
    progress_bar,
    require_distinct,
    warn,
)
from core.evaluation import REQUIRED_ACCURACY

app = typer.Typer()


@app.command(epilog="Example: `python -m core batch photos/ --out results.parquet`")
def batch(
    source: Annotated[
        str,
        typer.Argument(
            help="A folder, a pattern such as 'photos/**/*.jpg', a zip, a CSV with a column path, or an address "
            "such as s3://bucket/photos."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="The table to write: .parquet or .csv.")],
    model: Models = None,
    detector: DetectorName = "auto",
    whole_image: Annotated[
        bool, typer.Option("--whole-image", help="Use the central square of each photo as its face.")
    ] = False,
    accuracy: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Accuracy required of the predictions that are called sure.")
    ] = REQUIRED_ACCURACY,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Processes that decode photos, by default one per core; with --engine ray, actors "
            "that run the networks, by default one for every two cores.",
        ),
    ] = None,
    engine: Annotated[str, typer.Option(help="local, or ray for a cluster (requirements-ray.txt).")] = "local",
    address: Annotated[
        str | None, typer.Option(help="Address of a Ray cluster; without it, Ray starts on this machine.")
    ] = None,
    restart: Annotated[bool, typer.Option("--restart", help="Delete the results that exist and start again.")] = False,
    device: Device = "auto",
    json_output: Json = False,
    root: Root = checkpoints.ROOT,
) -> None:
    """Predict the expressions of the faces in every photo of a source, and write one row per face.

    A photo without a face has one row; so does a file that cannot be read, which states the reason. Finished parts are
    stored: the same command continues a batch that was stopped or killed.
    """
    from core.batch.job import Batch, BatchOptions, BatchProgress, local_engine, run_batch

    if engine not in ("local", "ray"):
        raise typer.BadParameter(f"expected local or ray, got {engine!r}", param_hint="--engine")
    if address is not None and engine != "ray":
        raise typer.BadParameter("it needs --engine ray", param_hint="--address")
    # A table in a folder of photos is not one of its photos.
    require_distinct([] if Path(source).is_dir() else [Path(source)], [out])
    options = BatchOptions(source, tuple(model or ()), detector, whole_image, accuracy, root, device)
    chosen = Batch(options, report=warn)
    if engine == "ray":
        from core.batch.cluster import ray_engine

        work = ray_engine(address, workers)
    else:
        work = local_engine(workers)
    with progress_bar() as bar:
        task = bar.add_task("listing the files", total=None, left="")

        def show(now: BatchProgress) -> None:
            text = f"{now.done:,} of {now.total:,} files, {now.files_per_s:.1f} per second"
            left = "" if now.left_s is None else f"{now.left_s / 60:.0f} min left"
            bar.update(task, total=now.total, completed=now.done, description=text, left=left)
            if not messages.is_terminal:
                print_line(f"{text}, {left}", messages)

        try:
            found = run_batch(chosen, out, work, restart=restart, progress=show)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                "Stopped; what is finished is stored. Run the same command again to continue."
            ) from None
    if json_output:
        print_json(
            {"output": str(out), "files": found.total, "unreadable": found.unreadable, "files_per_s": found.files_per_s}
        )
    else:
        print_line(f"{out}: {found.total:,} file{'s' if found.total != 1 else ''}")
        if found.unreadable:
            count = f"{found.unreadable:,} file{'s' if found.unreadable > 1 else ''}"
            warn(f"{count} could not be read; see the column error for the reasons.")
    if found.unreadable == found.total:
        raise typer.Exit(1)
