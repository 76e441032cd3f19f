"""The photo with its faces, one of which is selected by its number or by a click.

Streamlit holds the callbacks and format functions of widgets until the session ends, so they must not refer to a photo.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st
from PIL import Image, ImageOps

from core import images
from core.faces import Box
from core.inference import WHOLE_IMAGE, FaceAnalysis, PhotoAnalysis
from dashboard import services
from dashboard.analyze import clickable_photo
from dashboard.services import Photo
from dashboard.ui import links, session
from dashboard.ui.markdown import escaped

THUMBNAIL_PX = 88


def draw_photo_strip(shown: Photo) -> None:
    """The photos of the session in the order in which they were added, each with a button that shows it."""
    with st.container(horizontal=True, gap="small"):
        for photo in session.photos():
            with st.container(width=THUMBNAIL_PX, gap=None, key=f"clickable-photo-{photo.digest[:12]}"):
                st.image(_thumbnail(photo), alt=f"Photo: {photo.name}", width="stretch")
                st.button(
                    escaped(photo.name),
                    key=f"show-{photo.digest[:12]}",
                    type="secondary" if photo.digest == shown.digest else "tertiary",
                    on_click=_show,
                    args=(photo.digest,),
                    help=f"Show {escaped(photo.name)}",
                    width="stretch",
                )


def _thumbnail(photo: Photo) -> np.ndarray:
    rotation_deg = session.rotation_deg(photo.digest)

    def compute() -> np.ndarray:
        picture = Image.fromarray(images.rotated(images.decode(photo.data), rotation_deg or 0))
        return np.asarray(ImageOps.fit(picture, (THUMBNAIL_PX, THUMBNAIL_PX)))

    return services.photo_result(photo, ("thumbnail", rotation_deg), compute)


def _show(digest: str) -> None:
    session.choose_photo(next(photo for photo in session.photos() if photo.digest == digest))


def pick_face(photo: Photo, analysis: PhotoAnalysis, detected: PhotoAnalysis) -> int:
    """The photo with the boxes of its faces; the index of the selected one.

    ``detected`` also has the detections that were marked as not a face.
    """
    place = st.container()
    number = links.face_number(len(analysis.faces))
    titles = [f"{i} · {_title(face)}" for i, face in enumerate(analysis.faces, start=1)]
    control = ""
    if len(titles) > 1:
        control = f"face-{_key(photo, analysis)}"
        number = st.segmented_control(
            "Face",
            range(len(titles)),
            format_func=titles.__getitem__,
            default=number,
            required=True,
            wrap=True,
            key=control,
            on_change=_choose,
            args=(photo.digest, control),
            help="Or click a face in the photo.",
        )
    with place:
        key, count = f"photo-{_key(photo, analysis)}", len(titles)
        clickable_photo.draw(
            analysis,
            number,
            titles,
            key=key,
            alt=f"{photo.name} with {count} {'face' if count == 1 else 'faces'} in boxes"
            + ("; each can be clicked" if control else ""),
            on_click=partial(_clicked, photo.digest, key, control) if control else None,
        )
    _draw_caption(photo, analysis, number)
    _draw_buttons(photo, analysis, number, detected)
    return int(number)


def _key(photo: Photo, analysis: PhotoAnalysis) -> str:
    """Distinguishes the controls for the faces of a photo from those for other detections in it."""
    return f"{photo.digest[:12]}-{analysis.detector}-{analysis.rotation_deg}-{len(analysis.faces)}"


def _draw_caption(photo: Photo, analysis: PhotoAnalysis, number: int) -> None:
    height, width = analysis.image.shape[:2]
    detector = services.DETECTORS.get(analysis.detector, analysis.detector)
    elapsed_ms = sum(analysis.elapsed_ms.values())
    words = [
        escaped(photo.name),
        f"{width} × {height} px",
        f"detector: {detector}",
        f"analyzed in {elapsed_ms / 1000:.1f} s",
    ]
    if analysis.rotation_deg:
        words.append(f"rotated by {analysis.rotation_deg}° clockwise")
    if analysis.faces[number].face.uncertain:
        words.append(f"face {number + 1} is an uncertain detection")
    st.caption(" · ".join(words))


def _draw_buttons(photo: Photo, analysis: PhotoAnalysis, number: int, detected: PhotoAnalysis) -> None:
    shown = analysis.faces[number]
    with st.container(horizontal=True):
        if analysis.detector == WHOLE_IMAGE:
            st.button(
                "Detect faces",
                key=f"detect-{photo.digest[:12]}",
                icon=":material/frame_person:",
                type="tertiary",
                on_click=session.use_whole_image,
                args=(photo.digest,),
                kwargs={"on": False},
                help="Detect the faces of this photo instead of using its central square as the face.",
            )
        else:
            st.button(
                "Not a face",
                key=f"not-a-face-{photo.digest[:12]}-{number}",
                icon=":material/person_off:",
                type="tertiary",
                on_click=_remove,
                args=(photo.digest, analysis.detector, shown.face.box),
                help=f"Remove detection {number + 1} from this photo.",
            )
        rotate_button(photo, analysis)
        restore_button(photo, analysis, detected.faces.index(shown))


def _remove(digest: str, detector: str, box: Box) -> None:
    """Remove a detection; the first of the others is selected."""
    session.remove_face(digest, detector, box)
    links.choose_face(digest, 0)


def restore_button(photo: Photo, analysis: PhotoAnalysis, number: int) -> None:
    """A button that brings back the detections that were marked as not a face, and then shows the face with this index;
    nothing where there are none."""
    removed = session.removed_faces(photo.digest, analysis.detector)
    if not removed:
        return
    st.button(
        f"Restore {len(removed)} removed {'detection' if len(removed) == 1 else 'detections'}",
        key=f"restore-{photo.digest[:12]}",
        icon=":material/undo:",
        type="tertiary",
        on_click=_restore,
        args=(photo.digest, analysis.detector, number),
    )


def _restore(digest: str, detector: str, number: int) -> None:
    session.restore_faces(digest, detector)
    links.choose_face(digest, number)


def rotate_button(photo: Photo, analysis: PhotoAnalysis) -> None:
    """A button that rotates the photo, as it is shown, by 90 degrees clockwise."""
    st.button(
        "Rotate",
        key=f"rotate-{photo.digest[:12]}",
        icon=":material/rotate_right:",
        type="tertiary",
        on_click=_rotate,
        args=(photo.digest, analysis.rotation_deg + 90),
        help="Rotate the photo by 90° clockwise and detect its faces again.",
    )


def _rotate(digest: str, degrees_clockwise: int) -> None:
    session.rotate(digest, degrees_clockwise)
    links.choose_face(digest, 0)


def _title(face: FaceAnalysis) -> str:
    return "uncertain detection" if face.face.uncertain else face.verdict.expression


def _choose(digest: str, control: str) -> None:
    links.choose_face(digest, st.session_state[control])


def _clicked(digest: str, key: str, control: str) -> None:
    number = int(st.session_state[key].face)
    st.session_state[control] = number
    links.choose_face(digest, number)
