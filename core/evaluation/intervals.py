"""Scores with 95 % intervals, and the methods that the intervals come from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from scipy.special import ndtri

CONFIDENCE = 0.95
NORMAL_QUANTILE = float(ndtri(0.5 + CONFIDENCE / 2))
RESAMPLES = 1000
SEED = 2013  # fixed, so that the same data always give the same bootstrap interval
# Below this number of positives or negatives, the interval of an area under a curve is approximate.
FEW_IMAGES = 10
APPROXIMATE = ", approximate"
# Images of the largest possible variance that are added to an estimated variance: with 4 the coverage is below 0.93 at
# 55 positives for skewed scores, with 5 it is not (tests/core/evaluation/test_intervals.py).
ADDED_IMAGES = 5


@dataclass(frozen=True)
class Score:
    """A statistic of ``n`` images, the bounds of its 95 % interval and the name of the interval's method.

    ``value`` is NaN if the statistic is not defined because there is nothing to count. The bounds are NaN if there is
    no interval.
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    n: int = 0
    method: str = ""

    def __post_init__(self) -> None:
        for name in ("value", "low", "high"):
            number = float(getattr(self, name))
            # The same NaN object everywhere, so that two undefined scores compare equal.
            object.__setattr__(self, name, math.nan if math.isnan(number) else number)

    def __float__(self) -> float:
        return self.value

    @property
    def defined(self) -> bool:
        """False if there was nothing to count, e.g. for the recall of a class without images."""
        return not math.isnan(self.value)

    @property
    def approximate(self) -> bool:
        """Whether there are too few images for the interval to have its nominal coverage."""
        return self.method.endswith(APPROXIMATE)

    def __str__(self) -> str:
        """``0.712 ± 0.015``, or both bounds if the interval is not symmetric; ``not defined`` without a value."""
        if not self.defined:
            return "not defined"
        if math.isnan(self.low) or math.isnan(self.high):
            return f"{self.value:.3f}"
        down, up = self.value - self.low, self.high - self.value
        if abs(up - down) <= 0.002 and not self.approximate:
            return f"{self.value:.3f} ± {max(up, down):.3f}"
        note = ", approximate" if self.approximate else ""
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f}{note})"

    def to_json(self) -> dict[str, float | int | str | None]:
        """The fields as JSON values; NaN becomes None."""
        return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in asdict(self).items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Score:
        """The inverse of :meth:`to_json`; unknown keys are ignored."""
        values = {f.name: data[f.name] for f in fields(cls) if f.name in data}
        known: dict[str, Any] = {k: math.nan if v is None else v for k, v in values.items()}
        return cls(**known)


UNDEFINED = Score(math.nan)


def wilson(successes: int, n: int) -> Score:
    """A proportion with the score interval of Wilson (1927), which is valid for small ``n`` and stays in [0, 1]."""
    if n == 0:
        return UNDEFINED
    low, high = wilson_bounds(np.array(successes), np.array(n))
    value = successes / n
    # Rounding may put a bound on the wrong side of a proportion of 0 or 1.
    return Score(value, min(float(low), value), max(float(high), value), n, "Wilson")


