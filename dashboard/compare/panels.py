"""The panels of Compare in their groups: one module and one entry here for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dashboard.compare import (
    annotators,
    calibration,
    confusion,
    embedding,
    ensemble,
    label_errors,
    mistakes,
    per_class,
    published,
    ranking,
    robustness,
    scores,
    significance,
    slices,
    training_curves,
)
from dashboard.compare.comparison import Comparison
from dashboard.section import Section


@dataclass(frozen=True)
class Panel:
    """How a panel is drawn on the page, and its sections of the report; None if it needs interaction.

    ``across`` computes the sections about all comparisons of a page together, which follow those of each.
    """

    draw: Callable[[Comparison], None]
    sections: Callable[[Comparison], list[Section]] | None = None
    across: Callable[[Sequence[Comparison]], list[Section]] | None = None


GROUPS: dict[str, dict[str, Panel]] = {
    "Scores": {
        "Overview": Panel(scores.draw, scores.sections),
        "Per class": Panel(per_class.draw, per_class.sections),
        "Significance": Panel(significance.draw, significance.sections),
        "Ranking": Panel(ranking.draw, ranking.sections),
        "Published": Panel(published.draw, published.sections),
    },
    "Training": {"Curves": Panel(training_curves.draw, training_curves.sections)},
    "Errors": {
        "Confusion": Panel(confusion.draw, confusion.sections),
        "Gallery": Panel(mistakes.draw),
        "Labels": Panel(label_errors.draw),
        "Embedding": Panel(embedding.draw),
        "Slices": Panel(slices.draw, slices.sections),
    },
    "Reliability": {
        "Calibration": Panel(calibration.draw, calibration.sections),
        "Robustness": Panel(robustness.draw, robustness.sections),
        "Annotator agreement": Panel(annotators.draw, annotators.sections),
    },
    "Ensemble and report": {"Ensemble": Panel(ensemble.draw, ensemble.sections, ensemble.common_sections)},
}
REPORT = "Report"  # drawn once for all comparisons of the page
