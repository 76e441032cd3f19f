"""Images of the split, a page at a time: their rows, and the faces where the data set is on this machine."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from core.checkpoints import ModelCard
from core.data import DataError
from dashboard import services
from dashboard.figures import errors as tables
from dashboard.views import blocks
from dashboard.views.comparison import Comparison

PAGE = 20
WIDTH_PX = 96
NUMBERS = ("confidence", "probability of true", "probability_of_given", "margin", "loss", "disagreement")


def draw(
    table: pd.DataFrame,
    comparison: Comparison,
    card: ModelCard,
    *,
    key: str,
    alt: str,
    classes: Sequence[str] = ("true", "predicted"),
) -> None:
    """One page of ``table`` (with the column image_id); ``classes`` are the two columns said under a face."""
    if table.empty:
        st.info("No image is like that.", icon=":material/info:")
        return
    pages = math.ceil(len(table) / PAGE)
    page = st.pagination(pages, key=f"{key}_page", bind="query-params") if pages > 1 else 1
    rows = table.iloc[(page - 1) * PAGE : page * PAGE]
    _faces(rows, card, classes)
    st.dataframe(
        tables.shown(rows, comparison.names),
        hide_index=True,
        alt=alt,
        column_config={
            "row": st.column_config.NumberColumn(pinned=True, format="%d", help="Row number in the data set's file"),
            "disagreement": st.column_config.NumberColumn(
                format="%.3f", help="Jensen-Shannon divergence of the networks' probabilities, in bits"
            ),
            "loss": st.column_config.NumberColumn(format="%.3f", help="Negative log-likelihood of the true class"),
        }
        | {c: st.column_config.NumberColumn(format="%.3f") for c in NUMBERS[:4]},
    )
    first = (page - 1) * PAGE + 1
    st.caption(f"{blocks.protocol(comparison)} {first:,} to {first + len(rows) - 1:,} of {len(table):,} images.")
    blocks.csv(lambda: table, f"{key}-{comparison.split}", "All of them (CSV)")


def _faces(rows: pd.DataFrame, card: ModelCard, classes: Sequence[str]) -> None:
    try:
        samples = services.dataset(card)
    except DataError as error:
        st.caption(f":material/image_not_supported: Row numbers only: {error}.")
        return
    positions = np.searchsorted(samples.ids, rows["image_id"])
    lines = tables.captions(rows, classes)
    st.image([samples.images[p] for p in positions], caption=lines, width=WIDTH_PX, alt=lines)
