"""The panels of Analyze, in the order of their tabs: one file with ``draw(face)`` and one line here for each."""

from __future__ import annotations

from collections.abc import Callable

from dashboard.analyze import methods, regions, report, saliency, trust, uncertainty, what_if
from dashboard.analyze.selected_face import FaceInQuestion, not_finite, too_small

PANELS: dict[str, Callable[[FaceInQuestion], None]] = {
    "Saliency": saliency.draw,
    "Methods": methods.draw,
    "Regions": regions.draw,
    "What if": what_if.draw,
    "Trust": trust.draw,
    "Doubt": uncertainty.draw,
    "Report": report.draw,
}

__all__ = ["PANELS", "FaceInQuestion", "not_finite", "too_small"]
