"""Where the networks looked: one map a network, for the class and the stage that were chosen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.explain.closed_form import Scale
from core.inference import Predictor
from dashboard import services
from dashboard.components import maps
from dashboard.lab.face_in_question import FaceInQuestion

DEFAULT_STAGE, BEFORE_POOLING = "each network's default", "before the pooling"
SCALES = {"own": "each map by itself", "common": "common to all classes"}


@dataclass(frozen=True)
class Choice:
    """What the controls of this panel ask for."""

    class_name: str
    scale: Scale
    stage: str
    colormap: str
    opacity: float

    def stage_of(self, network: Predictor) -> str:
        """The network's own name of the chosen stage; it may lack it."""
        special = {DEFAULT_STAGE: network.card.cam_layer, BEFORE_POOLING: network.network.closed_form_stage}
        return special.get(self.stage, self.stage)


def draw(face: FaceInQuestion) -> None:
    """The crop the networks see, and beside it their maps."""
    choice = _controls(face)
    seen = {face.found.inputs[n.model_id].tobytes(): face.found.inputs[n.model_id] for n in face.networks}
    cells = st.columns(max(4, len(seen) + len(face.networks)))
    for cell, image in zip(cells, seen.values(), strict=False):
        with cell:
            st.markdown("**The crop they see**" if len(face.networks) > 1 else "**The crop it sees**")
            st.image(maps.enlarged(image), alt="The crop as the networks see it", width="stretch")
            st.caption(f"{image.shape[1]} × {image.shape[0]} px, {'grey' if image.ndim == 2 else 'RGB'}")
    pictures: dict[str, np.ndarray] = {}
    for cell, network in zip(cells[len(seen) :], face.networks, strict=False):
        with cell:
            name = face.names[network.model_id]
            st.markdown(f"**{name}**")
            picture = _map(face, network, choice)
            if picture is not None:
                pictures[name] = picture
    with st.container(horizontal=True, vertical_alignment="center"):
        st.image(maps.colour_bar(choice.colormap), alt="Colour bar from 0 to 1", width=200)
        st.caption("0, no evidence → 1, most. A map shows where the evidence lies; it is no proof of a reason.")
    if pictures:
        title = f"Evidence for {choice.class_name}, {face.stem}"
        st.download_button(
            "Picture",
            lambda: maps.contact_sheet(pictures, title, choice.colormap),
            file_name=f"{face.stem}-{choice.class_name}.png",
            mime="image/png",
            icon=":material/image:",
            on_click="ignore",
        )


def _controls(face: FaceInQuestion) -> Choice:
    verdict = face.found.verdict
    class_name = st.segmented_control(
        "Evidence for",
        verdict.labels.classes,
        default=verdict.expression,
        required=True,
        wrap=True,
        key=f"class-{face.key}",
    )
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
        inner = sorted({s for n in face.networks for s in n.network.stages})
        stages = [DEFAULT_STAGE, BEFORE_POOLING, *inner]
        stage = st.selectbox("Stage", stages, key="stage", bind="query-params", width=210)
        colormap = st.selectbox("Colours", maps.COLORMAPS, key="colours", bind="query-params", width=120)
        opacity = st.slider("Opacity", 0.0, 1.0, 0.55, 0.05, key="opacity", bind="query-params", width=150)
    return Choice(class_name, scale, stage, colormap, opacity)


def _map(face: FaceInQuestion, network: Predictor, choice: Choice) -> np.ndarray | None:
    """Draw one network's map and say what it is; None, with a sentence, where the network has no such map."""
    labels, stage = network.card.labels, choice.stage_of(network)
    if stage not in network.network.stages:
        st.info(f"This network has no {stage}; it has {', '.join(network.network.stages)}.")
        return None
    if choice.class_name not in labels.classes:
        st.info(f"This network has no class {choice.class_name}; it has {', '.join(labels.classes)}.")
        return None
    k = labels.index(choice.class_name)
    maps_of_face = services.saliency(face.photo, face.analysis, face.number, network, stage)
    explanation = maps_of_face.explanation(k, choice.scale)
    image = face.found.inputs[network.model_id]
    picture = maps.overlay_picture(image, explanation, opacity=choice.opacity, colormap=choice.colormap)
    st.image(picture, alt=f"Saliency of {face.names[network.model_id]} for {choice.class_name}", width="stretch")
    says = f"{choice.class_name} {face.found.predictions[network.model_id].probabilities[k]:.3f}"
    if explanation.has_evidence:
        rows, columns = explanation.heatmap.shape
        st.caption(f"{says} · Grad-CAM, {stage}, {columns} × {rows} cells")
    else:
        st.caption(f"{says} · no evidence for this class at {stage}")
    return picture
