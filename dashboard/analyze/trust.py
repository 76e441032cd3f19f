"""How far each network's map can be trusted: measured when asked for, since it takes thousands of passes."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.errors import ExplainError
from core.explain import ChanceResult, Explanation, saliency_methods
from core.inference import Predictor
from core.probes import FaithfulnessMeasures, MethodAgreement, TrustFindings
from dashboard.analyze import computations
from dashboard.analyze import saliency_options as questions
from dashboard.analyze.saliency_options import Question
from dashboard.analyze.selected_face import FaceInQuestion
from dashboard.plots import charts, saliency_pictures
from dashboard.plots import trust as figures
from dashboard.style import class_color
from dashboard.ui import progress

QUICK = tuple(name for name, method in saliency_methods().items() if not method.slow)
KEY = "trust"
PARTS = 4  # a network: quick measures, agreement, chance test, random weights


@dataclass(frozen=True)
class Row:
    """One network's place on the page, with the map that is to be trusted."""

    network: Predictor
    explanation: Explanation
    curves: DeltaGenerator
    agreement: DeltaGenerator


def draw(face: FaceInQuestion) -> None:
    """Each network's map; behind the button the measures beside it, as they come."""
    question = questions.ask(face)
    asked = (face.key, question, tuple(n.card.weights_sha256 for n in face.networks))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Measure", type="primary", icon=":material/straighten:", on_click=_measure, args=(asked,))
        st.caption(
            "Hides and restores the face where the map points, shuffles the map 99 times, asks the other methods, and "
            "randomizes the weights: some seconds a network, longer for a slow method. It can be stopped; what is "
            "measured by then stays."
        )
    bar = st.empty()
    rows = [row for row in (_row(face, network, question) for network in face.networks) if row is not None]
    if rows and st.session_state.get("measured") == asked:
        _measured(face, question, rows, asked, bar)


def _measure(asked: Hashable) -> None:
    st.session_state["measured"] = asked
    st.session_state.pop(f"stopped-{KEY}", None)


def _row(face: FaceInQuestion, network: Predictor, question: Question) -> Row | None:
    name = face.names[network.model_id]
    st.subheader(name)
    try:
        explanation = questions.answer(face, network, question, name=name)
    except ExplainError as error:
        st.info(_sentence(error), icon=":material/info:")
        return None
    left, middle, right = st.columns([3, 4, 5], gap="medium")
    with left:
        picture = saliency_pictures.overlay_picture(
            face.found.inputs[network.model_id], explanation, opacity=0.55, colormap="viridis"
        )
        st.image(picture, alt=f"Saliency of {name} for {question.evidence}", width="stretch")
        st.caption(f"{question.method.title}, {explanation.layer}, evidence for {question.evidence}")
    return Row(network, explanation, middle.empty(), right.empty())


@dataclass(frozen=True)
class Pieces:
    """What is measured of one network's map."""

    measures: computations.Computation[FaithfulnessMeasures]
    agreement: computations.Computation[MethodAgreement]
    sanity: computations.Computation[tuple[tuple[str, float], ...]]
    chance: computations.Computation[ChanceResult]

    @property
    def in_turn(self) -> tuple[tuple[str, str, computations.Computation[Any]], ...]:
        """Each with its title and the unit its progress is counted in, the quickest first."""
        return (
            ("deletion and insertion", "passes", self.measures),
            ("other methods", "methods", self.agreement),
            ("shuffled maps", "maps", self.chance),
            ("random weights", "passes", self.sanity),
        )

    @property
    def findings(self) -> TrustFindings:
        """What is measured by now."""
        return TrustFindings(
            measures=self.measures.get() if self.measures.ready else None,
            chance=self.chance.get() if self.chance.ready else None,
            agreement=self.agreement.get() if self.agreement.ready else None,
            randomization=self.sanity.get() if self.sanity.ready else None,
        )


def pieces(face: FaceInQuestion, question: Question, network: Predictor, explanation: Explanation) -> Pieces:
    """The measures of one map, made or not."""
    stage, target, asked = question.stage_of(network), question.target_of(network), question.method
    compared = tuple(name for name in saliency_methods() if name in QUICK or name == asked.name)
    return Pieces(
        measures=computations.measures(face, network, explanation),
        agreement=computations.agreement(face, network, target, stage, compared, explanation),
        sanity=computations.sanity(
            face, network, target, network.card.cam_layer if asked.marks_pixels else stage, asked.name
        ),
        chance=computations.chance(face, network, explanation),
    )


