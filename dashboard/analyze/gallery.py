"""All faces of all photos at a glance: sorted, opened with a click, and two of them side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from core.errors import DetectorUnavailableError, NotFiniteError
from core.images import MIN_SIDE_PX
from core.inference import FACE_ORDERS, FaceSummary, Predictor, sort_faces
from dashboard import services
from dashboard.analyze import computations, face_pair
from dashboard.analyze.selected_face import FaceInQuestion, not_finite, too_small
from dashboard.services import Photo
from dashboard.style import Form, Ink
from dashboard.ui import links, progress, session

PAGE_SIZE = 24
KEY = "gallery"
ONE, ALL = "One face", "All faces"
Chosen = tuple[str, int]  # photo's digest and the face's number in it


@dataclass(frozen=True)
class Gallery:
    """The photos at hand and how their faces are read and drawn. Mappings go by model id, the ensemble with them."""

    photos: Sequence[Photo]
    networks: Sequence[Predictor]
    detector: str
    names: Mapping[str, str]
    forms: Mapping[str, Form]
    inks: Ink


def draw(gallery: Gallery) -> None:
    """The order, the faces page by page, and below them the two that are compared."""
    faces, complete = _all_faces(gallery)
    if not faces:
        if complete:
            st.info(
                "No face was found in any photo. Try the other detector, or open a photo to analyze it whole.",
                icon=":material/search_off:",
            )
        return
    left_out = dict.fromkeys(model_id for face in faces for model_id in face.left_out)
    if left_out:
        st.warning(f"{not_finite(left_out, gallery.names)} The rest goes on without.", icon=":material/warning:")
    single = faces[0].disagreement_bits is None
    order = st.segmented_control(
        "Sort by",
        [o for o in FACE_ORDERS if not (single and o == "disagreement")],
        default="photo",
        required=True,
        key="gallery_order",
        bind="query-params",
    )
    ordered = sort_faces(faces, order)
    _warn_of_small(gallery, ordered)
    pages = -(-len(ordered) // PAGE_SIZE)
    page = st.pagination(pages, key=f"gallery-page-{pages}") if pages > 1 else 1
    _cards(gallery, ordered[(page - 1) * PAGE_SIZE : page * PAGE_SIZE])
    photos = len({f.photo for f in faces})
    said = "Probability of the network" if single else "Probability of the networks' mean"
    measured = "" if single else "; beside *compare* their disagreement in bits (Jensen-Shannon)"
    st.caption(f"{len(faces)} faces in {_count(photos, 'photo')}. {said}{measured}.")
    _compared(gallery, ordered)


def _all_faces(gallery: Gallery) -> tuple[list[FaceSummary], bool]:
    """The faces of every photo, and whether all photos were looked at."""
    pieces = [computations.summaries(photo, gallery.networks, gallery.detector) for photo in gallery.photos]
    asked = tuple(piece.key for piece in pieces)
    waiting = [n for n, piece in enumerate(pieces) if not piece.ready]
    if waiting and not progress.stopped(KEY, asked):
        with progress.work(KEY, asked, len(waiting)) as work:
            for n in waiting:
                work.part(f"Faces of {gallery.photos[n].name}")
                try:
                    pieces[n].get()
                except NotFiniteError as error:
                    st.error(not_finite(error.model_ids, gallery.names), icon=":material/error:")
                    return [], False
                except DetectorUnavailableError as error:
                    st.error(f"{error} Choose the Haar cascade.", icon=":material/cloud_off:")
                    return [], False
    ready = [piece for piece in pieces if piece.ready]
    if len(ready) < len(pieces):
        progress.go_on(KEY, f"{len(ready)} of {len(pieces)} photos were looked at.")
    return [face for piece in ready for face in piece.get()], len(ready) == len(pieces)


def _cards(gallery: Gallery, faces: Sequence[FaceSummary]) -> None:
    names = {photo.digest: photo.name for photo in gallery.photos}
    pair = _pair()
    with st.grid("auto", min_column_width=132, gap="small") as grid:
        for face in faces:
            with grid.cell():
                where = f"{names[face.photo]}, face {face.number + 1}"
                st.image(face.thumbnail, alt=f"{where}: {face.expression}", width="stretch")
                st.button(
                    f"{face.expression} {face.confidence:.2f}",
                    key=f"open-{face.photo[:12]}-{face.number}",
                    on_click=_open,
                    args=(face.photo, face.number),
                    help=f"Open {where}",
                    width="stretch",
                )
                if too_small(face.side_px):
                    st.caption(f"only {face.side_px:.0f} px wide")
                tick = f"pair-{face.photo[:12]}-{face.number}"
                st.session_state[tick] = (face.photo, face.number) in pair  # a third tick takes the first away
                with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
                    st.checkbox("compare", key=tick, on_change=_choose, args=((face.photo, face.number),))
                    if face.disagreement_bits is not None:
                        st.caption(f"{face.disagreement_bits:.3f}")


def _warn_of_small(gallery: Gallery, faces: Sequence[FaceSummary]) -> None:
    """One sentence for all faces that have too few pixels; their cards say how many."""
    names = {photo.digest: photo.name for photo in gallery.photos}
    small = [f"{names[face.photo]}, face {face.number + 1}" for face in faces if too_small(face.side_px)]
    if small:
        st.warning(
            f"Narrower than {MIN_SIDE_PX} px, where there is little to see: {'; '.join(small)}. Take larger photos.",
            icon=":material/photo_size_select_small:",
        )


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _open(photo: str, number: int) -> None:
    session.choose_photo(next(p for p in session.photos() if p.digest == photo))
    links.choose_face(photo, number)
    st.session_state["show"] = ONE


def _pair() -> list[Chosen]:
    pair: list[Chosen] = st.session_state.setdefault("pair", [])
    return pair


def _choose(face: Chosen) -> None:
    """Put a face into the pair or take it out; a third one takes the place of the first."""
    pair = _pair()
    if face in pair:
        pair.remove(face)
    else:
        pair.append(face)
        del pair[:-2]


def _compared(gallery: Gallery, faces: Sequence[FaceSummary]) -> None:
    held = {(f.photo, f.number) for f in faces}
    pair = [chosen for chosen in _pair() if chosen in held]
    st.subheader("Side by side")
    if len(pair) < 2:
        missing = "two faces" if not pair else "one more face"
        st.caption(f"Tick {missing} above to compare their probabilities and maps.")
        return
    face_pair.draw([_in_question(gallery, chosen) for chosen in pair])


def _in_question(gallery: Gallery, chosen: Chosen) -> FaceInQuestion:
    photo = next(p for p in gallery.photos if p.digest == chosen[0])
    analysis = services.analysis(photo, list(gallery.networks), gallery.detector, whole_image=False)
    return FaceInQuestion(
        photo, analysis, chosen[1], analysis.predicting(gallery.networks), gallery.names, gallery.forms, gallery.inks
    )
