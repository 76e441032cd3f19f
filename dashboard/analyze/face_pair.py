"""Two faces beside each other: what the networks say of each, and their maps for the same question."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.errors import ExplainError
from dashboard import services
from dashboard.analyze import findings
from dashboard.analyze.selected_face import FaceInQuestion, too_small
from dashboard.plots import charts, saliency_pictures
from dashboard.plots.dumbbells import dumbbells

OWN = "each face's own answer"
COLORMAP = "viridis"


def draw(pair: Sequence[FaceInQuestion]) -> None:
    """``pair`` are two faces read by the same networks."""
    first, second = pair
    words = _words(first), _words(second)
    alt = f"Probability of each expression for {words[0]} and for {words[1]}, by network"
    before, after = (charts.with_ensemble(of.found.groups[0]) for of in (first, second))
    st.html(dumbbells(before, after, first.forms, first.names, first.inks, alt=alt, words=words))
    st.caption(f"Hollow: {words[0]}. Filled: {words[1]}.")
    classes = first.found.verdict.labels.classes
    asked = st.selectbox("Maps for", [OWN, *classes], key="pair-class", width=230)
    for face, called in zip(pair, words, strict=True):
        class_name = face.found.verdict.expression if asked == OWN else asked
        st.markdown(f"**{called}**, evidence for {class_name}")
        if few_pixels := too_small(face.found.face.box.side):
            st.warning(few_pixels, icon=":material/photo_size_select_small:")
        _maps(face, class_name)
    st.caption("Grad-CAM at each network's default stage, each map on its own scale.")
    numbers = _numbers(pair, words)
    st.download_button(
        "Both faces (CSV)",
        lambda: numbers.to_csv(index=False),
        file_name=f"{first.stem}-{second.stem}.csv",
        mime="text/csv",
        icon=":material/table:",
        type="tertiary",
        on_click="ignore",
    )


def _words(face: FaceInQuestion) -> str:
    return f"{face.photo.name}, face {face.number + 1}"


def _maps(face: FaceInQuestion, class_name: str) -> None:
    columns = len(face.networks) + 1
    with (
        st.container(width=columns * 190),
        st.grid(columns, wrap=False, min_column_width=76, gap="xsmall") as grid,
    ):
        with grid.cell():
            st.image(
                saliency_pictures.enlarged(face.found.inputs[face.networks[0].model_id]),
                alt=f"The crop of {_words(face)} as the networks see it",
                width="stretch",
            )
            st.caption("the crop")
        for network in face.networks:
            with grid.cell():
                name, labels = face.names[network.model_id], network.card.labels
                if class_name not in labels.classes:
                    st.caption(f"{name} has no class {class_name}.")
                    continue
                try:
                    found = services.saliency(
                        face.photo, face.analysis, face.number, network, network.card.cam_layer
                    ).explanation(labels.index(class_name))
                except ExplainError as error:
                    st.caption(f"{name}: {error}.")
                    continue
                picture = saliency_pictures.overlay_picture(
                    face.found.inputs[network.model_id], found, opacity=0.55, colormap=COLORMAP
                )
                st.image(picture, alt=f"Saliency of {name} on {_words(face)} for {class_name}", width="stretch")
                p = face.found.predictions[network.model_id].probabilities[labels.index(class_name)]
                tested = findings.chance_words(face, network, found)
                said = tested if found.has_evidence else "no evidence"
                st.caption(f"{name} {p:.3f}" + (f", {said}" if said else ""))


def _numbers(pair: Sequence[FaceInQuestion], words: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"face": called, "network": face.names[model_id]}
            | dict(zip(p.labels.classes, p.probabilities, strict=True))
            for face, called in zip(pair, words, strict=True)
            for model_id, p in charts.with_ensemble(face.found.groups[0]).items()
        ]
    )
