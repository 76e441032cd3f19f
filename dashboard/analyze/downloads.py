"""The downloads of Analyze that are available in every panel, and the link to the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from core.images import encode_png
from core.records import AnalysisRecord, FaceDetails, PhotoRecord, to_json
from dashboard.analyze import details, prediction
from dashboard.analyze.map_options import MapOptions
from dashboard.analyze.selected_face import SelectedFace
from dashboard.plots.boxed_photo import with_boxes
from dashboard.section import Download
from dashboard.ui import links, sections


def draw(face: SelectedFace, options: MapOptions) -> None:
    """One row: the photo with its boxes, probabilities, everything computed, and the link."""
    numbers = prediction.table_sections(face)
    tables = [download for section in numbers for download in section.downloads]
    picture = Download(
        "Photo with boxes (PNG)",
        f"{face.stem}-boxes.png",
        "image/png",
        lambda: encode_png(with_boxes(face.analysis, face.number)),
    )
    # Computed now: when a file is requested, the session is not available.
    found = details.of_photo(face, options)
    record = Download("All results (JSON)", f"{face.stem}.json", "application/json", lambda: json_record(face, found))
    sections.draw(replace(section, downloads=()) for section in numbers)
    sections.draw_downloads([picture, *tables, record])
    # Opening it reruns the page, so that the link contains what was changed in a panel meanwhile.
    with st.popover("Link to this page", icon=":material/link:", on_change="rerun", key="link-open") as opened:
        if opened.open:
            st.code(links.address(), language=None, wrap_lines=True)
            st.caption(
                "This link opens Analyze with these networks and options. It can include a portrait, but never your "
                "own photo."
            )


def json_record(face: SelectedFace, found: Sequence[FaceDetails]) -> str:
    """Everything known about the photo as strict JSON in the schema of ``core.records``."""
    photo = PhotoRecord.of(face.photo.name, face.analysis, found)
    return to_json(AnalysisRecord.of([photo], [network.card for network in face.networks]), indent=2)
