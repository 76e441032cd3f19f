"""The views of Compare, in the order of their tabs: one file with ``draw(comparison)`` and one line here for each."""

from __future__ import annotations

from collections.abc import Callable

from dashboard.views import (
    calibration,
    confusion,
    curves,
    ensembles,
    errors,
    per_class,
    published,
    ranking,
    significance,
)
from dashboard.views.comparison import SPLITS, Comparison

VIEWS: dict[str, Callable[[Comparison], None]] = {
    "Curves": curves.draw,
    "Confusion": confusion.draw,
    "Per class": per_class.draw,
    "Significance": significance.draw,
    "Calibration": calibration.draw,
    "Ranking": ranking.draw,
    "Errors": errors.draw,
    "Ensembles": ensembles.draw,
    "Published": published.draw,
}

__all__ = ["SPLITS", "VIEWS", "Comparison"]