def wilson_bounds(successes: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The bounds of Wilson's interval for arrays of counts of one shape; NaN where ``n`` is 0.

    As statsmodels' ``proportion_confint``, which takes a second to import and is needed on the first page.
    """
    images = np.where(n > 0, n, np.nan)
    share, square = successes / images, NORMAL_QUANTILE**2
    center = (share + square / (2 * images)) / (1 + square / images)
    half = NORMAL_QUANTILE * np.sqrt((share * (1 - share) + square / (4 * images)) / images) / (1 + square / images)
    return np.maximum(center - half, 0.0), np.minimum(center + half, 1.0)  # rounding can exceed them


def wilson_of_shares(shares: np.ndarray, n: int) -> list[Score]:
    """Wilson's interval for proportions of the same ``n`` images that are known as shares, such as the validation
    accuracy of each epoch."""
    return [UNDEFINED if math.isnan(share) else wilson(round(share * n), n) for share in shares]


def difference_of_proportions(first: Score, second: Score) -> Score:
    """The difference of two independent proportions with the interval of Newcombe (1998, method 10), which combines
    their Wilson intervals."""
    if not (first.defined and second.defined):
        return UNDEFINED
    value = first.value - second.value
    down = math.hypot(first.value - first.low, second.high - second.value)
    up = math.hypot(first.high - first.value, second.value - second.low)
    return Score(value, value - down, value + up, first.n + second.n, "Newcombe")


def mean_score(values: np.ndarray, bounds: tuple[float, float] = (-math.inf, math.inf)) -> Score:
    """The mean of one number per image, with the normal interval cut at ``bounds``, the range of these numbers."""
    n = len(values)
    if n == 0:
        return UNDEFINED
    value = float(values.mean())
    if n == 1:
        return Score(value, n=1)
    half = NORMAL_QUANTILE * float(values.std(ddof=1)) / math.sqrt(n)
    low, high = np.clip([value - half, value + half], *bounds).tolist()
    return Score(value, low, high, n, "normal")


def percentile_score(value: float, resampled: np.ndarray, n: int) -> Score:
    """A statistic with the percentiles of its bootstrap resamples (Efron 1979); resamples that are NaN are ignored."""
    defined = resampled[~np.isnan(resampled)]
    if math.isnan(value) or not len(defined):
        return Score(value, n=n)
    low, high = np.percentile(defined, [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)])
    return Score(value, float(low), float(high), n, "bootstrap")


def auc_score(area: float, variance: float, positives: int, negatives: int) -> Score:
    """An area under a ROC curve with an interval that is valid for rare classes too.

    DeLong's (1988) normal interval is too narrow if positives are few and the area is near 1: for 20 positives and an
    area of 0.978 its coverage is 0.77. This is Wilson's interval instead, for the number of independent images with
    which a proportion would have the same variance. A small sample seldom contains the badly ranked images, so that
    DeLong's ``variance`` is often too small: it is averaged with the largest variance that an area can have,
    ``area * (1 - area) / min(positives, negatives)`` (Birnbaum and Klose 1957), as if 5 images of that variance had
    been added. NaN stands for a variance that cannot be estimated. Below 10 positives or negatives the interval is
    marked as approximate.
    """
    rarer, n = min(positives, negatives), positives + negatives
    if not rarer:
        return UNDEFINED
    # Variances in units of area * (1 - area), the variance of one independent image.
    largest = 1 / rarer
    spread = area * (1 - area)
    estimated = variance / spread if spread > 0 and not math.isnan(variance) else largest
    added = ADDED_IMAGES / (rarer - 1 + ADDED_IMAGES)
    size = 1 / (added * largest + (1 - added) * estimated)
    low, high = wilson_bounds(np.array(area * size), np.array(size))
    method = "Wilson, DeLong's variance" + (APPROXIMATE if rarer < FEW_IMAGES else "")
    return Score(area, min(float(low), area), max(float(high), area), n, method)


def mean_of_scores(scores: Sequence[Score], correlation: np.ndarray, n: int) -> Score:
    """The mean of statistics of the same ``n`` images with the interval of Zou and Donner (2008), which recovers the
    variances from the intervals of the parts. ``correlation`` (S, S) is that of the parts."""
    value = float(np.mean([s.value for s in scores]))
    down, up = np.array([(s.value - s.low, s.high - s.value) for s in scores]).T
    below, above = (math.sqrt(max(0.0, float(d @ correlation @ d))) / len(scores) for d in (down, up))
    return Score(value, max(0.0, value - below), min(1.0, value + above), n, "Zou and Donner")


def average_precision_score(value: float, positives: int, n: int) -> Score:
    """An average precision with Wilson's interval for a proportion of ``positives`` images.

    Its variance is the binomial one of Boyd, Eng and Page (2013). Their logit interval is not defined at 1 and is too
    wide close to it: for 50 positives and 0.999, it begins at 0.13. Below 10 positives the interval is marked as
    approximate.
    """
    if not positives:
        return UNDEFINED
    low, high = wilson_bounds(np.array(value * positives), np.array(positives))
    method = "Wilson" + (APPROXIMATE if positives < FEW_IMAGES else "")
    return Score(value, min(float(low), value), max(float(high), value), n, method)
