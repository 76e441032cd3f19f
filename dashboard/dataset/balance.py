"""How many images each class has."""

from __future__ import annotations

import streamlit as st

from dashboard.compare import blocks
from dashboard.dataset.described import SPLITS, Described
from dashboard.plots import charts
from dashboard.plots import dataset as figures
from dashboard.ui import theme


def draw(described: Described) -> None:
    """Shares of the classes by split, the counts, and how uneven they are."""
    st.plotly_chart(
        figures.balance(described.counts, SPLITS, theme.ink()),
        key="balance",
        config=charts.CONFIG,
        alt=f"Share of each class in the splits of {described.name}",
    )
    sizes = " · ".join(f"{title} {described.totals[s]:,}" for s, title in SPLITS.items())
    st.caption(
        f"{described.name}, n = {described.n:,}: {sizes}. {described.origin} Beside the bars: images. "
        + figures.imbalance(described.counts, SPLITS)
    )
    table = figures.count_table(described.counts, SPLITS)
    st.dataframe(table, hide_index=True, alt=f"Images of {described.name} by class and split")
    blocks.csv(lambda: figures.count_numbers(described.counts, SPLITS), "dataset-classes")
