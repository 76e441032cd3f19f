"""Commands about installed networks: ``models``, ``evaluate``, ``embed`` and ``robustness``."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from core import checkpoints
from core.cli.output import (
    Data,
    Device,
    Json,
    Root,
    SkipBad,
    console,
    messages,
    print_json,
    print_line,
    progress_bar,
    require_split,
    warn,
    writing,
)
from core.errors import CheckpointError, NotFiniteError
from core.preprocessing import MAX_SIZE_PX, MIN_SIZE_PX

if TYPE_CHECKING:
    from core.checkpoints import Checkpoint, Listing
    from core.robustness import Robustness

app = typer.Typer()

RunId = Annotated[str, typer.Argument(help="A trained network's name.")]
Split = Annotated[str, typer.Option(help="val or test; FER2013 calls them PublicTest and PrivateTest.")]


@app.command(epilog="Example: `python -m core models --json`")
def models(
    json_output: Json = False,
    measure: Annotated[
        bool, typer.Option("--measure", help="Measure the milliseconds per face and store them in the cards.")
    ] = False,
    device: Device = "auto",
    root: Root = checkpoints.ROOT,
) -> None:
    """List the trained networks that are installed."""
    listing = checkpoints.list_checkpoints(root)
    for problem in listing.problems:
        warn(problem)
    if measure:
        _measure_latencies(listing, device)
        listing = checkpoints.list_checkpoints(root)
    if json_output:
        print_json([c.card.to_json() for c in listing.checkpoints])
        return
    if not listing.checkpoints:
        warn(f"There is no trained network in {root}; train one with: python -m core train cnn --data fer2013.csv")
        return
    table = Table(*("network", "classes", "val", "test", "parameters", "MACs", "ms per face"))
    table.columns[0].no_wrap = True  # commands take the whole name
    for card in (c.card for c in listing.checkpoints):
        scores = [str(card.metrics[s].accuracy) if s in card.metrics else "–" for s in ("val", "test")]
        table.add_row(
            card.run_id,
            card.labels.name,
            *scores,
            f"{card.parameters / 1e6:,.2f} M",
            f"{card.macs / 1e6:,.0f} M",
            f"{card.milliseconds.value:.1f}" if card.milliseconds else "–",
        )
    console.print(table)


def _measure_latencies(listing: Listing, device: str) -> None:
    from core.device import resolve_device
    from core.measurements import measure_latency

    used = resolve_device(device)
    for checkpoint in listing.with_weights:
        try:
            with writing(checkpoint.card_path):
                latency = measure_latency(checkpoint, used).card.milliseconds
        except (CheckpointError, NotFiniteError) as error:
            warn(error.sentence)
        else:
            print_line(f"{checkpoint.card.run_id}: {latency and latency.value} ms per face", messages)


@app.command(epilog="Example: `python -m core evaluate cnn --data fer2013.csv --split test --json`")
def evaluate(
    run: RunId,
    data: Data,
    split: Annotated[
        str,
        typer.Option(
            help="train, val or test, or all for every image of a data set without splits; not train with --save."
        ),
    ] = "test",
    save: Annotated[
        bool, typer.Option("--save", help="Store the predictions with the network and the scores in its card.")
    ] = False,
    json_output: Json = False,
    skip_bad: SkipBad = False,
    root: Root = checkpoints.ROOT,
) -> None:
    """Evaluate a network's weights on a split and print the scores with their intervals.

    A warning says so if the data set is not that of the network's card. Only the classes that the network and the data
    set share are scored.
    """
    from core.measurements import evaluate_checkpoint, save_scores
    from core.records import EvaluationRecord

    require_split(split, ("val", "test", "all") if save else ("train", "val", "test", "all"))
    checkpoint = checkpoints.list_checkpoints(root).get(run)
    found = evaluate_checkpoint(checkpoint, data, split, skip_bad=skip_bad)
    if found.note:
        warn(found.note)
    if save:
        with writing(checkpoint.path):
            save_scores(checkpoint, found)
    if json_output:
        print_json(EvaluationRecord.of(found.run, found.summary, found.data, found.note).model_dump())
        return
    table = Table("score", "value", title=f"{run} on {found.data.title}, {split}, n = {found.summary.n:,}")
    for name in ("accuracy", "accuracy_without_copies", "macro_f1", "balanced_accuracy"):
        score = getattr(found.summary, name)
        table.add_row(name.replace("_", " "), str(score) if score else "not defined")
    console.print(table)


@app.command(
    "import", epilog="Example: `python -m core import net.pt --architecture resnet50 --labels FER7 --stem imagenet`"
)
def import_network(
    weights: Annotated[Path, typer.Argument(help="A safetensors file, or a torch file of a state dict.")],
    architecture: Annotated[str, typer.Option(help="A registered network family, such as resnet50.")],
    labels: Annotated[str, typer.Option(help="FER7, FERPLUS8, AFFECTNET8, PAIN6, or class names with commas.")],
    name: Annotated[str | None, typer.Option(help="Name of the network; by default that of the file.")] = None,
    size: Annotated[
        int, typer.Option(min=MIN_SIZE_PX, max=MAX_SIZE_PX, help="Side of the network's input in px.")
    ] = 48,
    mean: Annotated[float, typer.Option(help="Mean of the pixels, which are in [0, 1].")] = 0.5,
    std: Annotated[float, typer.Option(min=1e-6, help="Standard deviation of the pixels.")] = 0.25,
    stem: Annotated[
        str | None, typer.Option(help="48px or imagenet, for resnet50 and mobilenet_v2; torchvision's is imagenet.")
    ] = None,
    root: Root = checkpoints.ROOT,
) -> None:
    """Import a network that was trained elsewhere; `evaluate --save` then adds its scores."""
    from core.importing import ImportOptions, import_weights
    from core.labels import parse_labels

    options = ImportOptions(
        name=name or re.sub(r"[^a-z0-9_-]+", "_", weights.stem.lower()),
        architecture=architecture,
        labels=parse_labels(labels),
        size_px=size,
        mean=mean,
        std=std,
        model_options={} if stem is None else {"stem": stem},
    )
    checkpoint = import_weights(weights, options, root)
    print_line(f"{checkpoint.path}: imported; add its scores with: {checkpoint.card.scoring_command()}")


@app.command(epilog="Example: `python -m core embed cnn --data fer2013.csv`")
def embed(
    run: RunId,
    data: Data,
    split: Annotated[
        list[str] | None, typer.Option(help="val or test; repeat the option for both, the default.")
    ] = None,
    skip_bad: SkipBad = False,
    root: Root = checkpoints.ROOT,
) -> None:
    """Store the features before a network's last layer as principal components, with their t-SNE map, for Compare."""
    from core.measurements import embed_checkpoint

    splits = [require_split(name, ("val", "test")) for name in split or ("val", "test")]
    checkpoint = checkpoints.list_checkpoints(root).get(run)
    with writing(checkpoint.path):
        written = embed_checkpoint(checkpoint, data, splits, skip_bad=skip_bad)
    for path, embedding in written:
        print_line(
            f"{path}: n = {len(embedding):,}, {len(embedding.explained)} of {embedding.features} components explain "
            f"{embedding.explained.sum():.3f} of the variance"
        )


