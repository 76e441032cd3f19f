"""The panels of Analyze in the order of their tabs: one module with ``draw(face, options)`` and one line here for
each."""

from __future__ import annotations

from collections.abc import Callable

from dashboard.analyze import methods, regions, report, saliency, trust, uncertainty, what_if
from dashboard.analyze.map_options import MapOptions
from dashboard.analyze.selected_face import SelectedFace, not_finite, too_small

PANELS: dict[str, Callable[[SelectedFace, MapOptions], None]] = {
    "Saliency": saliency.draw,
    "Methods": methods.draw,
    "Regions": regions.draw,
    "What if": what_if.draw,
    "Trust": trust.draw,
    "Uncertainty": uncertainty.draw,
    "Report": report.draw,
}

__all__ = ["PANELS", "SelectedFace", "not_finite", "too_small"]
