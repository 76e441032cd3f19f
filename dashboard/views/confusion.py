"""Confusion matrices side by side."""

from __future__ import annotations

import streamlit as st

from core.evaluation import ConfusionMatrix
from dashboard import charts, tables
from dashboard.views.comparison import Comparison


def draw(comparison: Comparison) -> None:
    """One matrix a network, on one colour scale."""
    show = st.segmented_control(
        "Cells", ["counts", "by true class"], default="counts", required=True, key="cells", bind="query-params"
    )
    matrices = {m: ConfusionMatrix.from_run(run) for m, run in comparison.runs.items()}
    for row in range(0, len(matrices), 2):
        for column, (model_id, matrix) in zip(st.columns(2), list(matrices.items())[row : row + 2], strict=False):
            name = comparison.names[model_id]
            with column:
                st.plotly_chart(
                    charts.confusion(matrix, comparison.inks, show=show, title=name),
                    key=f"confusion-{model_id}",
                    config=charts.CONFIG,
                    alt=f"Confusion matrix of {name}",
                )
                st.download_button(
                    "Counts (CSV)",
                    lambda m=matrix: tables.confusion_csv(m),
                    f"confusion-{model_id}-{comparison.split}.csv",
                    "text/csv",
                    icon=":material/table:",
                    key=f"confusion-csv-{model_id}",
                    type="tertiary",
                )
    st.caption(
        f"{comparison.split_name}, n = {comparison.n:,}. Colour: the share of the true class, on one scale for all."
    )
