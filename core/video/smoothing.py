"""Exponential smoothing of values that arrive at irregular times."""

from __future__ import annotations

import math

import numpy as np


class ExponentialSmoothing:
    """The smoothed value of one series, such as the probabilities of one network for one track.

    A new value counts with the weight ``1 - exp(-elapsed / time_constant_s)``, so the result does not depend on the
    frame rate: after a lasting change, 63 % of it is shown after ``time_constant_s``. 0 switches smoothing off.
    A mean of distributions is a distribution, so smoothed probabilities sum to 1.
    """

    def __init__(self, time_constant_s: float) -> None:
        if not (time_constant_s >= 0 and math.isfinite(time_constant_s)):
            raise ValueError(f"time_constant_s must be finite and at least 0, got {time_constant_s}")
        self.time_constant_s = time_constant_s
        self._value: np.ndarray | None = None
        self._time_s = 0.0

    def update(self, value: np.ndarray, time_s: float) -> np.ndarray:
        """The smoothed value after ``value``, an array of any shape, was seen at ``time_s``.

        NaN marks what is unknown: it stays NaN in the result and does not change what is smoothed later.
        """
        value = np.asarray(value, np.float64)
        if self._value is None:
            self._value, self._time_s = value, time_s
            return value
        elapsed_s = max(time_s - self._time_s, 0.0)
        weight = 1.0 if self.time_constant_s == 0 else -math.expm1(-elapsed_s / self.time_constant_s)
        before = np.where(np.isnan(self._value), value, self._value)
        smoothed = before + weight * (value - before)
        self._value, self._time_s = np.where(np.isnan(smoothed), before, smoothed), time_s
        return smoothed
