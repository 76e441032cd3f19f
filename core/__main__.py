"""The command line: ``python -m core --help``.

Tables and progress go to standard error or a terminal; with ``--json`` standard output holds one JSON value and nothing
else, so that it can be piped.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from core import checkpoints
from core.checkpoints import Checkpoint
from core.data_commands import Json, SkipBad, console, data_app, print_json
from core.errors import CheckpointError, FerscopeError, NotFiniteError

app = typer.Typer(
    help="FERscope: facial expression recognition that can be looked into.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_show_locals=False,
    add_completion=False,
)
app.add_typer(data_app, name="data")

messages = Console(stderr=True)

Data = Annotated[
    Path,
    typer.Option(
        "--data", envvar="FERSCOPE_DATA", help="fer2013.csv, a packed Parquet, an image folder or a manifest."
    ),
]
Root = Annotated[Path, typer.Option("--checkpoints", help="Folder of the trained networks.")]


@app.command(epilog="Example: `python -m core models --json`")
def models(json_output: Json = False, root: Root = checkpoints.ROOT) -> None:
    """List the trained networks that are installed."""
    listing = checkpoints.list_checkpoints(root)
    for problem in listing.problems:
        messages.print(f"[yellow]{escape(problem)}")
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


@app.command(epilog="Example: `python -m core analyze photo.jpg --model fer_cnn --explain maps --json`")
def analyze(
    photos: Annotated[list[Path], typer.Argument(help="One or more photos.")],
    model: Annotated[list[str] | None, typer.Option("--model", help="A network's name; repeat it for several.")] = None,
    detector: Annotated[str, typer.Option(help="haar or yunet.")] = "haar",
    whole_image: Annotated[bool, typer.Option("--whole-image", help="Take the photo's center as the face.")] = False,
    explain: Annotated[Path | None, typer.Option(help="Write saliency overlays (PNG) into this folder.")] = None,
    json_output: Json = False,
    root: Root = checkpoints.ROOT,
) -> None:
    """Find the faces of photos and print what each network says of them."""
    from core.commands import analyze_photos, write_overlays
    from core.inference import photo_values

    predictors = _predictors(root, model)
    result: list[dict[str, Any]] = []
    for path, analysis in analyze_photos(photos, predictors, detector, whole_image=whole_image):
        result.append(photo_values(str(path), analysis))
        if analysis.left_out:
            messages.print(f"[yellow]{escape(f'{path}: {NotFiniteError(*analysis.left_out)}; left out')}")
        if explain:
            write_overlays(path, analysis, predictors, explain)
    if json_output:
        print_json({"photos": result})
        return
    for photo in result:
        table = Table("face", "network", "says", "probability", title=escape(photo["path"]))
        for number, face in enumerate(photo["faces"], start=1):
            for name, probabilities in face["predictions"].items():
                top = max(probabilities, key=probabilities.get)
                table.add_row(str(number), name, top, f"{probabilities[top]:.3f}")
        console.print(table if photo["faces"] else f"{escape(photo['path'])}: no face found; try --whole-image")


@app.command(epilog="Example: `python -m core train fer_cnn --data fer2013.csv`")
def train(
    recipe: Annotated[str, typer.Argument(help="A shipped recipe's name or the path of a TOML file.")],
    data: Data,
    runs: Annotated[Path, typer.Option(help="Folder for unfinished runs; the same command goes on there.")] = Path(
        "runs"
    ),
    val_only: Annotated[bool, typer.Option("--val-only", help="Leave the test split unread.")] = False,
    skip_bad: SkipBad = False,
    root: Root = checkpoints.ROOT,
) -> None:
    """Train a recipe, or go on with an interrupted run, and write its checkpoint."""
    from core.commands import train_with_progress
    from core.training.recipe import load_recipe

    checkpoint = train_with_progress(
        load_recipe(recipe), data, runs=runs, root=root, val_only=val_only, skip_bad=skip_bad, console=messages
    )
    if checkpoint:
        scores = ", ".join(f"{split} {summary.accuracy}" for split, summary in checkpoint.card.metrics.items())
        console.print(f"{checkpoint.path}: {scores}", highlight=False)


@app.command(epilog="Example: `python -m core evaluate fer_cnn --data fer2013.csv --split test --json`")
def evaluate(
    run: Annotated[str, typer.Argument(help="A trained network's name.")],
    data: Data,
    split: Annotated[str, typer.Option(help="val (PublicTest) or test (PrivateTest).")] = "test",
    json_output: Json = False,
    skip_bad: SkipBad = False,
    root: Root = checkpoints.ROOT,
) -> None:
    """Run a network over a split from its shipped weights, and print its scores with their intervals."""
    from core.commands import evaluate_checkpoint

    if split not in ("train", "val", "test"):
        raise typer.BadParameter(f"a split is train, val or test, got {split!r}", param_hint="--split")
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
    run: Annotated[str, typer.Argument(help="A trained network's name.")],
    data: Data,
    split: Annotated[
        list[str] | None, typer.Option(help="val (PublicTest) or test (PrivateTest); repeat it for both, the default.")
    ] = None,
    skip_bad: SkipBad = False,
    root: Root = checkpoints.ROOT,
) -> None:
    """Keep a network's penultimate features with its checkpoint, as principal components, for Compare's map."""
    from core.commands import embed_checkpoint

    splits = split or ["val", "test"]
    for name in splits:
        if name not in ("val", "test"):
            raise typer.BadParameter(f"a split is val or test, got {name!r}", param_hint="--split")
    checkpoint = checkpoints.list_checkpoints(root).get(run)
    for path, embedding in embed_checkpoint(checkpoint, data, splits, skip_bad=skip_bad):
        console.print(
            f"{path}: n = {len(embedding):,}, {len(embedding.explained)} of {embedding.features} components explain "
            f"{embedding.explained.sum():.3f} of the variance",
            highlight=False,
        )


@app.command(epilog="Example: `python -m core robustness fer_cnn --data fer2013.csv --split test`")
def robustness(
    run: Annotated[str, typer.Argument(help="A trained network's name.")],
    data: Data,
    split: Annotated[str, typer.Option(help="val (PublicTest) or test (PrivateTest).")] = "test",
    again: Annotated[bool, typer.Option("--again", help="Measure again what is already there.")] = False,
    skip_bad: SkipBad = False,
    root: Root = checkpoints.ROOT,
) -> None:
    """Score a split under blur, noise, other light, JPEG, turning, shifting and hiding; resumable with Ctrl-C."""
    from core.commands import measure_robustness
    from core.robustness import CORRUPTIONS

    if split not in ("val", "test"):
        raise typer.BadParameter(f"a split is val or test, got {split!r}", param_hint="--split")
    checkpoint = checkpoints.list_checkpoints(root).get(run)
    found = measure_robustness(checkpoint, data, split, again=again, skip_bad=skip_bad, console=messages)
    table = Table("perturbation", *"12345", "mean relative drop", title=f"{run} on {split}, n = {found.n:,}")
    table.add_row("none", *[""] * 5, f"accuracy {found.clean}")
    for name, graded in CORRUPTIONS.items():
        accuracies = [f"{found.accuracy(name, strength).value:.3f}" for strength in range(1, 6)]
        table.add_row(graded.title, *accuracies, str(found.relative_drop(name)))
    table.add_row("all", *[""] * 5, str(found.relative_drop()))
    if found.mirror_consistency:
        table.add_row("Mirror image", *[""] * 5, f"same prediction {found.mirror_consistency}")
    console.print(table)


def _predictors(root: Path, names: list[str] | None) -> list[Any]:
    from core.inference import Predictor

    listing = checkpoints.list_checkpoints(root)
    chosen: list[Checkpoint] = [listing.get(n) for n in names] if names else list(listing.checkpoints)
    if not chosen:
        raise CheckpointError(f"there is no trained network in {root}; train one with: python -m core train fer_cnn")
    return [Predictor.load(c) for c in chosen]


def main() -> None:
    """Run the command line; what a user can mend ends in one sentence and exit status 1, Ctrl-C in 130."""
    try:
        app()
    except FerscopeError as error:
        messages.print(f"[bold red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        raise SystemExit(1) from None
    except KeyboardInterrupt as stop:
        messages.print(f"[yellow]{escape(str(stop) or 'stopped')}", highlight=False)
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
