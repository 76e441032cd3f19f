"""What the command line does, apart from how it prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from core import images
from core.checkpoints import Checkpoint
from core.data import read
from core.evaluation import RunSummary, summarise
from core.explain import overlay
from core.faces import detector as make_detector
from core.inference import PhotoAnalysis, Predictor, analyze, class_saliency, evaluate
from core.training import EpochRow, Recipe, recipe_from, train, training_samples


def analyze_photos(
    paths: Sequence[Path], predictors: Sequence[Predictor], detector_name: str, *, whole_image: bool
) -> Iterator[tuple[Path, PhotoAnalysis]]:
    """Each photo with its analysis, in the order given. Raises ImageError naming the file."""
    detector = make_detector(detector_name)
    for path in paths:
        try:
            image = images.decode(path.read_bytes())
        except OSError as error:
            raise images.ImageError(f"{path} cannot be read: {error.strerror or error}") from error
        except images.ImageError as error:
            raise images.ImageError(f"{path}: {error}") from error
        yield path, analyze(image, detector, predictors, whole_image=whole_image)


def write_overlays(path: Path, analysis: PhotoAnalysis, predictors: Sequence[Predictor], folder: Path) -> list[Path]:
    """One PNG a face and network: the crop as the network saw it under its map for the class it names."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for number, face in enumerate(analysis.faces, start=1):
        for predictor in predictors:
            prediction = face.predictions[predictor.model_id]
            explanation = class_saliency(predictor, face).explanation(prediction.top)
            picture = overlay(face.inputs[predictor.model_id], explanation.heatmap)
            target = folder / f"{path.stem}-face{number}-{predictor.model_id}-{prediction.expression}.png"
            target.write_bytes(images.encode_png(picture))
            written.append(target)
    return written


def train_with_progress(
    recipe: Recipe, data: Path, *, runs: Path, root: Path, val_only: bool, skip_bad: bool, console: Console
) -> Checkpoint | None:
    """Train with a bar, the latest scores and the time left."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[left]}"))
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(f"{recipe.name}: reading the data", total=recipe.epochs, left="")

        def show(row: EpochRow, seconds_left: float) -> None:
            scores = f"train {row.train_accuracy:.3f}  val {row.val_accuracy:.3f}"
            text = f"{recipe.name}: epoch {row.epoch}/{recipe.epochs}  {scores}"
            bar.update(task, completed=row.epoch, description=text, left=f"{seconds_left / 60:.0f} min left")
            if not console.is_terminal:
                console.print(f"{text}  {row.seconds:.0f} s, {seconds_left / 60:.0f} min left", highlight=False)

        return train(recipe, data, runs=runs, root=root, val_only=val_only, skip_bad=skip_bad, progress=show)


def evaluate_checkpoint(checkpoint: Checkpoint, data: Path, split: str, *, skip_bad: bool) -> RunSummary:
    """Scores of the shipped weights on one split, from a fresh run over its images."""
    card = checkpoint.card
    samples = read(data, size_px=card.preprocessing.size_px, channels=card.preprocessing.channels, skip_bad=skip_bad)
    run = evaluate(
        checkpoint.network(),
        card.preprocessing,
        training_samples(recipe_from(card.recipe), samples),
        split,
        model_id=card.run_id,
        temperature=card.temperature,
    )
    return summarise(run)
