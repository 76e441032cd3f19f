"""What the command line does, apart from how it prints."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn

from core import images
from core.checkpoints import Checkpoint, ModelCard
from core.data import ImageFacts, Samples, describe, read
from core.data.image_facts import table_path
from core.errors import CheckpointError, DataError, ImageError, NotFiniteError, RobustnessError
from core.evaluation import RunSummary, summarize
from core.evaluation.embedding import Embedding
from core.explain import overlay
from core.faces import detector as make_detector
from core.inference import PhotoAnalysis, Predictor, analyze, class_saliency, embed_split, embedding_path, evaluate
from core.robustness import Robustness, load_robustness, measure, robustness_path, save_robustness
from core.training import EpochRow, Recipe, recipe_from, train, training_samples


def analyze_photos(
    paths: Sequence[Path], predictors: Sequence[Predictor], detector_name: str, *, whole_image: bool
) -> Iterator[tuple[Path, PhotoAnalysis]]:
    """Each photo with its analysis, in the order given. Raises ImageError naming the file, and CheckpointError where
    every network met a value that is not a finite number."""
    detector = make_detector(detector_name)
    for path in paths:
        try:
            image = images.decode(path.read_bytes())
        except OSError as error:
            raise ImageError(f"{path} cannot be read: {error.strerror or error}") from error
        except ImageError as error:
            raise ImageError(f"{path}: {error}") from error
        try:
            analysis = analyze(image, detector, predictors, whole_image=whole_image)
        except NotFiniteError as error:
            raise CheckpointError(f"{path}: {error}") from error
        yield path, analysis


def write_overlays(path: Path, analysis: PhotoAnalysis, predictors: Sequence[Predictor], folder: Path) -> list[Path]:
    """One PNG a face and network: the crop as the network saw it under its map for the class it names."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for number, face in enumerate(analysis.faces, start=1):
        for predictor in analysis.answering(predictors):
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
    return summarize(run)


def embed_checkpoint(
    checkpoint: Checkpoint, data: Path, splits: Sequence[str], *, skip_bad: bool
) -> list[tuple[Path, Embedding]]:
    """Make the embedding of each split from the shipped weights and keep it in the checkpoint's folder.

    Raises DataError where ``data`` is not what the network was trained with: the row numbers would name other images.
    """
    card, network = checkpoint.card, checkpoint.network()
    samples = _own_samples(card, data, skip_bad=skip_bad)
    written = []
    for split in splits:
        path = embedding_path(checkpoint.path, split)
        embedding = embed_split(
            network, card.preprocessing, samples, split, model_id=card.run_id, weights_sha256=card.weights_sha256
        )
        embedding.save(path)
        written.append((path, embedding))
    return written


def measure_robustness(
    checkpoint: Checkpoint, data: Path, split: str, *, again: bool, skip_bad: bool, console: Console
) -> Robustness:
    """Measure a split under every perturbation, with a bar and the time left, and keep it in the checkpoint's folder.

    What is there and fits is not measured again unless ``again``. An interrupted run goes on with the same command.
    Raises DataError where ``data`` is not what the network was trained with.
    """
    card, path = checkpoint.card, robustness_path(checkpoint, split)
    kept = path.with_suffix(".partial")
    if again:
        path.unlink(missing_ok=True)
        kept.unlink(missing_ok=True)
    try:
        stored = load_robustness(checkpoint, split)
    except RobustnessError as error:
        console.print(f"[yellow]{escape(str(error))}", highlight=False)
        stored = None
    if stored is not None:
        return stored
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[left]}"))
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(f"{card.run_id}: reading the data", total=1, left="")
        samples = _own_samples(card, data, skip_bad=skip_bad)
        begun, before, told = time.monotonic(), -1, ""

        def show(title: str, answered: int, total: int) -> None:
            nonlocal before, told
            # An interrupted run begins with answers that took no time now.
            before = answered - 1 if before < 0 else before
            left = (time.monotonic() - begun) / max(answered - before, 1) * (total - answered)
            text = f"{card.run_id}, {split}: {title}"
            bar.update(task, total=total, completed=answered, description=text, left=f"{left / 60:.0f} min left")
            if not console.is_terminal and title != told:
                console.print(f"{text}, {answered:,} of {total:,}, {left / 60:.0f} min left", highlight=False)
            told = title

        try:
            found = measure(Predictor.load(checkpoint), samples, split, partial=kept, progress=show)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"stopped at {told or 'the data'}; the same command goes on") from None
    save_robustness(found, path)
    kept.unlink(missing_ok=True)
    return load_robustness(checkpoint, split) or found


def _own_samples(card: ModelCard, data: Path, *, skip_bad: bool) -> Samples:
    """The data set a network was trained with. Raises DataError where ``data`` is another one."""
    samples = training_samples(
        recipe_from(card.recipe),
        read(data, size_px=card.preprocessing.size_px, channels=card.preprocessing.channels, skip_bad=skip_bad),
    )
    found = samples.fingerprint()
    if found != card.data["fingerprint"]:
        raise DataError(
            f"{data} is not the data set of {card.run_id}: expected {card.data['name']} with the fingerprint "
            f"{card.data['fingerprint'][:12]}…, got {found[:12]}…"
        )
    return samples


def describe_data(
    path: Path, out: Path | None, *, size_px: int, channels: int, skip_bad: bool
) -> tuple[Path, ImageFacts]:
    """Measure every image of a data set and write the table, to ``out`` or to where the pages look for it."""
    facts = describe(read(path, size_px=size_px, channels=channels, skip_bad=skip_bad))
    target = out or table_path(facts)
    try:
        facts.save(target)
    except OSError as error:
        raise DataError(f"{target} cannot be written: {error}") from error
    return target, facts
