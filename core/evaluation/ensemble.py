"""Several networks combined: the weighted mean of their probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.errors import EvaluationError
from core.evaluation.run import EvaluationRun

ENSEMBLE = "ensemble"  # the model id of a mean of several networks


def ensemble_run(
    runs: Sequence[EvaluationRun], weights: Sequence[float] | None = None, model_id: str = ENSEMBLE
) -> EvaluationRun:
    """The weighted mean of the networks' probabilities, each at its own temperature, as a run.

    The logits of the run are the logarithms of the mean, at temperature 1, so that their softmax is the mean. Raises
    EvaluationError if the runs cannot be paired, and for weights that are negative or all 0.
    """
    shares = normalized_weights(runs, weights)
    members = paired(runs)
    mirrored = [replace(m, logits=m.mirrored).probabilities for m in members if m.mirrored is not None]
    return replace(
        members[0],
        model_id=model_id,
        logits=log_mean_probabilities([m.probabilities for m in members], shares),
        copy_in_train=next((m.copy_in_train for m in members if m.copy_in_train is not None), None),
        temperature=1.0,
        mirrored=log_mean_probabilities(mirrored, shares) if len(mirrored) == len(members) else None,
    )


def mirror_averaged(run: EvaluationRun) -> EvaluationRun:
    """The mean of the probabilities of each image and its mirror image, as a run at temperature 1.

    Raises EvaluationError if the run has no logits of mirror images.
    """
    if run.mirrored is None:
        raise EvaluationError(
            f"{run.model_id} on {run.split}: the mirrored average needs predictions for the mirror images, got none"
        )
    views = [run.probabilities, replace(run, logits=run.mirrored).probabilities]
    return replace(run, logits=log_mean_probabilities(views, [0.5, 0.5]), temperature=1.0, mirrored=None)


def log_mean_probabilities(distributions: Sequence[np.ndarray], shares: Sequence[float]) -> np.ndarray:
    """(..., K) float64: the logarithm of the weighted mean of M distributions (..., K); ``shares`` (M,) sum to 1."""
    mean = np.zeros(distributions[0].shape, order="F")
    for distribution, share in zip(distributions, shares, strict=True):
        mean += share * distribution
    # A probability of 0 must not become minus infinity, which is not a valid logit.
    return np.asarray(np.log(np.maximum(mean, np.finfo(np.float32).tiny)))


def normalized_weights(runs: Sequence[EvaluationRun], weights: Sequence[float] | None) -> tuple[float, ...]:
    """The weights as shares that sum to 1; equal ones if none are given. Raises EvaluationError as ensemble_run."""
    if not runs:
        raise EvaluationError("an ensemble needs at least one network, got none")
    given = np.asarray(weights if weights is not None else [1.0] * len(runs), np.float64)
    if given.shape != (len(runs),) or not np.isfinite(given).all() or (given < 0).any() or not given.any():
        raise EvaluationError(
            f"expected {len(runs)} weights, one per member, none negative and at least one above 0; "
            f"got {given.tolist()}"
        )
    return tuple(float(share) for share in given / given.sum())


def paired(runs: Sequence[EvaluationRun]) -> list[EvaluationRun]:
    """The runs with the same image in each row, in the order of the first. Raises EvaluationError if they differ."""
    return [runs[0], *(runs[0].paired_with(r)[1] for r in runs[1:])]
