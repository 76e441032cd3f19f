"""The views of Compare, in the order of their tabs: one file with ``draw(comparison)`` and one line here for each."""

from __future__ import annotations

from collections.abc import Callable

from dashboard.compare import (
    annotators,
    calibration,
    confusion,
    curves,
    embedding,
    ensembles,
    errors,
    per_class,
    published,
    ranking,
    report,
    robustness,
    significance,
    slices,
)
from dashboard.compare.comparison import SPLITS, Comparison

VIEWS: dict[str, Callable[[Comparison], None]] = {
    "Curves": curves.draw,
    "Confusion": confusion.draw,
    "Per class": per_class.draw,
    "Significance": significance.draw,
    "Calibration": calibration.draw,
    "Robustness": robustness.draw,
    "Ranking": ranking.draw,
    "Errors": errors.draw,
    "Embedding": embedding.draw,
    "Human doubt": annotators.draw,
    "Slices": slices.draw,
    "Ensembles": ensembles.draw,
    "Published": published.draw,
    "Report": report.draw,
}

__all__ = ["SPLITS", "VIEWS", "Comparison"]
