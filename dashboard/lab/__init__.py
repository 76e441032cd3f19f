"""The panels of Analyze, in the order of their tabs: one file with ``draw(face)`` and one line here for each."""

from __future__ import annotations

from collections.abc import Callable

from dashboard.lab import doubt, grid, regions, report, saliency, trust, what_if
from dashboard.lab.face_in_question import FaceInQuestion, not_finite, too_small

PANELS: dict[str, Callable[[FaceInQuestion], None]] = {
    "Saliency": saliency.draw,
    "Methods": grid.draw,
    "Regions": regions.draw,
    "What if": what_if.draw,
    "Trust": trust.draw,
    "Doubt": doubt.draw,
    "Report": report.draw,
}

__all__ = ["PANELS", "FaceInQuestion", "not_finite", "too_small"]
