"""How far each network's map can be trusted: measured when asked for, since it takes thousands of passes."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.explain import Contrast, ExplainError, methods
from core.inference import Predictor, Trust
from dashboard import charts
from dashboard.components import maps
from dashboard.figures import lab_trust as figures
from dashboard.lab import kept
from dashboard.lab import question as questions
from dashboard.lab.face_in_question import FaceInQuestion
from dashboard.lab.question import Question
from dashboard.theme import class_colour

QUICK = tuple(name for name, method in methods().items() if not method.slow)


def draw(face: FaceInQuestion) -> None:
    """Each network's map; behind the button the measures beside it."""
    question = questions.ask(face)
    asked = (face.key, question, tuple(n.card.weights_sha256 for n in face.networks))
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Measure", type="primary", icon=":material/straighten:"):
            st.session_state["measured"] = asked
        st.caption(
            "Hides and restores the face where the map points, shuffles the map 99 times, asks the other methods, "
            "and randomises the weights. Takes some seconds a network; any other click stops it."
        )
    measured = st.session_state.get("measured") == asked
    found: dict[str, Trust] = {}
    for network in face.networks:
        trusted = _network(face, network, question, measured=measured)
        if trusted is not None:
            found[network.model_id] = trusted
    if found:
        _together(face, question, found)


def _network(face: FaceInQuestion, network: Predictor, question: Question, *, measured: bool) -> Trust | None:
    name = face.names[network.model_id]
    st.subheader(name)
    try:
        explanation = questions.answer(face, network, question, name=name)
        left, middle, right = st.columns([3, 4, 5], gap="medium")
        with left:
            picture = maps.overlay_picture(
                face.found.inputs[network.model_id], explanation, opacity=0.55, colormap="viridis"
            )
            st.image(picture, alt=f"Saliency of {name} for {question.evidence}", width="stretch")
            st.caption(f"{question.method.title}, {explanation.layer}, evidence for {question.evidence}")
        if not measured:
            return None
        with middle:
            found = _measured(
                lambda progress: kept.trust(face, network, explanation, progress),
                f"{name}: shuffled maps",
            )
            _curves(face, network, question, found)
        with right:
            _agreement(face, network, question)
    except ExplainError as error:
        st.info(f"{str(error)[0].upper()}{str(error)[1:]}.", icon=":material/info:")
        return None
    return found


def _measured(work: Callable[[Callable[[int, int], None]], Trust], title: str) -> Trust:
    place = st.empty()

    def show(done: int, total: int) -> None:
        place.progress(done / total, f"{title}, {done} of {total}")

    try:
        return work(show)
    finally:
        place.empty()


def _curves(face: FaceInQuestion, network: Predictor, question: Question, found: Trust) -> None:
    chance = found.chance
    if chance.better_than_chance:
        st.badge(figures.BETTER, icon=":material/check:", color="gray")
    else:
        st.badge(figures.CHANCE, icon=":material/casino:", color="gray")
    st.plotly_chart(
        figures.curves(found.curves, class_colour(question.class_name), face.forms[network.model_id], face.inks),
        key=f"trust-curves-{network.model_id}",
        config=charts.CONFIG,
        alt=f"Deletion and insertion curves of {face.names[network.model_id]}; the map is {figures.verdict(found)}",
    )
    drop = found.drop
    st.caption(
        f"Probability of {question.class_name} as the marked pixels are blurred away (deletion) or brought back "
        f"(insertion). Insertion − deletion {chance.score:.3f} in 6 steps; 95 % of {chance.copies} shuffled maps stay "
        f"below {chance.percentile_95:.3f}. Hiding the marked tenth: {drop.before:.3f} → {drop.after:.3f}. "
        f"ROAD {found.road.score:.3f}."
    )


def _agreement(face: FaceInQuestion, network: Predictor, question: Question) -> None:
    stage = question.stage_of(network)
    with st.spinner("Asking the other methods …"):
        found = kept.agreement(face, network, question.target_of(network), stage, QUICK)
    st.plotly_chart(
        figures.agreement(found, face.inks),
        key=f"trust-agreement-{network.model_id}",
        config=charts.CONFIG,
        alt=f"Rank correlation between the methods' maps for {face.names[network.model_id]}",
    )
    st.caption(f"Spearman's rank correlation of the quick methods' maps at {stage}; maps that coincide count once.")


def _together(face: FaceInQuestion, question: Question, found: dict[str, Trust]) -> None:
    """The check by random weights, and all numbers."""
    st.subheader("Does the map depend on what was learnt?")
    checked = {}
    with st.spinner("Randomising the weights …"):
        for network in face.networks:
            if network.model_id in found:
                target = question.target_of(network)
                k = target.a if isinstance(target, Contrast) else target
                checked[network.model_id] = kept.sanity(face, network, k, question.stage_of(network))
    st.plotly_chart(
        figures.sanity(checked, face.forms, face.names, face.inks),
        key="trust-sanity",
        config=charts.CONFIG,
        alt="Rank correlation of the map with itself while the weights are randomised, one line a network",
    )
    st.caption(
        "Grad-CAM of this face against itself while the layers' weights are made random from the head downwards "
        "(Adebayo et al. 2018). A map that explains the network falls to 0; one that only traces edges stays high."
    )
    numbers = figures.table(found, face.names)
    st.dataframe(numbers, hide_index=True, alt="Every measure of trust by network")
    st.download_button(
        "Trust (CSV)",
        lambda: numbers.to_csv(index=False),
        file_name=f"{face.stem}-trust.csv",
        mime="text/csv",
        icon=":material/table:",
        on_click="ignore",
    )