@app.command(epilog="Example: `python -m core robustness cnn --data fer2013.csv --split test`")
def robustness(
    run: RunId,
    data: Data,
    split: Split = "test",
    again: Annotated[
        bool, typer.Option("--again", help="Measure from the beginning and replace the stored measurement.")
    ] = False,
    skip_bad: SkipBad = False,
    root: Root = checkpoints.ROOT,
) -> None:
    """Score a split under blur, noise, changed lighting, JPEG, rotation, shift and occlusion.

    The same command resumes a measurement that was interrupted.
    """
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
    from core.measurements import can_be_resumed, measure_robustness

    run_id = checkpoint.card.run_id
    with progress_bar() as bar:
        task = bar.add_task(f"{run_id}: reading the data", total=1, left="")
        # At the first report: reading the data takes a while, and a resumed measurement begins with earlier results.
        first: tuple[float, int] | None = None
        last_title = ""

        def show(title: str, finished: int, total: int) -> None:
            nonlocal first, last_title
            first = first or (time.monotonic(), finished)
            seconds, images = time.monotonic() - first[0], finished - first[1]
            left = f"{seconds / images * (total - finished) / 60:.0f} min left" if images else ""
            text = f"{run_id}, {split}: {title}"
            bar.update(task, total=total, completed=finished, description=text, left=left)
            if not messages.is_terminal and title != last_title:
                print_line(f"{text}, {finished:,} of {total:,}{left and f', {left}'}", messages)
            last_title = title

        try:
            return measure_robustness(
                checkpoint, data, split, skip_bad=skip_bad, again=again, report=warn, progress=show
            )
        except KeyboardInterrupt:
            if not can_be_resumed(checkpoint, split):
                raise KeyboardInterrupt("Stopped before the first result; nothing was changed.") from None
            command = "the command without --again" if again else "the same command"
            raise KeyboardInterrupt(
                f"Stopped{last_title and f' at {last_title}'}; {command} resumes the measurement."
            ) from None
