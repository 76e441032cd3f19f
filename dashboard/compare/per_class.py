"""Precision, recall and F1 of each class."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core.evaluation import per_class
from dashboard.compare.comparison import Comparison
from dashboard.plots import per_class as plots
from dashboard.section import Figure, Section, Table, csv
from dashboard.ui import links
from dashboard.ui import sections as ui


@dataclass(frozen=True)
class Options:
    """``measure`` is one of ``plots.MEASURES``."""

    measure: str = plots.F1


def sections(comparison: Comparison, options: Options = Options()) -> list[Section]:
    """One figure of the chosen measure, and all measures as a table."""
    scores = {m: per_class(run) for m, run in comparison.all_runs.items()}
    figure = plots.marks(scores, comparison.styles, comparison.names, comparison.inks, options.measure)
    interval = "bootstrap" if options.measure == plots.F1 else "Wilson"
    return [
        Section(
            figures=(Figure(figure, comparison.key("per-class"), f"{options.measure} by class and network"),),
            caption=f"{comparison.protocol} Error bars: 95 %, {interval}. A class without images has no score.",
            downloads=(
                csv(
                    "Precision, recall and F1 by class (CSV)",
                    comparison.file_name("per-class"),
                    lambda: plots.numbers(scores),
                ),
            ),
        ),
        Section(
            title="Table of all classes",
            table=Table(plots.table(scores, comparison.names), "Precision, recall and F1 by class and network"),
            folded=True,
        ),
    ]


def draw(comparison: Comparison) -> None:
    """The choice of the measure, and the sections."""
    words = {measure: measure for measure in plots.MEASURES}
    measure = links.choice(
        st.segmented_control, "Score", words, key=comparison.key("measure_by_class"), default=plots.F1
    )
    ui.draw(sections(comparison, Options(str(measure))))
