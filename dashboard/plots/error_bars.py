"""Intervals as Plotly error bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.evaluation import Score


def whiskers(scores: Sequence[Score], color: str, thickness: float = 1.0, width: float = 0.0) -> dict[str, Any]:
    """Plotly's ``error_x`` or ``error_y`` from each score's value to the ends of its interval; sizes in px."""
    values, low, high = np.array([(s.value, s.low, s.high) for s in scores], float).reshape(-1, 3).T
    return error_bars(values, low, high, color, thickness, width)


def error_bars(
    values: np.ndarray, low: np.ndarray, high: np.ndarray, color: str, thickness: float = 1.0, width: float = 0.0
) -> dict[str, Any]:
    """The same from arrays of values and bounds."""
    return {
        "array": high - values,
        "arrayminus": values - low,
        "color": color,
        "thickness": thickness,
        "width": width,
    }
