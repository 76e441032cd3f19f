"""Images of the split, a page at a time: their rows, and the faces where the data set is on this machine."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from core.checkpoints import ModelCard
from core.data import Samples
from core.errors import CheckpointError, DataError, NotFiniteError
from dashboard import services
from dashboard.compare import blocks
from dashboard.compare.comparison import Comparison
from dashboard.plots import errors as tables
from dashboard.plots import saliency_pictures

PAGE = 20
WIDTH_PX = 96
GAP_PX, MARGIN_PX = 4, 14  # between two faces or a face and its map; after such a pair
COLORMAP, OPACITY = "viridis", 0.55
NUMBERS = ("confidence", "probability of true", "probability_of_given", "margin", "loss", "disagreement")


def draw(
    table: pd.DataFrame,
    listed: np.ndarray,
    comparison: Comparison,
    card: ModelCard,
    *,
    key: str,
    alt: str,
    classes: Sequence[str] = ("true", "predicted"),
    explained: str | None = None,
) -> None:
    """One page of the rows of ``table`` (with the column image_id) at the positions ``listed``, in their order;
    ``classes`` are the two columns said under a face.

    ``explained`` is the model id of the network whose saliency may be laid beside the faces, for the second of
    ``classes``; with an ensemble's the offer is grayed out, with None there is none.
    """
    if not len(listed):
        st.info("No image is like that.", icon=":material/info:")
        return
    pages = math.ceil(len(listed) / PAGE)
    page = st.pagination(pages, key=f"{key}_page", bind="query-params") if pages > 1 else 1
    rows = table.iloc[listed[(page - 1) * PAGE : page * PAGE]]
    _faces(rows, comparison, card, classes, key, explained)
    run = comparison.runs.get(explained or "")
    st.dataframe(
        tables.shown(tables.with_probabilities(rows, run) if run else rows, comparison.names),
        hide_index=True,
        alt=alt,
        column_config={
            "row": st.column_config.NumberColumn(pinned=True, format="%d", help="Row number in the data set's file"),
            "disagreement": st.column_config.NumberColumn(
                format="%.3f", help="Jensen-Shannon divergence of the networks' probabilities, in bits"
            ),
            "loss": st.column_config.NumberColumn(format="%.3f", help="Negative log-likelihood of the true class"),
        }
        | {c: st.column_config.NumberColumn(format="%.3f") for c in NUMBERS[:4]}
        | {f"{name} confidence": st.column_config.NumberColumn(format="%.3f") for name in comparison.names.values()}
        | {f"p({c})": st.column_config.NumberColumn(format="%.3f") for c in (run.labels.classes if run else ())},
    )
    first = (page - 1) * PAGE + 1
    st.caption(f"{blocks.protocol(comparison)} {first:,} to {first + len(rows) - 1:,} of {len(listed):,} images.")
    blocks.csv(
        lambda: tables.with_probabilities(table.iloc[listed], run) if run else table.iloc[listed],
        f"{key}-{comparison.split}",
        "All of them (CSV)",
    )


def _faces(
    rows: pd.DataFrame,
    comparison: Comparison,
    card: ModelCard,
    classes: Sequence[str],
    key: str,
    explained: str | None,
) -> None:
    try:
        samples = services.dataset(card)
    except DataError as error:
        st.caption(f":material/image_not_supported: Row numbers only: {error}.")
        return
    faces = [samples.images[p] for p in np.searchsorted(samples.ids, rows["image_id"])]
    lines = tables.captions(rows, classes)
    if explained is not None and _saliency_wanted(comparison, key, explained):
        try:
            _beside_maps(rows, faces, lines, samples, comparison, explained, classes[1])
            return
        except (CheckpointError, NotFiniteError) as error:
            st.error(str(error), icon=":material/error:")
    st.image([tables.framed(face) for face in faces], caption=lines, width=WIDTH_PX, alt=lines)


def _saliency_wanted(comparison: Comparison, key: str, explained: str) -> bool:
    single = explained in comparison.checkpoints
    wanted = st.toggle(
        "Saliency",
        key=f"{key}_saliency",
        bind="query-params",
        disabled=not single,
        help="Beside each face, where the network found evidence for its answer."
        if single
        else "An ensemble has no map of its own: choose a single network.",
    )
    return wanted and single


def _beside_maps(
    rows: pd.DataFrame,
    faces: Sequence[np.ndarray],
    lines: list[str],
    samples: Samples,
    comparison: Comparison,
    explained: str,
    column: str,
) -> None:
    """Each face beside itself under the closed-form map of the class in ``column``."""
    name, labels = comparison.names[explained], comparison.cards[explained].labels
    network = services.predictor(comparison.checkpoints[explained])
    found = services.image_saliency(
        network,
        samples,
        tuple(int(i) for i in rows["image_id"]),
        tuple(labels.index(str(c)) for c in rows[column]),
    )
    pictures = []
    for face, explanation in zip(faces, found, strict=True):
        seen = network.card.preprocessing.to_input_image(face)
        map_side = saliency_pictures.overlay_picture(seen, explanation, opacity=OPACITY, colormap=COLORMAP)
        pictures.append(_pair(saliency_pictures.enlarged(seen, len(map_side)), map_side))
    alts = [f"{line}, and the saliency of {name}" for line in lines]
    st.image(pictures, caption=lines, width=2 * WIDTH_PX + GAP_PX + MARGIN_PX, alt=alts)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.image(saliency_pictures.color_bar(COLORMAP), alt="Color bar from 0 to 1", width=200)
        bare = sum(not e.has_evidence for e in found)
        st.caption(
            f"0, no evidence → 1, most. Grad-CAM of {name} in closed form, {found[0].stage}, for the class it gives; "
            "each map on its own scale."
            + (f" {bare} without evidence before the pooling: the face alone." if bare else "")
        )


def _pair(face: np.ndarray, under_map: np.ndarray) -> np.ndarray:
    """Two pictures (S, S, 3) side by side, RGBA: what lies between and after them has the color of the paper."""
    size = len(face)
    gap, margin = (round(size * px / WIDTH_PX) for px in (GAP_PX, MARGIN_PX))
    pair = np.zeros((size, 2 * size + gap + margin, 4), np.uint8)
    for left, picture in ((0, face), (size + gap, under_map)):
        pair[:, left : left + size, :3] = picture
        pair[:, left : left + size, 3] = 255
    return pair