def _measured(face: FaceInQuestion, question: Question, rows: list[Row], asked: Hashable, bar: DeltaGenerator) -> None:
    """Everything that is kept, then what is missing, the quickest first, unless it was stopped."""
    halted = progress.stopped(KEY, asked)
    found_of = [
        (row, face.names[row.network.model_id], pieces(face, question, row.network, row.explanation)) for row in rows
    ]
    found: dict[str, TrustFindings] = {}
    checked: dict[str, tuple[tuple[str, float], ...]] = {}
    below = st.container()
    with bar.container(), progress.work(KEY, asked, PARTS * len(rows)) as work:
        for row, name, of in found_of:
            work.part(f"{name}: deletion and insertion")
            if of.measures.ready or not halted:
                with _said(row):
                    found[row.network.model_id] = TrustFindings(of.measures.get())
                    if not of.chance.ready:
                        _curves(face, row, question, of.measures.get(), None)
        for row, name, of in found_of:
            show = work.part(f"{name}: other methods", "methods")
            if of.agreement.ready or not halted:
                with _said(row):
                    _agreement(face, row, question, of.agreement.get(show))
        for row, name, of in found_of:
            show = work.part(f"{name}: shuffled maps", "maps")
            if row.network.model_id in found and (of.chance.ready or not halted):
                found[row.network.model_id] = TrustFindings(of.measures.get(), of.chance.get(show))
                _curves(face, row, question, of.measures.get(), of.chance.get())
        for row, name, of in found_of:
            show = work.part(f"{name}: random weights")
            if of.sanity.ready or not halted:
                try:
                    checked[row.network.model_id] = of.sanity.get(show)
                except ExplainError as error:
                    below.info(f"{name} under random weights: {error}.", icon=":material/info:")
        with below:
            _sanity(face, question, checked)
    for test, made in (
        ("the chance test", [of.chance.ready for _, _, of in found_of]),
        ("the check by random weights", [of.sanity.ready for _, _, of in found_of]),
    ):
        if halted and not all(made):
            with bar.container():
                progress.go_on(KEY, f"Stopped; {test} is done for {sum(made)} of {len(rows)} networks.")
            break
    _numbers(face, found, {row.network.model_id: of.findings for row, _, of in found_of})


@contextmanager
def _said(row: Row) -> Iterator[None]:
    """What cannot be measured is a sentence in its place."""
    try:
        yield
    except ExplainError as error:
        row.curves.info(_sentence(error), icon=":material/info:")


def _curves(
    face: FaceInQuestion, row: Row, question: Question, found: FaithfulnessMeasures, chance: ChanceResult | None
) -> None:
    """The curves of one network; drawn again with its verdict once the chance test is done."""
    network, tested = row.network, chance is not None
    look = {figures.BETTER: ":material/check:", figures.CHANCE: ":material/casino:"}
    said = figures.verdict(chance)
    with row.curves.container():
        st.badge(said, icon=look.get(said, ":material/hourglass_empty:"), color="gray")
        st.plotly_chart(
            figures.curves(found.curves, class_color(question.class_name), face.forms[network.model_id], face.inks),
            key=f"trust-curves-{network.model_id}-{tested}",
            config=charts.CONFIG,
            alt=f"Deletion and insertion curves of {face.names[network.model_id]}; the map is {said}",
        )
        shuffled = ""
        if chance is not None:
            shuffled = (
                f"Insertion − deletion {chance.score:.3f} in {chance.steps} steps; 95 % of {chance.copies} shuffled "
                f"maps stay below {chance.percentile_95:.3f}. "
            )
        drop = found.drop
        alone = f" where only it and {question.against} are possible" if question.against else ""
        st.caption(
            f"Probability of {question.class_name}{alone} as the marked pixels are blurred away (deletion) or brought "
            f"back (insertion). {shuffled}Hiding the marked tenth: {drop.before:.3f} → {drop.after:.3f}. "
            f"ROAD {found.road.score:.3f}."
        )


def _agreement(face: FaceInQuestion, row: Row, question: Question, found: MethodAgreement) -> None:
    with row.agreement.container():
        st.plotly_chart(
            figures.agreement(found, face.inks),
            key=f"trust-agreement-{row.network.model_id}",
            config=charts.CONFIG,
            alt=f"Rank correlation between the methods' maps for {face.names[row.network.model_id]}",
        )
        others = f"{question.method.title} and the quick methods'" if question.method.slow else "the quick methods'"
        st.caption(
            f"Spearman's rank correlation of {others} maps at {question.stage_of(row.network)}, evidence for "
            f"{question.evidence}; maps that coincide count once."
        )


def _sanity(face: FaceInQuestion, question: Question, checked: dict[str, tuple[tuple[str, float], ...]]) -> None:
    """The check by random weights."""
    if checked:
        st.subheader("Does the map depend on what was learned?")
        st.plotly_chart(
            figures.sanity(checked, face.forms, face.names, face.inks),
            key="trust-sanity",
            config=charts.CONFIG,
            alt="Rank correlation of the map with itself while the weights are randomized, one line a network",
        )
        st.caption(
            f"{question.method.title} of this face, evidence for {question.evidence}, against itself while the layers' "
            "weights are made random from the head downwards (Adebayo et al. 2018). A map that explains the network "
            "falls to 0; one that only traces edges stays high."
        )


def _numbers(face: FaceInQuestion, found: dict[str, TrustFindings], measured: dict[str, TrustFindings]) -> None:
    """The figures as a table; the file has the points of every curve and the correlations with them."""
    if not found:
        return
    st.dataframe(figures.table(found, face.names), hide_index=True, alt="Every measure of trust by network")
    st.download_button(
        "Trust (CSV)",
        lambda: figures.numbers(measured, face.names).to_csv(index=False),
        file_name=f"{face.stem}-trust.csv",
        mime="text/csv",
        icon=":material/table:",
        type="tertiary",
        on_click="ignore",
    )


def _sentence(error: ExplainError) -> str:
    return f"{str(error)[0].upper()}{str(error)[1:]}."
