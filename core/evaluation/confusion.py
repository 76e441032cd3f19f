"""Confusion matrices, and which of their cells differ between two networks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.errors import EvaluationError
from core.evaluation.intervals import wilson_bounds
from core.evaluation.run import EvaluationRun
from core.evaluation.significance import ALPHA, exact_mcnemar, holm
from core.labels import LabelSet


@dataclass(frozen=True, eq=False)
class ConfusionMatrix:
    """``counts[i, j]``: images of the true class i for which the network predicts the class j."""

    labels: LabelSet
    counts: np.ndarray  # (K, K) int64

    def __post_init__(self) -> None:
        k = len(self.labels)
        if self.counts.shape != (k, k):
            raise EvaluationError(
                f"the counts must have shape ({k}, {k}) for {self.labels.name}, got {self.counts.shape}"
            )

    @classmethod
    def from_run(cls, run: EvaluationRun) -> ConfusionMatrix:
        """Count the predictions of a run."""
        return cls(run.labels, _cell_counts(run))

    @property
    def n(self) -> int:
        """The number of images."""
        return int(self.counts.sum())

    def by_true(self) -> np.ndarray:
        """(K, K) float64: shares of each true class. Rows sum to 1; the row of a class without images is NaN."""
        return _shares(self.counts, axis=1)

    def by_predicted(self) -> np.ndarray:
        """(K, K) float64: shares of each predicted class. Columns sum to 1; the column of a class that is never
        predicted is NaN."""
        return _shares(self.counts, axis=0)

    def bounds_by_true(self) -> tuple[np.ndarray, np.ndarray]:
        """The lower and upper bounds of the 95 % interval (Wilson) of :meth:`by_true`, (K, K) each."""
        return wilson_bounds(self.counts, np.broadcast_to(self.counts.sum(axis=1, keepdims=True), self.counts.shape))

    def bounds_by_predicted(self) -> tuple[np.ndarray, np.ndarray]:
        """The lower and upper bounds of the 95 % interval (Wilson) of :meth:`by_predicted`, (K, K) each."""
        return wilson_bounds(self.counts, np.broadcast_to(self.counts.sum(axis=0, keepdims=True), self.counts.shape))


@dataclass(frozen=True, eq=False)
class ConfusionDifference:
    """Two networks cell by cell: the share of the true class that the first puts into a cell minus that of the second.

    ``p_holm`` is McNemar's exact test on the images that only one of the two puts into the cell, corrected over all
    cells (Holm 1979).
    """

    labels: LabelSet
    shares: np.ndarray  # (K, K) float64 in [-1, 1]; NaN in the row of a class without images
    p_holm: np.ndarray  # (K, K) float64

    @property
    def significant(self) -> np.ndarray:
        """(K, K) bool: whether the corrected p-value is below 5 %."""
        return np.asarray(self.p_holm < ALPHA)


def confusion_difference(first: EvaluationRun, second: EvaluationRun) -> ConfusionDifference:
    """Compare the confusion matrices of two networks. Raises EvaluationError if the runs cannot be paired."""
    first, second = first.paired_with(second)
    k = len(first.labels)
    shares = ConfusionMatrix.from_run(first).by_true() - ConfusionMatrix.from_run(second).by_true()
    differing = first.predicted != second.predicted
    first_only, second_only = (_cell_counts(run.select(differing)) for run in (first, second))
    p_holm = np.reshape(holm(exact_mcnemar(first_only, second_only).ravel()), (k, k))
    return ConfusionDifference(first.labels, shares, p_holm)


def resampled_counts(counts: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """(R, K, K): confusion counts of bootstrap resamples of the images.

    Drawing images with replacement and counting them is one multinomial draw over the cells, so that a resample costs
    K² numbers instead of N.
    """
    n = int(counts.sum())
    cells = np.flatnonzero(counts)
    drawn = np.zeros((resamples, counts.size), np.int64)
    if n:
        shares = counts.ravel()[cells] / n
        drawn[:, cells] = np.random.default_rng(seed).multinomial(n, shares, size=resamples)
    return drawn.reshape(resamples, *counts.shape)


def _cell_counts(run: EvaluationRun) -> np.ndarray:
    k = len(run.labels)
    return np.bincount(run.truth * k + run.predicted, minlength=k * k).reshape(k, k)


def _shares(counts: np.ndarray, axis: int) -> np.ndarray:
    totals = counts.sum(axis=axis, keepdims=True)
    return np.asarray(np.divide(counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0))
