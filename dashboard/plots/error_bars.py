"""Intervals as Plotly error bars, and rows with several of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.evaluation import Score


def row_offsets(n: int) -> list[float]:
    """Positions of ``n`` marks in a row of height 1 relative to its middle, so that their intervals do not cover each
    other, nor those of the next row."""
    step = min(0.16, 0.84 / n)
    return [(position - (n - 1) / 2) * step for position in range(n)]


def row_px(n: int, lowest: int) -> int:
    """The height in px of such a row: at least ``lowest``, and enough for the markers of ``n`` marks."""
    return max(lowest, 11 * n)


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
