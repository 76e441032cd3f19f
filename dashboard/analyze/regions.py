"""Where the networks look, in words of the face: brows, eyes, nose, mouth and the rest."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from core.errors import DataError, ExplainError
from core.explain import REGION_NAMES, Explanation, FaceRegions
from core.inference import Predictor
from core.probes import SplitRegionShares, regions_in_crop
from dashboard import services
from dashboard.analyze import computations, findings
from dashboard.analyze import saliency_options as questions
from dashboard.analyze.saliency_options import Question
from dashboard.analyze.selected_face import FaceInQuestion
from dashboard.plots import charts, saliency_pictures
from dashboard.plots import regions as figures
from dashboard.ui import progress

SPLIT, SPLIT_NAME = "test", "PrivateTest"
KEY = "shares"


def draw(face: FaceInQuestion) -> None:
    """Shares for this face, then, when asked for, over the images the networks were scored on."""
    question = questions.ask(face)
    regions = {n.model_id: regions_in_crop(n, face.analysis, face.number) for n in face.networks}
    found, explained = _shares(face, question, regions)
    first = regions[face.networks[0].model_id]
    left, right = st.columns([4, 8], gap="large")
    with left:
        seen = face.found.inputs[face.networks[0].model_id]
        st.image(
            figures.outlined(saliency_pictures.enlarged(seen), first),
            alt="The crop with the outlines of brows, eyes, nose and mouth",
            width=300,
        )
        st.caption(source(first))
    with right:
        if found:
            st.plotly_chart(
                figures.shares(found, first.areas, question.class_name, face.forms, face.names, face.inks),
                key="regions",
                config=charts.CONFIG,
                alt=f"Share of the saliency on brows, eyes, nose, mouth and the rest, by network; {_most(face, found)}",
            )
            st.caption(
                f"Evidence for {question.evidence}, {question.method.title}. The bar is the region's part of the crop, "
                "which a map that is even everywhere would give. A cell that regions share is divided by area, so "
                f"coarse maps spill over. {findings.no_better(face, explained)}"
            )
            st.download_button(
                "Shares (CSV)",
                lambda: figures.numbers(found, first.areas, face.names).to_csv(index=False),
                file_name=f"{face.stem}-regions.csv",
                mime="text/csv",
                icon=":material/table:",
                type="tertiary",
                on_click="ignore",
            )
    _over_the_data(face)


def _shares(
    face: FaceInQuestion, question: Question, regions: Mapping[str, FaceRegions]
) -> tuple[dict[str, np.ndarray], dict[str, Explanation]]:
    """(5,) by network, and the maps they are of; one sentence for each that has no map."""
    found, explained = {}, {}
    for network in face.networks:
        name = face.names[network.model_id]
        try:
            explanation = questions.answer(face, network, question, name=name)
            if not explanation.has_evidence:
                raise ExplainError(f"nothing speaks for {question.evidence} at {explanation.layer}")
            found[network.model_id] = regions[network.model_id].shares(explanation.heatmap)
            explained[network.model_id] = explanation
        except ExplainError as error:
            st.info(f"{name} has no shares: {error}.", icon=":material/info:")
    return found, explained


def source(regions: FaceRegions) -> str:
    """Where the regions come from, as a sentence."""
    if regions.from_landmarks:
        return "Regions drawn about the detector's five landmarks."
    return (
        "Regions from the template: where faces framed as FER2013's have their parts. This detector gives no "
        "landmarks, so a turned or tilted face may not fit; YuNet gives them."
    )


def _most(face: FaceInQuestion, found: Mapping[str, np.ndarray]) -> str:
    """What each network looks at most besides the rest."""
    return ", ".join(f"{face.names[m]} most on the {REGION_NAMES[int(of[:-1].argmax())]}" for m, of in found.items())


def _over_the_data(face: FaceInQuestion) -> None:
    st.subheader(f"Over {SPLIT_NAME}")
    asked = tuple(n.card.weights_sha256 for n in face.networks)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Average by class", icon=":material/groups:", on_click=_begin, args=(asked,))
        st.caption(
            "Grad-CAM of every image of the evaluation for the class the network answers with, at its default stage "
            "and on the template. Some minutes for all networks; it can be stopped, and what is finished stays."
        )
    if st.session_state.get(f"wanted-{KEY}") == asked:
        found = _averaged(face, asked)
        if found:
            _by_class(face, found)


def _begin(asked: tuple[str, ...]) -> None:
    st.session_state[f"wanted-{KEY}"] = asked
    st.session_state.pop(f"stopped-{KEY}", None)


def _averaged(face: FaceInQuestion, asked: tuple[str, ...]) -> dict[str, SplitRegionShares]:
    """By network; a sentence for each whose images are not at hand."""
    waiting: list[tuple[Predictor, computations.Computation[SplitRegionShares]]] = []
    found: dict[str, SplitRegionShares] = {}
    for network in face.networks:
        try:
            piece = computations.dataset_shares(
                network, services.dataset(network.card), SPLIT, stage=network.card.cam_layer
            )
        except DataError as error:
            st.info(f"{face.names[network.model_id]}: {error}.", icon=":material/info:")
            continue
        if piece.ready:
            found[network.model_id] = piece.get()
        else:
            waiting.append((network, piece))
    if waiting and progress.stopped(KEY, asked):
        names = ", ".join(face.names[n.model_id] for n, _ in waiting)
        progress.go_on(KEY, f"Stopped before the end of {names}.")
        return found
    with progress.work(KEY, asked, len(waiting)) as work:
        for network, piece in waiting:
            name = face.names[network.model_id]
            try:
                found[network.model_id] = piece.get(work.part(f"{name} over {SPLIT_NAME}", "images"))
            except (DataError, ExplainError) as error:
                st.info(f"{name}: {error}.", icon=":material/info:")
    return {n.model_id: found[n.model_id] for n in face.networks if n.model_id in found}


def _by_class(face: FaceInQuestion, found: dict[str, SplitRegionShares]) -> None:
    region = st.segmented_control(
        "Region", REGION_NAMES, default="mouth", required=True, key="region", bind="query-params"
    )
    n = max(len(of.predicted) for of in found.values())
    st.plotly_chart(
        figures.by_class(found, region, face.forms, face.names, face.inks),
        key="regions-by-class",
        config=charts.CONFIG,
        alt=f"Mean share of the saliency on the {region} by the class answered, one mark a network",
    )
    stages = ", ".join(f"{face.names[m]} {of.stage}" for m, of in found.items())
    st.caption(
        f"{SPLIT_NAME}, n = {n:,}, by the class each network answered with; marks are means with 95 % intervals, the "
        f"upright line an even map. Grad-CAM at {stages}; template regions."
    )
    st.download_button(
        "Averages (CSV)",
        lambda: figures.class_numbers(found, face.names).to_csv(index=False),
        file_name=f"regions-{SPLIT_NAME}.csv",
        mime="text/csv",
        icon=":material/table:",
        type="tertiary",
        on_click="ignore",
    )
