"""Which class is taken for which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from statsmodels.stats.proportion import proportion_confint

from core.errors import EvaluationError
from core.evaluation.intervals import CONFIDENCE
from core.evaluation.run import EvaluationRun
from core.labels import LabelSet


@dataclass(frozen=True, eq=False)
class ConfusionMatrix:
    """``counts[i, j]``: images of true class i that were answered j."""

    labels: LabelSet
    counts: np.ndarray  # (K, K) int64

    def __post_init__(self) -> None:
        k = len(self.labels)
        if self.counts.shape != (k, k):
            raise EvaluationError(f"counts must have shape ({k}, {k}) for {self.labels.name}, got {self.counts.shape}")

    @classmethod
    def from_run(cls, run: EvaluationRun) -> ConfusionMatrix:
        """Count the answers of a run."""
        k = len(run.labels)
        # Not scikit-learn's: it looks each class up by its name, which takes most of the time of a million images.
        return cls(run.labels, np.bincount(run.truth * k + run.predicted, minlength=k * k).reshape(k, k))

    @property
    def n(self) -> int:
        """Images counted."""
        return int(self.counts.sum())

    def by_true(self) -> np.ndarray:
        """(K, K) float64: shares of each true class, rows sum to 1; NaN in the row of a class without images."""
        return _shares(self.counts, axis=1)

    def by_predicted(self) -> np.ndarray:
        """(K, K) float64: shares of each answer, columns sum to 1; NaN in the column of a class never answered."""
        return _shares(self.counts, axis=0)

    def bounds_by_true(self) -> tuple[np.ndarray, np.ndarray]:
        """Wilson's 95 % interval of each share of :meth:`by_true`: low and high, (K, K) each."""
        return _bounds(self.counts, axis=1)

    def bounds_by_predicted(self) -> tuple[np.ndarray, np.ndarray]:
        """Wilson's 95 % interval of each share of :meth:`by_predicted`: low and high, (K, K) each."""
        return _bounds(self.counts, axis=0)

    def minus(self, other: ConfusionMatrix) -> np.ndarray:
        """(K, K) float64 in [-1, 1]: shares by true class here minus there. Raises EvaluationError on other classes."""
        if self.labels.classes != other.labels.classes:
            raise EvaluationError(
                f"a difference needs the same classes, got {', '.join(self.labels.classes)} and "
                f"{', '.join(other.labels.classes)}"
            )
        return np.asarray(self.by_true() - other.by_true())


def resampled_counts(counts: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """(R, K, K): confusion counts of bootstrap resamples of the images.

    Drawing images with replacement and counting them is one multinomial draw over the cells, so a resample costs K²
    numbers and not N.
    """
    n = int(counts.sum())
    cells = np.flatnonzero(counts)
    drawn = np.zeros((resamples, counts.size), np.int64)
    if n:
        shares = counts.ravel()[cells] / n
        drawn[:, cells] = np.random.default_rng(seed).multinomial(n, shares, size=resamples)
    return drawn.reshape(resamples, *counts.shape)


def _bounds(counts: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    totals = np.broadcast_to(counts.sum(axis=axis, keepdims=True), counts.shape)
    low, high = proportion_confint(counts, np.maximum(totals, 1), alpha=1 - CONFIDENCE, method="wilson")
    return np.where(totals > 0, low, np.nan), np.where(totals > 0, high, np.nan)


def _shares(counts: np.ndarray, axis: int) -> np.ndarray:
    totals = counts.sum(axis=axis, keepdims=True)
    return np.asarray(np.divide(counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0))
