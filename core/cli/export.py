"""``python -m core export``: a trained network -> a file for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core import checkpoints
from core.cli.output import Root, SkipBad, print_line, require_distinct, warn, writing
from core.errors import ExportError

if TYPE_CHECKING:
    from core.checkpoints import Checkpoint
    from core.exporting.conversion import ExportedNetwork

app = typer.Typer()


@app.command(epilog="Example: `python -m core export cnn --format onnx --quantize int8 --data fer2013.csv`")
def export(
    run: Annotated[str, typer.Argument(help="A trained network's name.")],
    format_name: Annotated[str, typer.Option("--format", help="onnx or torch-export.")] = "onnx",
    quantize: Annotated[
        str | None, typer.Option(help="int8: 8-bit convolutions, calibrated and scored with --data; onnx only.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", envvar="FERSCOPE_DATA", help="The network's data set, for --quantize.")
    ] = None,
    floor: Annotated[
        float | None,
        typer.Option(
            "--accuracy-floor",
            min=0,
            max=1,
            help="Lowest validation accuracy of the 8-bit network; by default 0.01 below that of the 32-bit network.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The file to write; by default RUN.onnx or RUN.pt2.")] = None,
    install: Annotated[
        bool, typer.Option("--install", help="Predict with ONNX Runtime from now on if it is faster on this machine.")
    ] = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="With --quantize, write the file even if its accuracy is below the floor; with --install, install it "
            "even if it is slower.",
        ),
    ] = False,
    skip_bad: SkipBad = False,
    root: Root = checkpoints.ROOT,
) -> None:
    """Export a network with its class maps, labels and preprocessing, after a comparison with PyTorch."""
    if quantize not in (None, "int8"):
        raise typer.BadParameter(f"expected int8, got {quantize!r}", param_hint="--quantize")
    if quantize and format_name != "onnx":
        raise typer.BadParameter("it needs --format onnx", param_hint="--quantize")
    if not quantize and (floor is not None or skip_bad):
        option = "--skip-bad" if floor is None else "--accuracy-floor"
        raise typer.BadParameter("it needs --quantize", param_hint=option)
    if force and not (quantize or install):
        raise typer.BadParameter("it needs --quantize or --install", param_hint="--force")
    if quantize and data is None:
        raise typer.BadParameter("--quantize needs the network's data set", param_hint="--data")
    if install and (quantize or out or format_name != "onnx"):
        raise typer.BadParameter(
            "it cannot be combined with --quantize, --out or another format", param_hint="--install"
        )
    from core.exporting.conversion import export as convert

    checkpoint = checkpoints.list_checkpoints(root).get(run)
    if out:
        require_distinct([*checkpoint.path.iterdir(), *([data] if data else [])], [out])
    exported = convert(checkpoint, format_name)
    if install:
        _install(checkpoint, exported, force=force)
        return
    if quantize and data:
        exported = _quantize(checkpoint, exported, data, floor, force=force, skip_bad=skip_bad)
    path = out or Path(f"{run}{'-int8' if quantize else ''}{exported.format.suffix}")
    with writing(path):
        exported.save(path)
    parity = "" if quantize else f"; outputs differ from PyTorch's by at most {exported.difference:.1e}"
    print_line(f"{path}: {_size(exported)}{parity}")


def _quantize(
    checkpoint: Checkpoint, exported: ExportedNetwork, data: Path, floor: float | None, *, force: bool, skip_bad: bool
) -> ExportedNetwork:
    from core.exporting.quantization import quantize
    from core.measurements import read_own_samples

    card = checkpoint.card
    found = quantize(exported, read_own_samples(card, data, skip_bad=skip_bad), floor=floor)
    split = card.data.split_name("val")
    scores = f"accuracy {found.accuracy} on {split} with 8 bits, {found.accuracy_before} with 32 bits"
    print_line(f"{card.run_id}: {scores}; {_size(found.exported)} instead of {_size(exported)}")
    if not found.accepted:
        sentence = f"the accuracy {found.accuracy.value:.3f} is below the floor of {found.floor:.3f}"
        if not force:
            raise ExportError(f"{sentence}; the file is not written; lower --accuracy-floor or add --force")
        warn(f"{card.run_id}: {sentence}.")
    return found.exported


def _install(checkpoint: Checkpoint, exported: ExportedNetwork, *, force: bool) -> None:
    from core.exporting.installation import install, onnx_over_torch

    ratio = onnx_over_torch(checkpoint, exported)
    with writing(checkpoint.onnx_path):
        install(checkpoint, exported, ratio, force=force)
    print_line(
        f"{checkpoint.onnx_path}: ONNX Runtime takes {ratio:.2f} of PyTorch's time and is used from now on; delete the "
        "file to return to PyTorch"
    )


def _size(exported: ExportedNetwork) -> str:
    return f"{len(exported.data) / 1e6:.1f} MB"
