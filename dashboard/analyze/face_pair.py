"""Two faces side by side: the predictions for each, and their maps for the same class."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.explain import method_named
from dashboard.analyze import maps
from dashboard.analyze.map_options import DEFAULT_STAGE, MapOptions
from dashboard.analyze.selected_face import SelectedFace, too_small
from dashboard.plots.dumbbells import dumbbells
from dashboard.section import Picture, Section, csv
from dashboard.ui import sections
from dashboard.ui.markdown import escaped
from dashboard.ui.messages import show_warning

PREDICTED = "the predicted class of each face"


def draw(pair: Sequence[SelectedFace]) -> None:
    """``pair`` are two faces analyzed by the same networks."""
    first, second = pair
    titles = first.title, second.title
    for before in first.found.groups:
        after = next((g for g in second.found.groups if g.labels.same_classes(before.labels)), None)
        if after is not None:
            alt = f"Probability of each expression for {titles[0]} and for {titles[1]}, by network"
            st.html(
                dumbbells(
                    before,
                    after,
                    first.styles,
                    first.names,
                    first.inks,
                    alt=alt,
                    words=titles,
                )
            )
    st.caption(escaped(f"Hollow: {titles[0]}. Filled: {titles[1]}. One view per face."))
    chosen = st.selectbox("Evidence for the class", [PREDICTED, *first.classes], key="pair-class", width=260)
    for column, face in zip(st.columns(2, gap="large"), pair, strict=True):
        class_name = face.found.verdict.expression if chosen == PREDICTED else chosen
        with column:
            if few_pixels := too_small(face.found.face.box.side):
                show_warning(few_pixels, icon="photo_size_select_small")
            sections.draw([_maps_section(face, class_name)])
    st.caption("Grad-CAM at each network's default stage; each map has its own scale.")
    table = _table(pair)
    sections.draw_downloads([csv("Both faces (CSV)", f"{first.stem}-{second.stem}.csv", lambda: table)])


def _maps_section(face: SelectedFace, class_name: str) -> Section:
    options = MapOptions(class_name, None, method_named("gradcam"), DEFAULT_STAGE)
    found = maps.available(face, options)
    networks = {n.model_id: n for n in face.networks}
    pictures = [
        Picture(
            maps.over_photo(face, networks[model_id], explanation, options),
            f"Saliency of {face.names[model_id]} on {face.title} for {class_name}",
            title=face.names[model_id],
            caption=_caption(face, model_id, class_name, has_evidence=explanation.has_evidence),
        )
        for model_id, explanation in found.explanations.items()
    ]
    return Section(f"{face.title}: evidence for {class_name}", notes=found.notes, pictures=tuple(pictures))


def _caption(face: SelectedFace, model_id: str, class_name: str, *, has_evidence: bool) -> str:
    prediction = face.found.predictions[model_id]
    probability = f"{class_name} {prediction.probabilities[prediction.labels.index(class_name)]:.3f}"
    return probability if has_evidence else f"{probability}, no evidence"


def _table(pair: Sequence[SelectedFace]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"face": face.title, "network": face.names[model_id]}
            | dict(zip(p.labels.classes, p.probabilities, strict=True))
            for face in pair
            for model_id, p in face.found.predictions.items()
        ]
    )
