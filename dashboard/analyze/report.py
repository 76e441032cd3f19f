"""One self-contained HTML file to take along; the photo only where that is wished."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import streamlit as st

from core.errors import ExplainError
from core.explain import Explanation, colorize, upsample
from core.probes import regions_in_crop
from core.records import FaceDetails
from dashboard.analyze import findings, regions, trust, uncertainty
from dashboard.analyze import saliency_options as questions
from dashboard.analyze.saliency_options import Question
from dashboard.analyze.selected_face import FaceInQuestion
from dashboard.plots import charts, saliency_pictures
from dashboard.plots.boxed_photo import with_boxes
from dashboard.reports import face_sections
from dashboard.reports.face_report import Picture, Report, html
from dashboard.ui import progress

COLORMAP = "viridis"
KEY = "report"


def draw(face: FaceInQuestion) -> None:
    """What goes in, then the download."""
    question = questions.ask(face)
    target, views = uncertainty.ask()
    with st.container(horizontal=True, gap="large"):
        photo = st.toggle("With the photo", key="report_photo", help="Off: maps are drawn without the face.")
        measure = st.toggle(
            "With the measures of trust",
            key="report_trust",
            help="Measures what is missing, some seconds a network. What was measured already goes in without it.",
        )
    explained, notes = _explained(face, question)
    if measure:
        notes += _measure(face, question, explained)
    known = findings.of_face(face, question, explained, target, views)
    for note in notes:
        st.info(note, icon=":material/info:")
    report = _report(face, question, known, photo=photo)
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
        *(section.title.lower() for section in report.sections),
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


def _measure(face: FaceInQuestion, question: Question, explained: dict[str, Explanation]) -> list[str]:
    """Measure what is missing, unless it was stopped; one sentence for each map that cannot be measured."""
    of_maps = [
        (face.names[n.model_id], trust.pieces(face, question, n, explained[n.model_id]))
        for n in face.networks
        if n.model_id in explained
    ]
    missing = [(name, *step) for name, of in of_maps for step in of.in_turn if not step[-1].ready]
    asked = (face.key, question, tuple(n.card.weights_sha256 for n in face.networks))
    if missing and progress.stopped(KEY, asked):
        progress.go_on(KEY, "Stopped; what was measured by then goes in.")
        return []
    notes: dict[str, None] = {}  # each sentence once, in this order
    with progress.work(KEY, asked, len(missing)) as work:
        for name, title, unit, piece in missing:
            show = work.part(f"{name}: {title}", unit)
            try:
                piece.get(show)
            except ExplainError as error:
                notes[f"{name} is without some measures of trust: {error}."] = None
    return list(notes)


def _report(face: FaceInQuestion, question: Question, known: FaceDetails, *, photo: bool) -> Report:
    found = known.uncertainty
    assert found is not None  # findings.of_face always estimates it
    answer = found.verdict
    said = "The networks say" if len(face.networks) > 1 else "The network says"
    over = "" if found.views == uncertainty.ONE_VIEW else f" and the mean over {uncertainty.VIEW_NAMES[found.views]}"
    summary = [
        f"{said} {answer.expression}, {answer.probabilities[answer.top]:.3f} after temperature scaling{over}.",
        f"Face {face.number + 1} of {len(face.analysis.faces)}, found by {face.analysis.detector}. Maps: "
        f"{question.method.title} ({question.method.source}), evidence for {question.evidence}.",
    ]
    disagreement_bits = found.groups[0].augmented.disagreement_bits
    if disagreement_bits is not None:
        summary.append(f"Disagreement between the networks (Jensen-Shannon): {disagreement_bits:.3f} bits.")
    pictures = []
    if photo:
        pictures.append(Picture(with_boxes(face.analysis, face.number), face.photo.name, "The photo, faces numbered"))
    for network in face.networks:
        explanation = known.maps.get(network.model_id)
        if explanation is None:
            continue
        name = face.names[network.model_id]
        words = [name, explanation.layer]
        if not explanation.has_evidence:
            words.append("no evidence for this class")
        tested = findings.chance_words(face, network, explanation)
        caption = ", ".join([*words, tested] if tested else words)
        drawn = _drawn(face, network.model_id, explanation, photo=photo)
        pictures.append(Picture(drawn, caption, f"Saliency of {name} for {question.evidence}"))
    parts = regions_in_crop(face.networks[0], face.analysis, face.number)
    return Report(
        title=f"FERscope report: {face.stem}",
        summary=summary,
        predictions=charts.with_ensemble(face.found.groups[0]),
        names=face.names,
        cards=[n.card for n in face.networks],
        pictures=pictures,
        sections=face_sections.sections(
            known, question.class_name, parts.areas, regions.source(parts), face.forms, face.names
        ),
    )


def _drawn(face: FaceInQuestion, model_id: str, explanation: Explanation, *, photo: bool) -> np.ndarray:
    """The map over the face, or alone where the face is not to be seen."""
    if photo:
        return saliency_pictures.overlay_picture(
            face.found.inputs[model_id], explanation, opacity=0.55, colormap=COLORMAP
        )
    return colorize(upsample(explanation.heatmap, saliency_pictures.SIZE_PX), COLORMAP)
