"""Precision, recall and F1 of each class."""

from __future__ import annotations

import streamlit as st

from core.evaluation import per_class
from dashboard.compare import blocks, tables
from dashboard.compare.comparison import Comparison
from dashboard.plots import charts


def draw(comparison: Comparison) -> None:
    """One row a class, one mark a network, each with its interval."""
    measure = st.segmented_control(
        "Score", ["F1", "precision", "recall"], default="F1", required=True, key="measure", bind="query-params"
    )
    of_classes = {m: per_class(run) for m, run in blocks.comparable(comparison).items()}
    st.plotly_chart(
        charts.per_class(of_classes, comparison.forms, comparison.names, comparison.inks, measure.lower()),
        key="per-class",
        config=charts.CONFIG,
        alt=f"{measure} by class and network",
    )
    st.caption(
        f"{comparison.split_name}, n = {comparison.n:,}. Whiskers: 95 %. A class without images has no score: not "
        "defined, not 0."
    )
    table = tables.per_class(of_classes, comparison.names)
    with st.expander("Numbers"):
        st.dataframe(table, hide_index=True, alt="Precision, recall and F1 by class and network")
    st.download_button(
        "Per class (CSV)",
        lambda: table.to_csv(index=False),
        f"per-class-{comparison.split}.csv",
        "text/csv",
        icon=":material/table:",
    )
