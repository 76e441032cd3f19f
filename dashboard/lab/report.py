"""One self-contained HTML file to take along; the photo only where that is wished."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import streamlit as st

from core.explain import ExplainError, Explanation, colourise, upsample
from core.inference import Doubt, Predictor, Trust
from dashboard.components import maps
from dashboard.components.photo_view import with_boxes
from dashboard.figures import lab_doubt, lab_trust
from dashboard.figures.lab_report import Picture, Report, html
from dashboard.lab import kept
from dashboard.lab import question as questions
from dashboard.lab.face_in_question import FaceInQuestion
from dashboard.lab.question import Question

COLORMAP = "viridis"


def draw(face: FaceInQuestion) -> None:
    """What goes in, then the download."""
    question = questions.ask(face)
    with st.container(horizontal=True, gap="large"):
        photo = st.toggle("With the photo", key="report_photo", help="Off: maps are drawn without the face.")
        measured = st.toggle("With the measures of trust", key="report_trust", help="Takes some seconds a network.")
    explained, notes = _explained(face, question)
    trusted = _trusted(face, explained, notes) if measured else {}
    found = kept.doubt(face, "one")
    for note in notes:
        st.info(note, icon=":material/info:")
    report = _report(face, question, explained, trusted, found, photo=photo)
    st.download_button(
        "Report (HTML)",
        lambda: html(report, datetime.now(UTC).isoformat(timespec="seconds")),
        file_name=f"{face.stem}-report.html",
        mime="text/html",
        icon=":material/download:",
        type="primary",
        on_click="ignore",
        key="report",
    )
    contents = [
        "answers",
        f"{len(explained)} map{'' if len(explained) == 1 else 's'}",
        "doubt",
        *(["trust"] if trusted else []),
        "model cards",
        "versions",
    ]
    st.caption(
        f"Contains {', '.join(contents)}; {'with' if photo else 'without'} the photo. One file without scripts that "
        "opens offline. It is made for this download and kept nowhere."
    )


def _explained(face: FaceInQuestion, question: Question) -> tuple[dict[str, Explanation], list[str]]:
    """The maps by network, and one sentence for each network that has none."""
    found, notes = {}, []
    for network in face.networks:
        name = face.names[network.model_id]
        try:
            found[network.model_id] = questions.answer(face, network, question, name=name)
        except ExplainError as error:
            notes.append(f"{name} is without a map: {error}.")
    return found, notes


def _trusted(face: FaceInQuestion, explained: dict[str, Explanation], notes: list[str]) -> dict[str, Trust]:
    found = {}
    networks: dict[str, Predictor] = {n.model_id: n for n in face.networks}
    for model_id, explanation in explained.items():
        bar = st.empty()

        def show(done: int, total: int, bar=bar, name: str = face.names[model_id]) -> None:  # type: ignore[no-untyped-def]
            bar.progress(done / total, f"{name}: shuffled maps, {done} of {total}")

        try:
            found[model_id] = kept.trust(face, networks[model_id], explanation, show)
        except ExplainError as error:
            notes.append(f"{face.names[model_id]} is without measures of trust: {error}.")
        bar.empty()
    return found


def _report(
    face: FaceInQuestion,
    question: Question,
    explained: dict[str, Explanation],
    trusted: dict[str, Trust],
    found: Doubt,
    *,
    photo: bool,
) -> Report:
    verdict = face.found.verdict
    said = "The networks say" if len(face.networks) > 1 else "The network says"
    summary = [
        f"{said} {verdict.expression}, {verdict.probabilities[verdict.top]:.3f} after temperature scaling.",
        f"Face {face.number + 1} of {len(face.analysis.faces)}, found by {face.analysis.detector}. Maps: "
        f"{question.method.title} ({question.method.source}), evidence for {question.evidence}.",
    ]
    if found.disagreement is not None:
        summary.append(f"Disagreement between the networks (Jensen-Shannon): {found.disagreement:.3f} bits.")
    pictures = []
    if photo:
        pictures.append(Picture(with_boxes(face.analysis, face.number), face.photo.name, "The photo, faces numbered"))
    for model_id, explanation in explained.items():
        caption = f"{face.names[model_id]}, {explanation.layer}"
        if not explanation.has_evidence:
            caption += ", no evidence for this class"
        drawn = _drawn(face, model_id, explanation, photo=photo)
        pictures.append(Picture(drawn, caption, f"Saliency of {face.names[model_id]} for {question.evidence}"))
    tables = {"Doubt": lab_doubt.table(found, face.names)}
    if trusted:
        tables["Trust"] = lab_trust.table(trusted, face.names)
    cards = [n.card for n in face.networks]
    return Report(f"FERscope report: {face.stem}", summary, face.found.predictions, face.names, cards, pictures, tables)


def _drawn(face: FaceInQuestion, model_id: str, explanation: Explanation, *, photo: bool) -> np.ndarray:
    """The map over the face, or alone where the face is not to be seen."""
    if photo:
        return maps.overlay_picture(face.found.inputs[model_id], explanation, opacity=0.55, colormap=COLORMAP)
    return colourise(upsample(explanation.heatmap, maps.SIZE_PX), COLORMAP)
