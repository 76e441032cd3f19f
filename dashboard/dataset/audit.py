"""What an audit finds: copies, copies across splits, contradicting labels, blank images."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import streamlit as st

from core.data.overview import Findings
from dashboard import services
from dashboard.compare import blocks
from dashboard.dataset.described import SPLITS, Described
from dashboard.plots import dataset as figures
from dashboard.plots import errors

PAGE = 20
WIDTH_PX = 96


def draw(described: Described, problem: str) -> None:
    """How much was found, and the findings one by one; ``problem`` says why there are no faces."""
    facts = described.facts
    if facts is None:
        st.info(f"{described.missing}.", icon=":material/info:")
        return
    found = services.findings(facts)
    summary = figures.finding_table(found, described.totals, SPLITS)
    st.dataframe(
        summary,
        hide_index=True,
        alt=f"What the audit of {described.name} found",
    )
    st.caption(
        f"{described.name}, n = {described.n:,}. {described.origin} Identical: equal in every pixel. A test image "
        "that also stands in Training flatters a network that learned it by heart: Compare gives every accuracy "
        "without them too."
    )
    blocks.csv(lambda: summary, "dataset-audit")
    kind = st.segmented_control(
        "List", figures.FINDINGS, default=figures.CONFLICTS, required=True, key="finding", bind="query-params"
    )
    if described.samples is None and problem:
        st.caption(f":material/image_not_supported: Row numbers only: {problem}.")
    _listed(described, found, kind)


def _listed(described: Described, found: Findings, kind: str) -> None:
    facts = described.facts
    assert facts is not None  # there were findings
    table = figures.listed(found, facts, kind, SPLITS)
    if table.empty:
        st.success("No image is like that.", icon=":material/check_circle:")
        return
    pages = math.ceil(len(table) / PAGE)
    page = st.pagination(pages, key="finding_page", bind="query-params") if pages > 1 else 1
    rows = table.iloc[(page - 1) * PAGE : page * PAGE]
    if described.samples is not None:
        _pictures(described, rows)
    st.dataframe(
        rows.drop(columns="first"),
        hide_index=True,
        alt=f"{kind.capitalize()} in {described.name}",
        column_config={"rows": st.column_config.TextColumn(help="Row numbers in the data set's file", pinned=True)},
    )
    first = (page - 1) * PAGE + 1
    what = "images" if kind == figures.BLANK else "sets of identical images"
    st.caption(f"{described.name}, {first:,} to {first + len(rows) - 1:,} of {len(table):,} {what}.")
    blocks.csv(lambda: table.drop(columns="first"), f"dataset-{kind.replace(' ', '-')}", "All of them (CSV)")


def _pictures(described: Described, rows: pd.DataFrame) -> None:
    """One picture a row: the images of a set are the same."""
    samples = described.samples
    assert samples is not None  # asked before
    positions = np.searchsorted(samples.ids, rows["first"])
    lines = [f"{first} · {labels}" for first, labels in zip(rows["first"], rows["labels"], strict=True)]
    st.image([errors.framed(samples.images[p]) for p in positions], caption=lines, width=WIDTH_PX, alt=lines)
