"""Which saliency maps are shown and how: class, contrast, method, stage, scale, colors, opacity. Shared by all
panels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import streamlit as st

from core.errors import ExplainError
from core.explain import Contrast, SaliencyMethod, Scale, distinct_methods, method_named, saliency_methods
from core.inference import Predictor
from dashboard.analyze.selected_face import SelectedFace
from dashboard.plots.saliency_pictures import COLORMAPS
from dashboard.ui import link_page, links

DEFAULT_STAGE, BEFORE_POOLING = "each network's default", "before the pooling"
NO_CONTRAST = "any other class"
SCALES = {"own": "each map by itself", "common": "common to all classes"}
OPACITY = 0.55


@dataclass(frozen=True)
class MapOptions:
    """One map per network: its target, and how it is drawn."""

    class_name: str
    contrast: str | None  # the class that ``class_name`` is contrasted with
    method: SaliencyMethod
    stage: str
    scale: Scale = "own"
    colormap: str = COLORMAPS[0]
    opacity: float = OPACITY

    def stage_of(self, network: Predictor) -> str:
        """The network's own name of the chosen stage. Raises ExplainError if the network lacks it."""
        special = {DEFAULT_STAGE: network.card.cam_layer, BEFORE_POOLING: network.network.closed_form_stage}
        stage = special.get(self.stage, self.stage)
        if stage not in network.network.stages:
            raise ExplainError(f"this network has no {stage}; available: {', '.join(network.network.stages)}")
        return stage

    def target_of(self, network: Predictor) -> int | Contrast:
        """The class or the contrast as indices of the network's classes. Raises ExplainError if it lacks one."""
        labels = network.card.labels
        for name in (self.class_name, self.contrast):
            if name is not None and name not in labels.classes:
                raise ExplainError(f"this network has no class {name}; available: {', '.join(labels.classes)}")
        if self.contrast is None:
            return labels.index(self.class_name)
        return Contrast(labels.index(self.class_name), labels.index(self.contrast))

    def same_as(self, network: Predictor) -> tuple[str, ...]:
        """Titles of all methods that give the same map as the chosen one on this network, itself included."""
        groups = distinct_methods(tuple(saliency_methods()), network.network, self.stage_of(network))
        group = next(group for group in groups if self.method.name in group)
        return tuple(method_named(name).title for name in group)

    @property
    def evidence(self) -> str:
        """*happy*, or *happy rather than sad*."""
        return self.class_name + (f" rather than {self.contrast}" if self.contrast else "")


def choose_class(face: SelectedFace) -> str:
    """The class whose evidence the maps show; by default the predicted one."""
    predicted = face.found.verdict.expression
    return links.dependent_choice(
        st.segmented_control,
        "Evidence for the class",
        face.classes,
        name=links.CLASS,
        default=predicted,
        key=f"class-{face.key}-{predicted}",  # other networks may predict another class: another default
        wrap=True,
    )


def choose_options(face: SelectedFace, class_name: str) -> MapOptions:
    """All options except the class, in an expander."""
    with link_page.messages_in(st.container()), st.expander("Options of the maps", icon=":material/tune:"):
        contrast, method, stage = _target(face, class_name)
        scale, colormap, opacity = _appearance()
    if method_named(method).marks_pixels:
        stage = DEFAULT_STAGE  # the control of the stage is disabled
    links.choose_implicitly(links.CLASS, class_name if contrast else None)  # a contrast belongs to its class
    return MapOptions(class_name, contrast, method_named(method), stage, scale, colormap, opacity)


def _target(face: SelectedFace, class_name: str) -> tuple[str | None, str, str]:
    others = [name for name in face.classes if name != class_name]
    titles = {name: method.title for name, method in saliency_methods().items()}
    inner = sorted({stage for network in face.networks for stage in network.network.stages})
    stages = {stage: stage for stage in (DEFAULT_STAGE, BEFORE_POOLING, *inner)}
    with st.grid("auto", min_column_width=170):
        contrast = links.dependent_choice(
            st.selectbox,
            "Rather than",
            [NO_CONTRAST, *others],
            name=links.CONTRAST,
            default=NO_CONTRAST,
            key=f"contrast-{face.key}-{class_name}",
            help="Evidence for one class and against another: the target is the difference of the two logits.",
        )
        method = links.choice(st.selectbox, "Method", titles, key="method", default="gradcam")
        stage = links.choice(
            st.selectbox,
            "Stage",
            stages,
            key="stage",
            default=DEFAULT_STAGE,
            disabled=saliency_methods()[method].marks_pixels,
            help="Where in the network the map is computed; earlier stages have more and smaller cells.",
        )
    return None if contrast == NO_CONTRAST else contrast, method, stage


def _appearance() -> tuple[Scale, str, float]:
    with st.grid("auto", min_column_width=170):
        scale = links.choice(
            st.selectbox,
            "Scale",
            SCALES,
            key="scale",
            default="own",
            help="Scaled by itself, every map reaches 1. On the common scale, a class with little evidence stays dark.",
        )
        colormap = links.choice(
            st.selectbox, "Colors", {name: name for name in COLORMAPS}, key="colors", default=COLORMAPS[0]
        )
        opacity = links.slider("Opacity of the map", 0.0, 1.0, OPACITY, 0.05, key="opacity")
    return cast(Scale, scale), colormap, opacity
