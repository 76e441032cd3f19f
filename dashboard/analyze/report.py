"""The face as one self-contained HTML file, built from the sections of the panels."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import streamlit as st

from dashboard import services
from dashboard.analyze import prediction, regions, saliency, trust, uncertainty
from dashboard.analyze.map_options import MapOptions
from dashboard.analyze.selected_face import SelectedFace
from dashboard.plots.boxed_photo import with_boxes
from dashboard.reports import html
from dashboard.reports.html import Chapter
from dashboard.section import Note, Picture, Section
from dashboard.style import LIGHT, on_light
from dashboard.ui import sections

CAVEAT = (
    "The networks predict which expression a picture would be labeled with, not what a person feels. "
    "A map shows where the evidence for a class lies; it does not prove why the network predicts it."
)


def draw(face: SelectedFace, options: MapOptions) -> None:
    """What the report contains, then the download."""
    with st.container(horizontal=True, gap="large"):
        with_photo = st.toggle(
            "Include the photo", value=True, key="report_photo", help="Off: the maps are drawn without the face."
        )
        measure = st.toggle(
            "Measure how far the maps can be trusted",
            key="report_trust",
            help="Runs the missing measurements, which can take several minutes for slow methods. Finished "
            "measurements are always included.",
        )
    if measure:
        sections.draw_notes(Note(problem) for problem in trust.measure(face, options))
    # A report has the colors of a light page.
    light = replace(face, inks=LIGHT, styles={m: on_light(style) for m, style in face.styles.items()})
    chapters = face_chapters(light, options, with_photo=with_photo)
    # Sections are computed now: when the file is requested, the session is not available.
    computed = [(chapter.title, tuple(chapter.sections())) for chapter in chapters]
    summary = report_summary(light, options)

    def write() -> str:
        fixed = [Chapter(title, partial(tuple, built)) for title, built in computed]
        return html.write(f"FERscope report: {face.title}", summary, fixed, created_at=datetime.now(UTC))

    st.download_button(
        "Face report (HTML)",
        write,
        file_name=f"{face.stem}-report.html",
        mime="text/html",
        icon=":material/download:",
        on_click="ignore",
        key="report",
    )
    st.caption(
        f"Contains {', '.join(title.lower() for title, _ in computed)}. One file that opens offline. It is created on "
        "download and not stored."
    )


def report_summary(face: SelectedFace, options: MapOptions) -> list[str]:
    """The predictions and what the maps show, in sentences."""
    return [
        *prediction.summary(face),
        f"{face.position}; detector: {services.DETECTORS.get(face.analysis.detector, face.analysis.detector)}. Maps: "
        f"{options.method.title} ({options.method.source}), evidence for {options.evidence}.",
        CAVEAT,
    ]


def face_chapters(face: SelectedFace, options: MapOptions, *, with_photo: bool) -> list[Chapter]:
    """The chapters of the report; chapters without content are left out."""
    chapters = []
    if with_photo:
        photo = Picture(with_boxes(face.analysis, face.number), "The photo with its faces numbered", face.photo.name)
        chapters.append(Chapter("Photo", lambda: [Section(pictures=(photo,))]))
    chapters += [
        Chapter(
            "Predictions",
            lambda: [*prediction.prediction_sections(face), *prediction.table_sections(face)],
        ),
        Chapter("Uncertainty", lambda: uncertainty.uncertainty_sections(face)),
        Chapter("Saliency", lambda: saliency.saliency_sections(face, options, with_photo=with_photo)),
        Chapter("Regions", lambda: regions.region_sections(face, options, with_photo=with_photo)),
    ]
    if trust.trust_sections(face, options):
        chapters.append(Chapter("Trust", lambda: trust.trust_sections(face, options)))
    cards = [section for n in face.networks for section in html.card_sections(n.card, face.names[n.model_id])]
    return [
        *chapters,
        Chapter("Model cards", lambda: cards),
        Chapter("Versions", lambda: [html.versions_section()]),
    ]
