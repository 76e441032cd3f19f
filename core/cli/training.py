"""``python -m core train``: a recipe and a data set -> a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core import checkpoints
from core.cli.output import Data, Root, SkipBad, console, messages, progress_bar

app = typer.Typer()


@app.command(epilog="Example: `python -m core train fer_cnn --data fer2013.csv`")
def train(
    recipe: Annotated[str, typer.Argument(help="A shipped recipe's name or the path of a TOML file.")],
    data: Data,
    runs: Annotated[Path, typer.Option(help="Folder for unfinished runs; the same command resumes them.")] = Path(
        "runs"
    ),
    val_only: Annotated[bool, typer.Option("--val-only", help="Do not read the test split.")] = False,
    skip_bad: SkipBad = False,
    root: Root = checkpoints.ROOT,
) -> None:
    """Train a recipe, or resume an interrupted run, and write its checkpoint."""
    from core.training import EpochRow, load_recipe
    from core.training import train as train_recipe

    chosen = load_recipe(recipe)
    with progress_bar() as bar:
        task = bar.add_task(f"{chosen.name}: reading the data", total=chosen.epochs, left="")

        def show(row: EpochRow, seconds_left: float) -> None:
            scores = f"train {row.train_accuracy:.3f}  val {row.val_accuracy:.3f}"
            text = f"{chosen.name}: epoch {row.epoch}/{chosen.epochs}  {scores}"
            bar.update(task, completed=row.epoch, description=text, left=f"{seconds_left / 60:.0f} min left")
            if not messages.is_terminal:
                messages.print(f"{text}  {row.seconds:.0f} s, {seconds_left / 60:.0f} min left", highlight=False)

        checkpoint = train_recipe(
            chosen, data, runs=runs, root=root, val_only=val_only, skip_bad=skip_bad, progress=show
        )
    if checkpoint:
        summary = ", ".join(f"{split} {scores.accuracy}" for split, scores in checkpoint.card.metrics.items())
        console.print(f"{checkpoint.path}: {summary}", highlight=False)
