"""All faces of all photos: sorted, opened with a click, and two of them side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from core.errors import NotFiniteError
from core.images import MIN_SIDE_PX
from core.inference import FACE_ORDERS, FaceSummary, PhotoAnalysis, sort_faces
from dashboard.analyze import computations, face_pair
from dashboard.analyze.photo_analysis import Analyzer
from dashboard.analyze.selected_face import SelectedFace, not_finite, too_small
from dashboard.plots.boxed_photo import framed
from dashboard.section import counted
from dashboard.services import Photo
from dashboard.style import class_color
from dashboard.ui import links, progress, session
from dashboard.ui.markdown import escaped
from dashboard.ui.messages import show_error, show_warning
from dashboard.ui.session import ComparedFace

PAGE_SIZE = 24
KEY = "gallery"
ONE, ALL = "One face", "All faces"


@dataclass(frozen=True)
class Gallery:
    """The photos, and how their faces are analyzed and selected."""

    photos: Sequence[Photo]
    analyzer: Analyzer
    select: Callable[[Photo, PhotoAnalysis, int], SelectedFace]
    names: Mapping[str, str]  # of the networks, by model id

    def photo(self, digest: str) -> Photo:
        """The photo with that digest."""
        return next(photo for photo in self.photos if photo.digest == digest)


def draw(gallery: Gallery) -> None:
    """The order, the two faces that are compared, and all faces page by page."""
    results = {
        photo.digest: computations.summaries(
            photo, gallery.analyzer.networks, gallery.analyzer.detector, gallery.analyzer.analyze
        )
        for photo in gallery.photos
    }
    steps = [progress.Step(f"Faces of {gallery.photo(digest).name}", result) for digest, result in results.items()]
    try:
        progress.run(KEY, steps)
    except NotFiniteError as error:
        show_error(not_finite(error.model_ids, gallery.names))
        return
    ready = {digest: result.get() for digest, result in results.items() if result.ready}
    faces = [face for of_photo in ready.values() for face in of_photo]
    if not faces:
        if len(ready) == len(results):
            st.info(
                "No face was found in any photo. Choose another detector, or open a photo and analyze the whole image.",
                icon=":material/search_off:",
            )
        return
    left_out = dict.fromkeys(model_id for face in faces for model_id in face.left_out)
    if left_out:
        show_warning(f"{not_finite(left_out, gallery.names)} Continuing with the other networks.")
    single = faces[0].disagreement_bits is None
    orders = [order for order in FACE_ORDERS if not (single and order == "disagreement")]
    order = links.choice(
        st.segmented_control, "Sort by", {o: o for o in orders}, key="gallery_order", default=orders[0]
    )
    ordered = sort_faces(faces, order)
    _warn_of_small(gallery, ordered)
    compared = st.container()
    pages = -(-len(ordered) // PAGE_SIZE)
    page = st.pagination(pages, key=f"gallery-page-{pages}") if pages > 1 else 1
    _draw_cards(gallery, ordered[(page - 1) * PAGE_SIZE : page * PAGE_SIZE])
    _draw_caption(gallery, ready, faces)
    with compared:
        _draw_pair(gallery, ordered)


def _draw_caption(gallery: Gallery, ready: Mapping[str, Sequence[FaceSummary]], faces: Sequence[FaceSummary]) -> None:
    with_face = sum(bool(of_photo) for of_photo in ready.values())
    words = [f"{counted(len(faces), 'face')} in {counted(with_face, 'photo')}."]
    without = [gallery.photo(digest).name for digest, of_photo in ready.items() if not of_photo]
    if without:
        words.append(f"No face found: {escaped(', '.join(without))}.")
    if faces[0].disagreement_bits is None:
        words.append("Probabilities of the network, one view per face.")
    else:
        words.append(
            "Probabilities of the ensemble, one view per face; disagreement of its networks (Jensen-Shannon "
            "divergence)."
        )
    st.caption(" ".join(words))


def _draw_cards(gallery: Gallery, faces: Sequence[FaceSummary]) -> None:
    pair = session.pair()
    with st.grid("auto", min_column_width=148, gap="small") as grid:
        for face in faces:
            with grid.cell():
                name = gallery.photo(face.photo).name
                title = f"{name}, {face.name}"
                st.image(
                    framed(face.thumbnail, class_color(face.expression)),
                    alt=f"{title}: {face.expression}",
                    width="stretch",
                )
                st.caption(escaped(title))
                st.button(
                    _verdict(face.expression, face.confidence),
                    key=f"open-{face.photo[:12]}-{face.number}",
                    on_click=_open,
                    args=(face.photo, face.number),
                    help=f"Open {escaped(title)}",
                    width="stretch",
                )
                words = [f"{labels}: {_verdict(name, p)}" for labels, name, p in face.other_verdicts]
                words += [f"only {face.side_px:.0f} px wide" if too_small(face.side_px) else ""]
                if face.disagreement_bits is not None:
                    words.append(f"disagreement {face.disagreement_bits:.3f} bits")
                if any(words):
                    st.caption(" · ".join(word for word in words if word))
                key, chosen = f"pair-{face.photo[:12]}-{face.number}", _compared(gallery, face)
                st.session_state[key] = chosen in pair  # a third face replaces the first one
                st.checkbox("Compare", key=key, on_change=_choose, args=(chosen,))


def _warn_of_small(gallery: Gallery, faces: Sequence[FaceSummary]) -> None:
    """One sentence about all faces that have too few pixels; their cards show the width."""
    small = [f"{gallery.photo(face.photo).name}, {face.name}" for face in faces if too_small(face.side_px)]
    if small:
        show_warning(
            f"Predictions are unreliable for faces narrower than {MIN_SIDE_PX} px: {'; '.join(small)}.",
            icon="photo_size_select_small",
        )


def _verdict(expression: str, confidence: float) -> str:
    return f"{100 * confidence:.0f} % {expression}"


def _open(digest: str, number: int) -> None:
    session.choose_photo(next(photo for photo in session.photos() if photo.digest == digest))
    links.choose_face(digest, number)
    st.session_state["show"] = ONE


def _compared(gallery: Gallery, face: FaceSummary) -> ComparedFace:
    return face.photo, gallery.analyzer.detector, face.number


def _choose(face: ComparedFace) -> None:
    """Add a face to the pair or remove it; a third one replaces the first."""
    pair = session.pair()
    if face in pair:
        pair.remove(face)
    else:
        pair.append(face)
        del pair[:-2]


def _draw_pair(gallery: Gallery, faces: Sequence[FaceSummary]) -> None:
    available = {_compared(gallery, face) for face in faces}
    pair = [chosen for chosen in session.pair() if chosen in available]
    if len(pair) < 2:
        missing = "two faces" if not pair else "one more face"
        st.caption(f"Select *Compare* below {missing} to see their probabilities and maps side by side.")
        return
    st.header("Side by side", anchor=False)
    face_pair.draw([_selected(gallery, digest, number) for digest, _, number in pair])


def _selected(gallery: Gallery, digest: str, number: int) -> SelectedFace:
    photo = gallery.photo(digest)
    return gallery.select(photo, gallery.analyzer.analyze(photo), number)
