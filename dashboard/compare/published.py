"""What the reference systems' authors published, beside FERscope's own figures."""

from __future__ import annotations

import streamlit as st

from dashboard.compare import blocks, tables
from dashboard.compare.comparison import Comparison
from dashboard.compare.published_results import PUBLISHED


def draw(comparison: Comparison) -> None:
    """One table; what cannot be compared says why."""
    kept, _ = comparison.comparable()
    table = tables.published(
        PUBLISHED, comparison.summaries, comparison.cards, comparison.names, comparison.split_name, kept
    )
    st.dataframe(
        table,
        hide_index=True,
        alt="Figures published by others beside FERscope's own",
        column_config={"why": st.column_config.TextColumn("why", width="large")},
    )
    st.caption(
        "Figures of other systems are what their authors published, under their own protocol. *Not comparable* means "
        "that data, classes or split differ or are not stated, so that neither number says who is better."
    )
    blocks.csv(lambda: table, f"published-{comparison.split}")
