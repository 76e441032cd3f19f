"""Several networks as one: the weighted mean of their probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.evaluation.probabilities import log_of_mean
from core.evaluation.run import EvaluationError, EvaluationRun


def ensemble_run(
    runs: Sequence[EvaluationRun], weights: Sequence[float] | None = None, model_id: str = "ensemble"
) -> EvaluationRun:
    """The weighted mean of the members' probabilities, each at its own temperature, as a run of its own.

    Stored as log-probabilities at temperature 1, so that softmax gives the mean back. Raises EvaluationError for
    members that cannot be paired and for weights that are negative or all 0.
    """
    if not runs:
        raise EvaluationError("an ensemble needs at least one network, got none")
    shares = np.asarray(weights if weights is not None else [1.0] * len(runs), np.float64)
    if shares.shape != (len(runs),) or not np.isfinite(shares).all() or (shares < 0).any() or not shares.any():
        raise EvaluationError(
            f"{len(runs)} members need as many weights, none negative, not all 0; got {shares.tolist()}"
        )
    first = runs[0]
    members = [first, *(first.paired_with(r)[1] for r in runs[1:])]
    temperatures, shares = [m.temperature for m in members], shares / shares.sum()
    logits = log_of_mean([m.logits for m in members], temperatures, shares)
    views = [m.mirrored for m in members if m.mirrored is not None]
    mirrored = log_of_mean(views, temperatures, shares) if len(views) == len(members) else None
    copies = next((m.copy_in_train for m in members if m.copy_in_train is not None), None)
    return replace(first, model_id=model_id, logits=logits, copy_in_train=copies, temperature=1.0, mirrored=mirrored)
