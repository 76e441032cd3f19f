"""A figure with its uncertainty: every score says how far it can be trusted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from scipy.stats import norm
from statsmodels.stats.proportion import proportion_confint

CONFIDENCE = 0.95
NORMAL_QUANTILE = float(norm.ppf(0.5 + CONFIDENCE / 2))
RESAMPLES = 1000
SEED = 2013  # bootstraps are drawn from the same numbers each time, so that a page shows the same interval twice


@dataclass(frozen=True)
class Score:
    """A figure over ``n`` images with the bounds of its 95 % interval and the name of the interval's method.

    ``value`` is NaN where the figure is not defined (nothing to count), bounds are NaN where there is no interval.
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    n: int = 0
    method: str = ""

    def __post_init__(self) -> None:
        for name in ("value", "low", "high"):
            number = float(getattr(self, name))
            # One NaN object for all: two undefined scores are equal.
            object.__setattr__(self, name, math.nan if math.isnan(number) else number)

    def __float__(self) -> float:
        return self.value

    @property
    def defined(self) -> bool:
        """False where there was nothing to count, e.g. the recall of a class without a single image."""
        return not math.isnan(self.value)

    def __str__(self) -> str:
        """``0.712 ± 0.015``, with both bounds where they are not symmetric, or ``not defined``."""
        if not self.defined:
            return "not defined"
        if math.isnan(self.low) or math.isnan(self.high):
            return f"{self.value:.3f}"
        down, up = self.value - self.low, self.high - self.value
        if abs(up - down) <= 0.002:
            return f"{self.value:.3f} ± {max(up, down):.3f}"
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"

    def to_json(self) -> dict[str, float | int | str | None]:
        """Plain values; what is not defined is None."""
        return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in asdict(self).items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Score:
        """The inverse of :meth:`to_json`."""
        values = {f.name: data[f.name] for f in fields(cls) if f.name in data}
        known: dict[str, Any] = {k: math.nan if v is None else v for k, v in values.items()}
        return cls(**known)


UNDEFINED = Score(math.nan)


def wilson(successes: int, n: int) -> Score:
    """A proportion with the score interval of Wilson (1927), which stays inside [0, 1] and holds for small n."""
    if n == 0:
        return UNDEFINED
    low, high = proportion_confint(successes, n, alpha=1 - CONFIDENCE, method="wilson")
    value = successes / n
    # Rounding may put a bound of 0 or 1 on the wrong side of a proportion of 0 or 1.
    return Score(value, min(float(low), value), max(float(high), value), n, "Wilson")


def mean_score(values: np.ndarray) -> Score:
    """The mean of one number per image, with the normal interval of the central limit theorem."""
    n = len(values)
    if n == 0:
        return UNDEFINED
    value = float(values.mean())
    if n == 1:
        return Score(value, n=1)
    half = NORMAL_QUANTILE * float(values.std(ddof=1)) / math.sqrt(n)
    return Score(value, value - half, value + half, n, "normal")


def percentile_score(value: float, resampled: np.ndarray, n: int) -> Score:
    """A figure with the percentiles of its bootstrap resamples (Efron 1979); NaN resamples are left out."""
    kept = resampled[~np.isnan(resampled)]
    if math.isnan(value) or not len(kept):
        return Score(value, n=n)
    low, high = np.percentile(kept, [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)])
    return Score(value, float(low), float(high), n, "bootstrap")
