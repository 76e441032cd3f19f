"""What ten annotators say of the faces, against the data set's label."""

from __future__ import annotations

import streamlit as st

from core.data import ferplus_majority
from core.evaluation import label_against_majority
from dashboard.compare import blocks
from dashboard.dataset.described import SPLITS, Described
from dashboard.plots import annotators as figures
from dashboard.plots import charts
from dashboard.ui import theme

ALL = "all splits"


def draw(described: Described) -> None:
    """The label by the FER+ majority as a matrix."""
    facts = described.facts
    if facts is None:
        st.info(f"{described.missing}.", icon=":material/info:")
        return
    if facts.votes is None:
        st.info(
            f"{described.name} carries no FER+ votes; for FER2013, put fer2013new.csv beside fer2013.csv.",
            icon=":material/info:",
        )
        return
    split = st.segmented_control(
        "Split",
        [ALL, *(s for s in SPLITS if described.totals[s])],
        format_func=lambda s: SPLITS.get(s, s),
        default=ALL,
        required=True,
        key="voted_split",
        bind="query-params",
    )
    rows = slice(None) if split == ALL else facts.split == split
    matrix = label_against_majority(facts.labels, facts.truth[rows], ferplus_majority(facts.votes[rows]))
    st.plotly_chart(
        figures.label_matrix(matrix, theme.ink()),
        key="votes",
        config=charts.CONFIG,
        alt=f"Labels of {described.name} by FER+ majority",
    )
    n = int(matrix.counts.sum())
    st.caption(
        f"{described.name}, {SPLITS.get(split, split)}, n = {n:,}. Label and majority say the same on "
        f"{matrix.agreement} of the {matrix.agreement.n:,} images with a majority (95 %, Wilson). A majority is more "
        "than half of the votes that are not single (Barsoum et al. 2016). Color: the share of the label."
    )
    blocks.csv(lambda: figures.matrix_numbers(matrix), f"dataset-votes-{split.replace(' ', '-')}", "Cells (CSV)")
