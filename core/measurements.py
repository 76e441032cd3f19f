"""What is measured of an installed network over a data set: scores, embeddings and robustness."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.checkpoints import Checkpoint, ModelCard
from core.data import Samples, read
from core.errors import DataError
from core.evaluation import RunSummary, summarize
from core.evaluation.embedding import Embedding
from core.inference import Predictor, embed_split, evaluate
from core.robustness import Robustness, load_robustness, measure, save_robustness
from core.robustness.measurement import Progress
from core.training import recipe_from, training_samples


def read_samples(card: ModelCard, source: Path, *, skip_bad: bool = False) -> Samples:
    """A data set with the image size, channels and target labels of a network, whether or not it was trained on it."""
    seen = card.preprocessing
    samples = read(source, size_px=seen.size_px, channels=seen.channels, skip_bad=skip_bad)
    return training_samples(recipe_from(card.recipe), samples)


def read_own_samples(card: ModelCard, source: Path, *, skip_bad: bool = False) -> Samples:
    """The data set that a network was trained on. Raises DataError if ``source`` is another one."""
    samples = read_samples(card, source, skip_bad=skip_bad)
    require_fingerprint(card, source, samples.fingerprint())
    return samples


def require_fingerprint(card: ModelCard, source: Path, fingerprint: str) -> None:
    """Raises DataError unless the fingerprint of a data set is that of the data set the network was trained on."""
    if not card.data.matches(fingerprint):
        raise DataError(f"{source} is not the data set of {card.run_id}: {card.data.mismatch(fingerprint)}")


def evaluate_checkpoint(checkpoint: Checkpoint, source: Path, split: str, *, skip_bad: bool = False) -> RunSummary:
    """Scores of the shipped weights on one split, from a new inference over its images."""
    card = checkpoint.card
    run = evaluate(
        checkpoint.network(),
        card.preprocessing,
        read_samples(card, source, skip_bad=skip_bad),
        split,
        model_id=card.run_id,
        temperature=card.temperature,
    )
    return summarize(run)


def embed_checkpoint(
    checkpoint: Checkpoint, source: Path, splits: Sequence[str], *, skip_bad: bool = False
) -> list[tuple[Path, Embedding]]:
    """Compute the embedding of each split from the shipped weights and store it in the checkpoint's folder.

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
        embedding.save(path)
        written.append((path, embedding))
    return written


def measure_robustness(
    checkpoint: Checkpoint, source: Path, split: str, *, skip_bad: bool = False, progress: Progress | None = None
) -> Robustness:
    """Measure one split under every corruption and store the result in the checkpoint's folder.

    An interrupted measurement is resumed from its partial file. Raises DataError if ``source`` is not the data set of
    the card.
    """
    samples = read_own_samples(checkpoint.card, source, skip_bad=skip_bad)
    partial = partial_robustness_path(checkpoint, split)
    found = measure(Predictor.load(checkpoint), samples, split, partial=partial, progress=progress)
    save_robustness(found, checkpoint.robustness_path(split))
    partial.unlink(missing_ok=True)
    return load_robustness(checkpoint, split) or found


def discard_robustness(checkpoint: Checkpoint, split: str) -> None:
    """Delete the stored and the partial measurement of a split, so that it is measured from the beginning."""
    checkpoint.robustness_path(split).unlink(missing_ok=True)
    partial_robustness_path(checkpoint, split).unlink(missing_ok=True)


def partial_robustness_path(checkpoint: Checkpoint, split: str) -> Path:
    """Where an interrupted measurement stores the conditions that are finished."""
    return checkpoint.robustness_path(split).with_suffix(".partial")
