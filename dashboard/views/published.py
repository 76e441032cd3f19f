"""What the reference systems' authors published, beside FERscope's own figures."""

from __future__ import annotations

import streamlit as st

from dashboard import tables
from dashboard.published import PUBLISHED
from dashboard.views.comparison import Comparison


def draw(comparison: Comparison) -> None:
    """One table; what cannot be compared says why."""
    st.dataframe(
        tables.published(PUBLISHED, comparison.summaries, comparison.cards, comparison.names, comparison.split_name),
        hide_index=True,
        alt="Figures published by others beside FERscope's own",
        column_config={"why": st.column_config.TextColumn("why", width="large")},
    )
    st.caption(
        "Figures of other systems are what their authors published, under their own protocol. *Not comparable* means "
        "that data, classes or split differ or are not stated, so that neither number says who is better."
    )
