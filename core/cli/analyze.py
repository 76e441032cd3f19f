"""``python -m core analyze``: photos -> faces -> what each network predicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from core import checkpoints, images
from core.cli.output import Json, Root, console, print_json, warn, writing
from core.errors import CheckpointError, ImageError, NotFiniteError

if TYPE_CHECKING:
    from core.inference import PhotoAnalysis, Predictor

app = typer.Typer()


@app.command(epilog="Example: `python -m core analyze photo.jpg --model fer_cnn --explain maps --json`")
def analyze(
    photos: Annotated[list[Path], typer.Argument(help="One or more photos.")],
    model: Annotated[list[str] | None, typer.Option("--model", help="A network's name; repeat it for several.")] = None,
    detector: Annotated[
        str, typer.Option(help="auto (YuNet if its file is present or can be fetched, otherwise MTCNN), or a name.")
    ] = "auto",
    whole_image: Annotated[
        bool, typer.Option("--whole-image", help="Use the central square of the photo as the face.")
    ] = False,
    explain: Annotated[Path | None, typer.Option(help="Write saliency overlays (PNG) into this folder.")] = None,
    json_output: Json = False,
    root: Root = checkpoints.ROOT,
) -> None:
    """Find the faces in photos and print what each network predicts for them."""
    from core.export import photo_record

    predictors = load_predictors(root, model)
    result: list[dict[str, Any]] = []
    for path, analysis in analyze_photos(photos, predictors, detector, whole_image=whole_image):
        result.append(photo_record(str(path), analysis))
        if analysis.left_out:
            warn(f"{path}: {NotFiniteError(*analysis.left_out)}; continuing with the other networks")
        if explain:
            write_overlays(path, analysis, predictors, explain)
    if json_output:
        print_json({"photos": result})
        return
    for photo in result:
        table = Table("face", "network", "expression", "probability", title=escape(photo["path"]))
        for number, face in enumerate(photo["faces"], start=1):
            for name, probabilities in face["predictions"].items():
                top = max(probabilities, key=probabilities.get)
                table.add_row(str(number), name, top, f"{probabilities[top]:.3f}")
        console.print(table if photo["faces"] else escape(_no_face(photo)), soft_wrap=True)


def _no_face(photo: dict[str, Any]) -> str:
    from core.faces import detectors

    others = " or ".join(f"--detector {name}" for name in detectors() if name != photo["detector"])
    return f"{photo['path']}: {photo['detector']} found no face; try {others}, or --whole-image"


def load_predictors(root: Path, names: Sequence[str] | None) -> list[Predictor]:
    """The named networks, or all that are installed. Raises CheckpointError if there is none."""
    from core.inference import Predictor

    listing = checkpoints.list_checkpoints(root)
    chosen = [listing.get(name) for name in names] if names else list(listing.with_weights)
    if not chosen:
        raise CheckpointError(f"there is no trained network in {root}; train one with: python -m core train fer_cnn")
    return [Predictor.load(checkpoint) for checkpoint in chosen]


def analyze_photos(
    paths: Sequence[Path], predictors: Sequence[Predictor], detector_name: str, *, whole_image: bool
) -> Iterator[tuple[Path, PhotoAnalysis]]:
    """Each photo with its analysis, in the order given.

    Raises ImageError naming the file, and CheckpointError if every network returned NaN or infinity.
    """
    from core.faces import detector as make_detector
    from core.inference import analyze as analyze_photo

    detector = make_detector(detector_name)
    for path in paths:
        try:
            image = images.decode(path.read_bytes())
        except OSError as error:
            raise ImageError(f"{path} cannot be read: {error.strerror or error}") from error
        except ImageError as error:
            raise ImageError(f"{path}: {error}") from error
        try:
            analysis = analyze_photo(image, detector, predictors, whole_image=whole_image)
        except NotFiniteError as error:
            raise CheckpointError(f"{path}: {error}") from error
        yield path, analysis


def write_overlays(path: Path, analysis: PhotoAnalysis, predictors: Sequence[Predictor], folder: Path) -> list[Path]:
    """One PNG per face and network: the crop under the saliency map of the predicted class."""
    from core.explain import overlay
    from core.inference import class_saliency

    written = []
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for number, face in enumerate(analysis.faces, start=1):
            for predictor in analysis.predicting(predictors):
                prediction = face.predictions[predictor.model_id]
                explanation = class_saliency(predictor, face).explanation(prediction.top)
                picture = overlay(face.inputs[predictor.model_id], explanation.heatmap)
                target = folder / f"{path.stem}-face{number}-{predictor.model_id}-{prediction.expression}.png"
                target.write_bytes(images.encode_png(picture))
                written.append(target)
    return written
