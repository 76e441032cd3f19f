"""Measurements of an installed network: scores, embeddings and robustness on a data set, and its latency."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from core.checkpoints import Checkpoint, Latency, ModelCard, load_checkpoint, save_card
from core.data import Samples, read
from core.data.identity import identify
from core.data.info import DatasetInfo
from core.data.splits import ALL
from core.device import describe_device
from core.errors import CheckpointError, DataError, RecipeError, RobustnessError, SplitError
from core.evaluation import EvaluationRun, RunSummary, fit_temperature, summarize
from core.evaluation.embedding import Embedding
from core.inference import Predictor, embed_split, evaluate, milliseconds_per_face
from core.robustness import Robustness, load_robustness, measure, save_robustness
from core.robustness.measurement import Progress
from core.training import labeled_for, recipe_from


def read_own_samples(card: ModelCard, source: Path, *, skip_bad: bool = False) -> Samples:
    """The data set that a network was trained on, with its image size, channels and target labels.

    Raises DataError if ``source`` is another one, or if the network's own is not known yet.
    """
    card.require_known_data()
    samples = card.read_data(source, skip_bad=skip_bad)
    labeled = labeled_for(card, recipe_from(card.recipe), samples)
    card.require_data(source, identify(samples, labeled))
    return labeled


@dataclass(frozen=True)
class _DataToScore:
    """A data set with the labels on which a network is scored: the FER+ majority only where there are votes."""

    labeled: Samples
    data: DatasetInfo
    on_own_labels: bool  # although the network learned the majority, because there are no votes

    @classmethod
    def of(cls, card: ModelCard, samples: Samples) -> _DataToScore:
        lacks_votes = samples.votes is None
        try:
            recipe = recipe_from(card.recipe)
            recipe = dataclasses.replace(recipe, target="label") if lacks_votes else recipe
            labeled = labeled_for(card, recipe, samples)
        except RecipeError:  # other classes than the network's
            labeled = samples
        return cls(labeled, identify(samples, labeled), lacks_votes and card.recipe.get("target") == "ferplus")


def _read_to_score(card: ModelCard, source: Path, split: str, *, skip_bad: bool) -> _DataToScore:
    """A data set divided like the network's own if it is that, otherwise by its own splits.

    Images without splits are all test images for ``"all"``; any other split raises SplitError.
    """
    if card.data.shares:
        with contextlib.suppress(SplitError):
            found = _DataToScore.of(card, card.read_data(source, skip_bad=skip_bad))
            if card.data.matches(*found.data.fingerprints):
                return found
    seen = card.preprocessing
    read_with = functools.partial(read, source, size_px=seen.size_px, channels=seen.channels, skip_bad=skip_bad)
    try:
        samples = read_with()
    except SplitError as error:
        if split != ALL:
            raise SplitError(error.fact, f"score all of its images with --split {ALL}") from error
        samples = read_with(split=ALL)
    return _DataToScore.of(card, samples)


@dataclass(frozen=True)
class CheckpointScores:
    """Scores of an installed network on a data set, which may be another one than that of its card."""

    run: EvaluationRun
    summary: RunSummary
    data: DatasetInfo
    note: str  # why the scores cannot be compared with the card's; empty where they can


def evaluate_checkpoint(
    checkpoint: Checkpoint, source: Path, split: str, *, skip_bad: bool = False
) -> CheckpointScores:
    """Scores of the shipped weights on one split, or on ``"all"`` images, from a new inference over the images.

    A data set with other classes is scored on those that the network shares. Raises LabelError for fewer than two, and
    SplitError for a data set without splits, unless all of its images are scored.
    """
    card, notes = checkpoint.card, []
    found = _read_to_score(card, source, split, skip_bad=skip_bad)
    labeled, data = found.labeled, found.data
    is_other = bool(card.data.fingerprint) and not card.data.matches(*data.fingerprints)
    if is_other:
        notes.append(f"{source} is not the data set of {card.run_id} ({card.data.mismatch(data.fingerprint)}).")
    if found.on_own_labels:
        notes.append(f"{data.title} has no FER+ votes, so its own labels are scored.")
    if split == ALL:
        if others := sorted({*labeled.split} - {"test"}):
            notes.append(f"All images of {data.title} are scored, those of {' and '.join(others)} included.")
        labeled, split = dataclasses.replace(labeled, split=np.full(len(labeled), "test")), "test"
    if labeled.labels.classes != card.labels.classes:
        shared = card.labels.shared_with(labeled.labels)
        notes.append(f"Only the shared classes are scored: {', '.join(shared.classes)}.")
        labeled = labeled.restricted_to(shared)
    run = evaluate(
        checkpoint.network(),
        card.preprocessing,
        labeled,
        split,
        model_id=card.run_id,
        temperature=card.temperature,
        labels=card.labels,
        trained_on_train=not is_other,
    )
    return CheckpointScores(run, summarize(run), data, " ".join(notes))


def save_scores(checkpoint: Checkpoint, scores: CheckpointScores) -> None:
    """Store predictions with the checkpoint and their scores in its card.

    A card without a data set, that of an imported network, gets this one. A card without scores on the val split gets
    the temperature that is fitted on it, which also changes the scores on the test split. Raises DataError for a data
    set other than the card's and for the train split.
    """
    checkpoint = _reread(checkpoint)
    card = checkpoint.card
    run = dataclasses.replace(scores.run, temperature=card.temperature)  # it may have been fitted in the meantime
    if run.split not in ("val", "test"):
        raise DataError(f"only the scores of the val and test splits can be stored, got {run.split}")
    if scores.note:
        raise DataError(f"the scores cannot be stored with {card.run_id}: {scores.note}")
    if card.data.fingerprint and not card.data.matches(*scores.data.fingerprints):
        raise DataError(
            f"the scores cannot be stored with {card.run_id}, which in the meantime got those of another data set "
            f"({card.data.title})"
        )
    metrics = dict(card.metrics)
    if run.split == "val" and "val" not in metrics:
        temperature = fit_temperature(run.logits, run.truth)
        card = dataclasses.replace(card, temperature=temperature)
        run = dataclasses.replace(run, temperature=temperature)
        for split in metrics:
            metrics[split] = summarize(dataclasses.replace(checkpoint.evaluation(split), temperature=temperature))
    run.save(checkpoint.predictions_path(run.split))
    metrics[run.split] = summarize(run)
    data = card.data if card.data.fingerprint else scores.data
    save_card(dataclasses.replace(card, metrics=metrics, data=data), checkpoint.path)


def _reread(checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint with its card as it is now: another command may have stored something since it was read.

    Raises CheckpointError if the network itself was replaced.
    """
    now = load_checkpoint(checkpoint.path)
    if now.card.weights_sha256 != checkpoint.card.weights_sha256:
        raise CheckpointError(
            f"{now.card.run_id} was replaced by other weights during the measurement; run the command again"
        )
    return now


