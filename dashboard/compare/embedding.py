"""Where a network puts the images: its penultimate features as a map, on which a lasso selects."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.errors import CheckpointError, EvaluationError
from core.evaluation.embedding import Embedding, pca_plane, tsne_plane
from dashboard import services
from dashboard.compare import blocks, image_list
from dashboard.compare.comparison import Comparison
from dashboard.plots import charts
from dashboard.plots import embedding as figures
from dashboard.plots import errors as tables

# The one figure whose tool bar keeps its lasso and box.
CONFIG = {**charts.CONFIG, "modeBarButtonsToRemove": ["zoom", "pan", "zoomIn", "zoomOut", "autoScale", "resetScale"]}


def draw(comparison: Comparison) -> None:
    """One network's map, and below it the images that a lasso or a box took in."""
    members = [m for m in comparison.runs if m in comparison.checkpoints]
    if not members:
        st.info("An ensemble has no features of its own: choose a network in the sidebar.", icon=":material/info:")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        model_id = st.selectbox(
            "Features of",
            members,
            format_func=comparison.names.__getitem__,
            key="embedding_of",
            bind="query-params",
            width=240,
        )
        layout = st.segmented_control(
            "Map", figures.LAYOUTS, default=figures.PCA, required=True, key="layout", bind="query-params"
        )
        color = st.segmented_control(
            "Color", figures.COLORS, default=figures.TRUE, required=True, key="colored_by", bind="query-params"
        )
    try:
        whole = services.embedding(comparison.checkpoints[model_id], comparison.split)
        embedding = whole.sample()
        plane = pca_plane(embedding) if layout == figures.PCA else _tsne(embedding, comparison.names[model_id])
        table = figures.points(embedding, plane, comparison.runs[model_id])
    except CheckpointError as error:
        st.info(f"{error}", icon=":material/info:")
        return
    except EvaluationError as error:
        st.warning(f"{error}", icon=":material/warning:")
        return
    chosen = _map(table, comparison, model_id, layout, color, whole)
    st.markdown("**Images selected**")
    if not len(chosen):
        st.caption("Draw a lasso or a box around points of the map to list their images here; a double click lets go.")
        return
    _images(comparison, model_id, chosen)


def _map(
    table: pd.DataFrame, comparison: Comparison, model_id: str, layout: str, color: str, whole: Embedding
) -> np.ndarray:
    """The figure with its caption and file; returns the row numbers of the selected images."""
    name, pca = comparison.names[model_id], layout == figures.PCA
    # The key names the map: points selected on one lie elsewhere on another.
    key = f"embedding-{model_id}-{comparison.split}-{layout}"
    event = st.plotly_chart(
        figures.scatter(table, comparison.inks, color=color, axes=figures.component_axes(whole) if pca else None),
        key=key,
        config=CONFIG,
        alt=f"{layout} map of the features of {name}, one point an image, colored by {color}",
        on_select="rerun",
        selection_mode=("lasso", "box"),
    )
    parts = "" if len(table) == len(whole) else f" {len(table):,} of them are drawn, at random with a fixed seed."
    kept = f"the first {len(whole.explained)} principal components of {whole.features:,} penultimate features"
    how = (
        f"The first two of {kept}."
        if pca
        else f"t-SNE (perplexity 30, fixed seed) of {kept}, which explain {100 * whole.explained.sum():.1f} % of the "
        "variance. Neighbors mean something, distances between groups and axes do not."
    )
    st.caption(f"{comparison.split_name}, n = {len(whole):,}.{parts} {how}")
    blocks.csv(lambda: table, key)
    return selected_images(event["selection"]["points"])


def selected_images(points: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """(n,) row numbers of the images behind selected points; points without one are passed over."""
    ids = {int(p["customdata"][0]) for p in points if p.get("customdata")}
    return np.array(sorted(ids), np.int64)


def _images(comparison: Comparison, model_id: str, chosen: np.ndarray) -> None:
    runs = blocks.comparable(comparison)
    if model_id in runs:
        answers = services.error_table(runs[model_id], [r for m, r in runs.items() if m != model_id])
    else:
        answers = services.error_table(comparison.runs[model_id], [])
    listed = tables.ordered(answers, answers["image_id"].isin(chosen).to_numpy(), "confidence")
    st.caption(_summary(answers.iloc[listed]))
    image_list.draw(
        answers,
        listed,
        comparison,
        comparison.cards[model_id],
        key="embedded",
        alt=f"Images selected on the map of {comparison.names[model_id]}",
        explained=model_id,
    )


def _summary(found: pd.DataFrame) -> str:
    wrong = int((~found["correct"]).sum())
    counts = found["true"].value_counts()
    most = ", ".join(f"{name} {n:,}" for name, n in counts[counts > 0].items())
    return f"{len(found):,} images, {wrong:,} of them answered wrongly. True classes: {most}."


def _tsne(embedding: Embedding, name: str) -> np.ndarray:
    """The map kept from before, or a new one with its progress and a way to stop."""
    key = ("tsne", embedding.model_id, embedding.weights_sha256, embedding.split, len(embedding))
    results = services.results()
    if key in results:
        return results.get(key, lambda: tsne_plane(embedding))
    title, place = f"t-SNE of {name}, {len(embedding):,} images", st.empty()
    with place.container():
        bar = st.progress(0.0, text=f"{title}: looking for neighbors")
        st.button("Stop", key="stop-tsne", icon=":material/stop_circle:", on_click=_back_to_pca)
    started = time.perf_counter()

    def show(done: int, total: int) -> None:
        left = (time.perf_counter() - started) / done * (total - done)
        bar.progress(done / total, f"{title}: about {left:.0f} s left")

    try:
        return results.get(key, lambda: tsne_plane(embedding, show))
    finally:
        place.empty()


def _back_to_pca() -> None:
    st.session_state["layout"] = figures.PCA
