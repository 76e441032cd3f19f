"""``python -m core train``: a recipe and a data set -> a checkpoint; or several recipes within a time budget."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core import checkpoints
from core.cli.output import ChosenSplit, Data, Root, Seed, SkipBad, messages, print_line, progress_bar, require_writable

if TYPE_CHECKING:
    from core.training import EpochRow, Recipe

app = typer.Typer()

BUDGET_S = 540.0  # of a plan


@app.command(
    epilog="Example: `python -m core train cnn --data fer2013.csv`, or "
    "`python -m core train --plan core/training/plans/gpu.toml --budget-s 540 --out results --data fer2013.csv`"
)
def train(
    data: Data,
    recipe: Annotated[str | None, typer.Argument(help="A shipped recipe's name or the path of a TOML file.")] = None,
    runs: Annotated[Path, typer.Option(help="Folder for unfinished runs; the same command resumes them.")] = Path(
        "runs"
    ),
    val_only: Annotated[bool, typer.Option("--val-only", help="Do not read the test split.")] = False,
    ship_weights: Annotated[
        bool,
        typer.Option(
            "--weights/--no-weights",
            help="Store the weights, or everything else only.",
        ),
    ] = True,
    plan: Annotated[Path | None, typer.Option(help="A TOML file that lists recipes in order of value.")] = None,
    budget_s: Annotated[
        float | None, typer.Option(min=1, help=f"Seconds that the plan may take, by default {BUDGET_S:.0f}.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the plan's checkpoints, packed for transport.")] = None,
    split: ChosenSplit = None,
    seed: Seed = 0,
    skip_bad: SkipBad = False,
    root: Root = checkpoints.ROOT,
) -> None:
    """Train a recipe, or resume an interrupted run, and write its checkpoint; or do so for the recipes of a plan.

    The exit status of a plan is 1 if a run failed; a run that does not fit into the budget has not failed.
    """
    if (recipe is None) == (plan is None):
        found = "got neither; give one of them" if recipe is None else "got both; remove one of them"
        raise typer.BadParameter(f"expected either a recipe or --plan, {found}", param_hint="RECIPE")
    options: dict[str, Any] = {
        "runs": runs,
        "root": root,
        "val_only": val_only,
        "skip_bad": skip_bad,
        "split": split,
        "seed": seed,
        "ship_weights": ship_weights,
    }
    if plan is not None:
        budget_s = BUDGET_S if budget_s is None else budget_s
        _train_plan(plan, data, out or Path("results"), budget_s=budget_s, **options)
        return
    if out is not None or budget_s is not None:
        raise typer.BadParameter("they need --plan", param_hint="--out, --budget-s")
    from core.training import load_recipe
    from core.training import train as train_recipe

    chosen = load_recipe(str(recipe))
    with progress_bar() as bar:
        task = bar.add_task(f"{chosen.name}: reading the data", total=chosen.epochs, left="")

        def show(recipe: Recipe, row: EpochRow, seconds_left: float) -> None:
            text, left = _epoch(recipe, row), f"{seconds_left / 60:.0f} min left"
            bar.update(task, total=recipe.epochs, completed=row.epoch, description=text, left=left)
            if not messages.is_terminal:
                _print_epoch(recipe, row, seconds_left)

        checkpoint = train_recipe(chosen, data, **options, progress=show)
    if checkpoint:
        summary = ", ".join(f"{split} {scores.accuracy}" for split, scores in checkpoint.card.metrics.items())
        print_line(f"{checkpoint.path}: {summary}")


def _train_plan(plan: Path, data: Path, out: Path, **options: Any) -> None:
    from core.training.plan import run_plan

    readme = out / "README"
    require_writable([readme])
    outcomes = run_plan(plan, data, out=out, progress=_print_epoch, **options)
    print_line(readme.read_text(encoding="utf-8"))
    if any(outcome.failed for outcome in outcomes):
        raise typer.Exit(1)


def _epoch(recipe: Recipe, row: EpochRow) -> str:
    scores = f"train {row.train_accuracy:.3f}  val {row.val_accuracy:.3f}"
    return f"{recipe.name}: epoch {row.epoch}/{recipe.epochs}  {scores}"


def _print_epoch(recipe: Recipe, row: EpochRow, seconds_left: float) -> None:
    print_line(f"{_epoch(recipe, row)}  {row.seconds:.1f} s, {seconds_left / 60:.1f} min left", messages)
