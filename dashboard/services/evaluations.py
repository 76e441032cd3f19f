"""Stored predictions of networks on data sets, and what is computed from them; shared by all sessions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

import core.evaluation
from core.caching import Cache
from core.checkpoints import Checkpoint
from core.errors import CheckpointError, EvaluationError
from core.evaluation import EvaluationRun, PairedComparison, RunSummary, compare_all, threshold_for
from core.evaluation.embedding import Embedding
from core.evaluation.tsne import TsneMap
from dashboard.services.networks import listing, runtime

if TYPE_CHECKING:
    from core.robustness import Robustness


def results() -> Cache:
    """Results of data sets that take long, such as t-SNE maps; runs are compared by identity and can be in the keys."""
    return runtime().results


def evaluation(checkpoint: Checkpoint, split: str) -> EvaluationRun:
    """The stored predictions of a network. Raises CheckpointError if that split has none that can be used."""
    return runtime().evaluation(checkpoint, split)


def group_evaluation(model_ids: Sequence[str], split: str) -> EvaluationRun:
    """The stored predictions of an ensemble of equal weights, or of a single network. Raises CheckpointError if a
    network has none, and EvaluationError if they are about other images."""
    found = listing()
    runs = [evaluation(found.get(model_id), split) for model_id in model_ids]
    return ensemble(runs) if len(runs) > 1 else runs[0]


def sure_threshold(model_ids: Sequence[str], required_accuracy: float) -> float | None:
    """The lowest probability at which a prediction of these networks is called sure, chosen on the validation images;
    None where there is none."""
    try:
        return threshold_for(group_evaluation(model_ids, "val"), required_accuracy)
    except (CheckpointError, EvaluationError):
        return None


def ensemble(runs: Sequence[EvaluationRun], weights: Sequence[float] | None = None) -> EvaluationRun:
    """The weighted mean of the networks' probabilities. Raises EvaluationError for runs on other images."""
    return runtime().ensemble(runs, weights)


def summary(run: EvaluationRun) -> RunSummary:
    """Scores with intervals."""
    return runtime().summary(run)


def paired_tests(runs: Sequence[EvaluationRun]) -> tuple[PairedComparison, ...]:
    """Every pair of runs compared; empty for fewer than two. Raises EvaluationError for runs on other images."""
    return results().get(("paired tests", *runs), lambda: compare_all(runs))


def error_table(run: EvaluationRun, others: Sequence[EvaluationRun], networks: Sequence[EvaluationRun]) -> pd.DataFrame:
    """One row per image of ``run`` with the others' predictions and the disagreement of the networks. Raises
    EvaluationError for runs on other images."""
    key = ("error table", run, tuple(others), tuple(networks))
    return results().get(key, lambda: core.evaluation.error_table(run, others, networks))


def robustness(checkpoint: Checkpoint, split: str) -> Robustness | None:
    """The stored robustness of a split; None if it was not measured. Raises RobustnessError for a damaged file."""
    return runtime().robustness(checkpoint, split)


def embedding(checkpoint: Checkpoint, split: str) -> Embedding:
    """The stored embedding of a split. Raises CheckpointError naming the command that computes it."""
    return runtime().embedding(checkpoint, split)


def tsne(checkpoint: Checkpoint, split: str) -> TsneMap | None:
    """The stored t-SNE map of an embedding, None if there is none that fits it. Raises CheckpointError as
    :func:`embedding`."""
    return runtime().tsne(checkpoint, split)
