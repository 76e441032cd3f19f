"""Commands about installed networks: ``models``, ``evaluate``, ``embed`` and ``robustness``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from core import checkpoints
from core.cli.output import (
    Data,
    Json,
    Root,
    SkipBad,
    console,
    messages,
    print_json,
    progress_bar,
    require_split,
    warn,
)
from core.errors import RobustnessError

if TYPE_CHECKING:
    from core.checkpoints import Checkpoint
    from core.robustness import Robustness

app = typer.Typer()

RunId = Annotated[str, typer.Argument(help="A trained network's name.")]
Split = Annotated[str, typer.Option(help="val (PublicTest) or test (PrivateTest).")]


@app.command(epilog="Example: `python -m core models --json`")
def models(json_output: Json = False, root: Root = checkpoints.ROOT) -> None:
    """List the trained networks that are installed."""
    listing = checkpoints.list_checkpoints(root)
    for problem in listing.problems:
        warn(problem)
    if json_output:
        print_json([c.card.to_json() for c in listing.checkpoints])
        return
    table = Table("network", "architecture", "classes", "PublicTest", "PrivateTest", "parameters", "MACs")
    for card in (c.card for c in listing.checkpoints):
        scores = [str(card.metrics[s].accuracy) if s in card.metrics else "–" for s in ("val", "test")]
        table.add_row(
            card.run_id,
            card.architecture,
            card.labels.name,
            *scores,
            f"{card.parameters:,}",
            f"{card.macs / 1e6:,.0f} M",
        )
    console.print(table)


@app.command(epilog="Example: `python -m core evaluate fer_cnn --data fer2013.csv --split test --json`")
def evaluate(
    run: RunId,
    data: Data,
    split: Split = "test",
    json_output: Json = False,
    skip_bad: SkipBad = False,
    root: Root = checkpoints.ROOT,
) -> None:
    """Evaluate a network's shipped weights on a split and print its scores with their intervals."""
    from core.measurements import evaluate_checkpoint

    require_split(split, ("train", "val", "test"))
    checkpoint = checkpoints.list_checkpoints(root).get(run)
    summary = evaluate_checkpoint(checkpoint, data, split, skip_bad=skip_bad)
    without = summary.accuracy_without_copies
    values = {
        "run": run,
        "split": split,
        "n": summary.n,
        "accuracy": summary.accuracy.value,
        "accuracy_low": summary.accuracy.low,
        "accuracy_high": summary.accuracy.high,
        "macro_f1": summary.macro_f1.value,
        "balanced_accuracy": summary.balanced_accuracy.value,
        "accuracy_without_copies": without.value if without else None,
    }
    if json_output:
        print_json(values)
        return
    table = Table("score", "value", title=f"{run} on {split}, n = {summary.n:,}")
    for name in ("accuracy", "accuracy_without_copies", "macro_f1", "balanced_accuracy"):
        score = getattr(summary, name)
        table.add_row(name.replace("_", " "), str(score) if score else "not defined")
    console.print(table)


@app.command(epilog="Example: `python -m core embed fer_cnn --data fer2013.csv`")
def embed(
    run: RunId,
    data: Data,
    split: Annotated[
        list[str] | None, typer.Option(help="val (PublicTest) or test (PrivateTest); repeat it for both, the default.")
    ] = None,
    skip_bad: SkipBad = False,
    root: Root = checkpoints.ROOT,
) -> None:
    """Store a network's penultimate features with its checkpoint, as principal components, for Compare's map."""
    from core.measurements import embed_checkpoint

    splits = [require_split(name, ("val", "test")) for name in split or ("val", "test")]
    checkpoint = checkpoints.list_checkpoints(root).get(run)
    for path, embedding in embed_checkpoint(checkpoint, data, splits, skip_bad=skip_bad):
        console.print(
            f"{path}: n = {len(embedding):,}, {len(embedding.explained)} of {embedding.features} components explain "
            f"{embedding.explained.sum():.3f} of the variance",
            highlight=False,
        )


@app.command(epilog="Example: `python -m core robustness fer_cnn --data fer2013.csv --split test`")
def robustness(
    run: RunId,
    data: Data,
    split: Split = "test",
    again: Annotated[bool, typer.Option("--again", help="Discard the stored measurement first.")] = False,
    skip_bad: SkipBad = False,
    root: Root = checkpoints.ROOT,
) -> None:
    """Score a split under blur, noise, other light, JPEG, rotation, shift and occlusion; Ctrl-C can be resumed."""
    from core.robustness import CORRUPTIONS

    require_split(split, ("val", "test"))
    checkpoint = checkpoints.list_checkpoints(root).get(run)
    found = _measured(checkpoint, data, split, again=again, skip_bad=skip_bad)
    table = Table("corruption", *"12345", "mean relative drop", title=f"{run} on {split}, n = {found.n:,}")
    table.add_row("none", *[""] * 5, f"accuracy {found.clean}")
    for name, corruption in CORRUPTIONS.items():
        accuracies = [f"{found.accuracy(name, strength).value:.3f}" for strength in range(1, 6)]
        table.add_row(corruption.title, *accuracies, str(found.relative_drop(name)))
    table.add_row("all", *[""] * 5, str(found.relative_drop()))
    if found.mirror_consistency:
        table.add_row("Mirror image", *[""] * 5, f"same prediction {found.mirror_consistency}")
    console.print(table)


def _measured(checkpoint: Checkpoint, data: Path, split: str, *, again: bool, skip_bad: bool) -> Robustness:
    """The stored measurement if it fits the weights, otherwise a new one with a progress bar."""
    from core.measurements import discard_robustness, measure_robustness
    from core.robustness import load_robustness

    run_id = checkpoint.card.run_id
    if again:
        discard_robustness(checkpoint, split)
    try:
        stored = load_robustness(checkpoint, split)
    except RobustnessError as error:
        warn(error.sentence)
        stored = None
    if stored is not None:
        return stored
    with progress_bar() as bar:
        task = bar.add_task(f"{run_id}: reading the data", total=1, left="")
        started, resumed_at, last_title = time.monotonic(), -1, ""

        def show(title: str, finished: int, total: int) -> None:
            nonlocal resumed_at, last_title
            # A resumed measurement begins with predictions that took no time now.
            resumed_at = finished - 1 if resumed_at < 0 else resumed_at
            left_s = (time.monotonic() - started) / max(finished - resumed_at, 1) * (total - finished)
            text = f"{run_id}, {split}: {title}"
            bar.update(task, total=total, completed=finished, description=text, left=f"{left_s / 60:.0f} min left")
            if not messages.is_terminal and title != last_title:
                messages.print(f"{text}, {finished:,} of {total:,}, {left_s / 60:.0f} min left", highlight=False)
            last_title = title

        try:
            return measure_robustness(checkpoint, data, split, skip_bad=skip_bad, progress=show)
        except KeyboardInterrupt:
            where = last_title or "the data"
            raise KeyboardInterrupt(f"Stopped at {where}; the same command resumes the measurement.") from None
