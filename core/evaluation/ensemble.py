"""Several networks as one: the weighted mean of their probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.errors import EvaluationError
from core.evaluation.probabilities import log_of_mean
from core.evaluation.run import EvaluationRun


def ensemble_run(
    runs: Sequence[EvaluationRun], weights: Sequence[float] | None = None, model_id: str = "ensemble"
) -> EvaluationRun:
    """The weighted mean of the members' probabilities, each at its own temperature, as a run of its own.

    Stored as log-probabilities at temperature 1, so that softmax gives the mean back. Raises EvaluationError for
    members that cannot be paired and for weights that are negative or all 0.
    """
    shares = shares_of(runs, weights)
    members = paired(runs)
    temperatures = [m.temperature for m in members]
    logits = log_of_mean([m.logits for m in members], temperatures, shares)
    views = [m.mirrored for m in members if m.mirrored is not None]
    mirrored = log_of_mean(views, temperatures, shares) if len(views) == len(members) else None
    copies = next((m.copy_in_train for m in members if m.copy_in_train is not None), None)
    return replace(
        members[0], model_id=model_id, logits=logits, copy_in_train=copies, temperature=1.0, mirrored=mirrored
    )


def shares_of(runs: Sequence[EvaluationRun], weights: Sequence[float] | None) -> tuple[float, ...]:
    """The weights, all alike where none are given, as shares of 1. Raises EvaluationError as :func:`ensemble_run`."""
    if not runs:
        raise EvaluationError("an ensemble needs at least one network, got none")
    given = np.asarray(weights if weights is not None else [1.0] * len(runs), np.float64)
    if given.shape != (len(runs),) or not np.isfinite(given).all() or (given < 0).any() or not given.any():
        raise EvaluationError(
            f"{len(runs)} members need as many weights, none negative, not all 0; got {given.tolist()}"
        )
    return tuple(float(share) for share in given / given.sum())


def paired(runs: Sequence[EvaluationRun]) -> list[EvaluationRun]:
    """The runs with row i on the same image, in the first one's order. Raises EvaluationError where they differ."""
    return [runs[0], *(runs[0].paired_with(r)[1] for r in runs[1:])]
