"""Intervals of scores as error bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.evaluation import Score


def whiskers(scores: Sequence[Score], color: str, thickness: float = 1.0, width: float = 0.0) -> dict[str, Any]:
    """Plotly's ``error_x`` or ``error_y`` from each score's value to the ends of its interval; sizes in px."""
    return {
        "array": [s.high - s.value for s in scores],
        "arrayminus": [s.value - s.low for s in scores],
        "color": color,
        "thickness": thickness,
        "width": width,
    }
