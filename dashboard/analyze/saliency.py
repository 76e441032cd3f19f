"""Where the networks looked: one map a network, for the class and the stage that were chosen."""

from __future__ import annotations

from typing import cast

import numpy as np
import streamlit as st

from core.errors import ExplainError
from core.explain import Explanation, Scale
from core.inference import Predictor
from dashboard.analyze import findings
from dashboard.analyze import saliency_options as questions
from dashboard.analyze.saliency_options import Question
from dashboard.analyze.selected_face import FaceInQuestion
from dashboard.plots import saliency_pictures

SCALES = {"own": "each map by itself", "common": "common to all classes"}
OPACITY = 0.55


def draw(face: FaceInQuestion) -> None:
    """The crop the networks see, and beside it their maps."""
    question = questions.ask(face)
    scale, colormap, opacity = _look()
    seen = {face.found.inputs[n.model_id].tobytes(): face.found.inputs[n.model_id] for n in face.networks}
    pictures: dict[str, np.ndarray] = {}
    # At most as wide as a quarter of the page, two beside each other on a telephone.
    with st.grid(max(4, len(seen) + len(face.networks)), min_column_width=150) as grid:
        for image in seen.values():
            with grid.cell():
                st.markdown("**The crop they see**" if len(face.networks) > 1 else "**The crop it sees**")
                st.image(saliency_pictures.enlarged(image), alt="The crop as the networks see it", width="stretch")
                st.caption(f"{image.shape[1]} × {image.shape[0]} px, {'gray' if image.ndim == 2 else 'RGB'}")
        for network in face.networks:
            with grid.cell():
                name = face.names[network.model_id]
                st.markdown(f"**{name}**")
                try:
                    explanation = questions.answer(face, network, question, scale, name)
                except ExplainError as error:
                    st.info(_sentence(str(error)), icon=":material/info:")
                    continue
                image = face.found.inputs[network.model_id]
                picture = saliency_pictures.overlay_picture(image, explanation, opacity=opacity, colormap=colormap)
                st.image(picture, alt=f"Saliency of {name} for {question.evidence}", width="stretch")
                st.caption(_caption(face, network, question, explanation))
                tested = findings.chance_words(face, network, explanation)
                pictures[f"{name}\n{tested}" if tested else name] = picture
    with st.container(horizontal=True, vertical_alignment="center"):
        st.image(saliency_pictures.color_bar(colormap), alt="Color bar from 0 to 1", width=200)
        st.caption("0, no evidence → 1, most. A map shows where the evidence lies; it is no proof of a reason.")
    _notes(face, question, scale)
    if pictures:
        title = f"Evidence for {question.evidence}, {face.stem}, {question.method.title}"
        st.download_button(
            "Picture",
            lambda: saliency_pictures.contact_sheet(pictures, title, colormap),
            file_name=f"{face.stem}-{question.class_name}.png",
            mime="image/png",
            icon=":material/image:",
            on_click="ignore",
        )


def _look() -> tuple[Scale, str, float]:
    """How the maps are drawn: scale, colors, opacity."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        scale = st.segmented_control(
            "Scale",
            list(SCALES),
            format_func=SCALES.__getitem__,
            default="own",
            required=True,
            key="scale",
            bind="query-params",
            help="By itself every map reaches 1. On the common scale a class with little evidence stays dark.",
        )
        colormap = st.selectbox("Colors", saliency_pictures.COLORMAPS, key="colors", bind="query-params", width=120)
        opacity = st.slider("Opacity", 0.0, 1.0, OPACITY, 0.05, key="opacity", bind="query-params", width=150)
    return cast(Scale, scale), colormap, opacity


def _caption(face: FaceInQuestion, network: Predictor, question: Question, explanation: Explanation) -> str:
    k = network.card.labels.index(question.class_name)
    says = f"{question.class_name} {face.found.predictions[network.model_id].probabilities[k]:.3f}"
    if not explanation.has_evidence:
        return f"{says} · no evidence for this class at {explanation.stage}"
    rows, columns = explanation.heatmap.shape
    unit = "pixels" if question.method.marks_pixels else "cells"
    of = f"{question.method.title}, {explanation.stage}, {columns} × {rows} {unit}"
    tested = findings.chance_words(face, network, explanation)
    return f"{says} · {of} · {tested}" if tested else f"{says} · {of}"


def _notes(face: FaceInQuestion, question: Question, scale: str) -> None:
    """What the reader has to know of this method."""
    method = question.method
    notes = [f"{method.title} ({method.source}): {method.summary}"]
    if any(question.coincides_on(n) for n in face.networks):
        notes.append(questions.COINCIDE)
    if not method.class_specific:
        notes.append("It makes one map for all classes: the chosen class does not change it.")
    if scale == "common" and (method.slow or question.against):
        notes.append("Slow methods and contrasts are drawn on their own scale.")
    st.caption(" ".join(notes))


def _sentence(text: str) -> str:
    """An error of core, which begins in lower case, as a sentence."""
    return f"{text[0].upper()}{text[1:]}."
