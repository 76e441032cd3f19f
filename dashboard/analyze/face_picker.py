"""The photo on Analyze, and which of its faces is shown: by its number or by a click on it.

Streamlit holds the callbacks and the formats of widgets until the session ends, so they must not refer to a photo.
"""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.inference import FaceAnalysis, PhotoAnalysis
from dashboard import services
from dashboard.plots import clickable_photo
from dashboard.plots.boxed_photo import TALLEST_PX, display_width, with_boxes
from dashboard.services import Photo
from dashboard.style import Ink
from dashboard.ui import links, session


def pick_photo(photo: Photo) -> Photo:
    """Pills for the session's photos; the one that is picked."""
    held = {p.digest: p for p in session.photos()}
    names = {digest: p.name for digest, p in held.items()}
    picked: str = st.pills(
        "Photo",
        list(held),
        format_func=names.__getitem__,
        default=photo.digest,
        required=True,
        key="photo_pills",
        wrap=True,
    )
    st.session_state["photo"] = picked  # outlives the pills when another page is opened
    return held[picked]


def pick_face(photo: Photo, analysis: PhotoAnalysis, inks: Ink) -> int:
    """The photo with its faces boxed; the position of the chosen one. A single face is simply shown."""
    if len(analysis.faces) == 1:
        boxed = with_boxes(analysis, 0)
        st.image(boxed, alt=f"{photo.name} with 1 faces boxed", width=display_width(boxed))
        number = links.face_number(photo.digest, 1)
    else:
        number = _one_of(photo, analysis, inks)
    took = sum(analysis.elapsed_ms.values())
    found_by = services.DETECTORS.get(analysis.detector, "the whole image, no detector")
    st.caption(f"{photo.name} · {analysis.image.shape[1]} × {analysis.image.shape[0]} px · {found_by} · {took:.0f} ms")
    return number


def _label(face: FaceAnalysis) -> str:
    return "uncertain detection" if face.face.uncertain else face.verdict.expression


def _one_of(photo: Photo, analysis: PhotoAnalysis, inks: Ink) -> int:
    picture = st.empty()
    key = f"face-{photo.digest[:12]}-{analysis.detector}"
    titles = [f"{number} · {_label(face)}" for number, face in enumerate(analysis.faces, start=1)]
    number: int = st.segmented_control(
        "Face",
        range(len(analysis.faces)),
        format_func=titles.__getitem__,
        default=links.face_number(photo.digest, len(analysis.faces)),
        required=True,
        wrap=True,
        key=key,
        on_change=_choose,
        args=(photo.digest, key),
        help="Or click a face in the photo.",
    )
    chart = f"photo-{key}-{number}"  # a fresh figure for each face, with nothing selected
    boxed = with_boxes(analysis, number)
    picture.plotly_chart(
        clickable_photo.clickable(
            boxed, [f.face.box for f in analysis.faces], analysis.image.shape[1], TALLEST_PX, inks
        ),
        key=chart,
        on_select=partial(_clicked, photo.digest, chart, key),
        selection_mode="points",
        width="content",
        config={"displayModeBar": False, "scrollZoom": False},
        alt=f"{photo.name} with {len(analysis.faces)} faces boxed; each can be clicked",
    )
    return number


def _choose(digest: str, control: str) -> None:
    links.choose_face(digest, st.session_state[control])


def _clicked(digest: str, chart: str, control: str) -> None:
    points = st.session_state[chart].selection.points
    if points:
        number = int(points[0]["customdata"])
        st.session_state[control] = number
        links.choose_face(digest, number)
