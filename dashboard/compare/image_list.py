"""Images of the split, one page at a time: faces, where the data set is on this machine, and predictions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from core.data import Samples
from core.errors import CheckpointError, DataError, NotFiniteError
from dashboard import services
from dashboard.compare import image_table
from dashboard.compare.comparison import Comparison
from dashboard.plots import saliency_pictures
from dashboard.section import Section, csv
from dashboard.ui import links
from dashboard.ui import sections as ui
from dashboard.ui.face_grid import DatasetFace, draw_faces
from dashboard.ui.markdown import escaped
from dashboard.ui.messages import show_error

PAGE = 20
WIDTH_PX = 88
GAP_PX = 4  # between a face and its map
COLORMAP, OPACITY = "viridis", 0.55
NUMBERS = ("confidence", "probability of true", "probability of given", "margin")


def draw(
    table: pd.DataFrame,
    listed: np.ndarray,
    comparison: Comparison,
    *,
    key: str,
    alt: str,
    classes: Sequence[str] = ("true", "predicted"),
    explained: str | None = None,
    captions: bool = True,
) -> None:
    """One page of the rows of ``table`` (with the column image_id) at the positions ``listed``, in their order.

    ``classes`` are the two columns in the caption of a face. ``explained`` is the network whose saliency for the second
    of them can be shown next to the faces; an ensemble has none. ``captions`` repeat both classes under each face.
    """
    if not len(listed):
        st.info("No matching images.", icon=":material/info:")
        st.caption(comparison.protocol)
        return
    pages = math.ceil(len(listed) / PAGE)
    whole = table.iloc[listed]
    of = hash(whole["image_id"].to_numpy().tobytes())
    page = links.page_number(pages, key=comparison.key(f"{key}_page"), of=of)
    rows = whole.iloc[(page - 1) * PAGE : page * PAGE]
    faces_shown = _faces(rows, comparison, classes, key, explained, captions=captions)
    run = comparison.all_runs.get(explained or "")
    first = (page - 1) * PAGE + 1
    shown = f" {first:,} to {first + len(rows) - 1:,} of {len(listed):,} images." if len(listed) > 1 else ""
    st.caption(escaped(f"{comparison.protocol}{shown}"))
    with st.expander("Table of these images", expanded=not faces_shown):
        _table(rows, comparison, alt)
        if run is not None:
            others = " and the confidence of the other networks" if len(comparison.all_runs) > 1 else ""
            st.caption(f"The CSV file also contains the probability of each class{others}.")
    images = "This image" if len(listed) == 1 else f"All {len(listed):,} images of this list"
    ui.draw_downloads(
        [
            csv(
                f"{images} (CSV)",
                comparison.file_name(f"{key}-images"),
                lambda: image_table.with_probabilities(whole, run) if run else whole,
            )
        ]
    )


def _table(rows: pd.DataFrame, comparison: Comparison, alt: str) -> None:
    st.dataframe(
        image_table.shown(rows, comparison.names),
        hide_index=True,
        alt=alt,
        column_config={
            "row": st.column_config.NumberColumn(pinned=True, format="%d", help="Row number in the data set's file"),
            "disagreement": st.column_config.NumberColumn(
                format="%.3f", help="Jensen-Shannon divergence of the networks' probabilities, in bits"
            ),
            "loss": st.column_config.NumberColumn(format="%.3f", help="Negative log-likelihood of the true class"),
        }
        | {column: st.column_config.NumberColumn(format="%.3f") for column in NUMBERS},
    )


def _faces(
    rows: pd.DataFrame,
    comparison: Comparison,
    classes: Sequence[str],
    key: str,
    explained: str | None,
    *,
    captions: bool,
) -> bool:
    """Whether the faces are drawn, which needs the data set."""
    try:
        samples = services.images(comparison.card_of(explained or ""), rows["image_id"].to_numpy())
    except DataError as error:
        st.caption(f":material/image_not_supported: Only row numbers are shown. {escaped(error.sentence)}")
        return False
    images = [samples.images[p] for p in np.searchsorted(samples.ids, rows["image_id"])]
    texts = image_table.captions(rows, classes)
    faces = [
        DatasetFace(int(row), image, text if captions else "", f"Image {row}: {text}")
        for row, image, text in zip(rows["image_id"], images, texts, strict=True)
    ]
    data, width_px, caption = comparison.data.title, WIDTH_PX, ""
    if explained is not None and _wants_saliency(comparison, key, explained):
        try:
            faces, caption = _with_maps(rows, faces, samples, comparison, explained, classes[1])
            width_px = 2 * WIDTH_PX + GAP_PX
        except (CheckpointError, NotFiniteError) as error:
            show_error(error)
    draw_faces(faces, key=comparison.key(key), data=data, width_px=width_px)
    if caption:
        ui.draw([Section(color_scale=saliency_pictures.color_scale(COLORMAP, caption))])
    return True


def _wants_saliency(comparison: Comparison, key: str, explained: str) -> bool:
    single = explained in comparison.checkpoints
    wanted = links.toggle(
        "Saliency",
        key=comparison.key(f"{key}_saliency"),
        disabled=not single,
        help="The evidence of the network for its prediction, next to each face"
        if single
        else "An ensemble has no saliency map. Choose a single network.",
    )
    return wanted and single


def _with_maps(
    rows: pd.DataFrame, faces: list[DatasetFace], samples: Samples, comparison: Comparison, explained: str, column: str
) -> tuple[list[DatasetFace], str]:
    """Each face next to its overlay with the saliency map of the class in ``column``, and the caption of all."""
    name, labels = comparison.names[explained], comparison.cards[explained].labels
    network = services.predictor(comparison.checkpoints[explained])
    found = services.image_saliency(
        network,
        samples,
        tuple(int(i) for i in rows["image_id"]),
        tuple(labels.index(str(c)) for c in rows[column]),
    )
    pairs = []
    for face, explanation in zip(faces, found, strict=True):
        seen = network.card.preprocessing.to_input_image(face.image)
        overlay = saliency_pictures.overlay_picture(seen, explanation, opacity=OPACITY, colormap=COLORMAP)
        picture = _side_by_side(saliency_pictures.enlarged(seen, len(overlay)), overlay)
        pairs.append(replace(face, picture=picture, alt=f"{face.alt}, with the saliency of {name}"))
    without = sum(not e.has_evidence for e in found)
    return pairs, (
        f"{comparison.protocol} Grad-CAM of {name}, {found[0].stage}, for its prediction; each map on its own scale "
        "from 0 (no evidence) to 1." + (f" {without} without evidence at this stage: only the face." if without else "")
    )


def _side_by_side(face: np.ndarray, overlay: np.ndarray) -> np.ndarray:
    """Two pictures (S, S, 3) as one RGBA picture with a transparent gap."""
    size = len(face)
    gap = round(size * GAP_PX / WIDTH_PX)
    pair = np.zeros((size, 2 * size + gap, 4), np.uint8)
    for left, picture in ((0, face), (size + gap, overlay)):
        pair[:, left : left + size, :3] = picture
        pair[:, left : left + size, 3] = 255
    return pair