def measure_latency(checkpoint: Checkpoint, device: torch.device) -> Checkpoint:
    """Measure the milliseconds per face and store them in the card. Raises CheckpointError and NotFiniteError."""
    elapsed_ms = milliseconds_per_face(Predictor.load(checkpoint, device))
    checkpoint = _reread(checkpoint)
    card = dataclasses.replace(checkpoint.card, milliseconds=Latency(round(elapsed_ms, 2), describe_device(device)))
    save_card(card, checkpoint.path)
    return Checkpoint(checkpoint.path, card)


def embed_checkpoint(
    checkpoint: Checkpoint, source: Path, splits: Sequence[str], *, skip_bad: bool = False
) -> list[tuple[Path, Embedding]]:
    """Compute the embedding of each split from the shipped weights and store it with its t-SNE map in the folder.

    Raises DataError if ``source`` is not the data set of the card: the row numbers would refer to other images.
    """
    card, network = checkpoint.card, checkpoint.network()
    samples = read_own_samples(card, source, skip_bad=skip_bad)
    written = []
    for split in splits:
        path = checkpoint.embeddings_path(split)
        embedding = embed_split(
            network, card.preprocessing, samples, split, model_id=card.run_id, weights_sha256=card.weights_sha256
        )
        checkpoint.save_embedding(embedding)
        written.append((path, embedding))
    return written


def can_be_resumed(checkpoint: Checkpoint, split: str) -> bool:
    """Whether a measurement of robustness was interrupted after its first results."""
    return _partial(checkpoint, split).is_file()


def _partial(checkpoint: Checkpoint, split: str) -> Path:
    return checkpoint.robustness_path(split).with_suffix(".partial")


def measure_robustness(
    checkpoint: Checkpoint,
    source: Path,
    split: str,
    *,
    skip_bad: bool = False,
    again: bool = False,
    report: Callable[[str], None] | None = None,
    progress: Progress | None = None,
) -> Robustness:
    """The stored measurement of one split under every corruption if there is one, otherwise a new one, which is stored
    in the checkpoint's folder.

    An interrupted measurement is resumed from its partial file. ``again`` measures from the beginning; the stored
    measurement remains until the new one is complete. ``report`` receives a sentence about a stored measurement that
    cannot be used. Raises DataError, before anything is changed, if ``source`` is not the data set of the card.
    """
    samples = read_own_samples(checkpoint.card, source, skip_bad=skip_bad)
    partial = _partial(checkpoint, split)
    if not again and not partial.is_file():  # a partial file means that a newer measurement was interrupted
        try:
            if stored := load_robustness(checkpoint, split):
                return stored
        except RobustnessError as error:
            if report:
                report(error.sentence)
    found = measure(Predictor.load(checkpoint), samples, split, partial=partial, again=again, progress=progress)
    save_robustness(found, checkpoint.robustness_path(split))
    partial.unlink(missing_ok=True)
    return load_robustness(checkpoint, split) or found
