"""What to do with a photo in which no face was found."""

from __future__ import annotations

import streamlit as st

from core.faces import AUTO
from core.inference import WHOLE_IMAGE, PhotoAnalysis
from dashboard import services
from dashboard.analyze import face_picker
from dashboard.services import Photo
from dashboard.ui import session
from dashboard.ui.markdown import escaped


def draw(photo: Photo, analysis: PhotoAnalysis) -> None:
    """The message and the actions, then the photo at its own size."""
    detector = services.DETECTORS.get(analysis.detector, analysis.detector)
    others = [title for name, title in services.DETECTORS.items() if name not in (AUTO, analysis.detector)]
    another = f"another detector ({', '.join(others)})"
    if session.removed_faces(photo.digest, analysis.detector):
        sentence = f"All detections were removed. Restore them, or try {another} or the whole image."
    else:
        sentence = f"The detector {detector} found no face. Try {another}, a larger upright face, or the whole image."
    st.info(sentence, icon=":material/search_off:")
    with st.container(horizontal=True):
        st.button(
            "Analyze the whole image",
            icon=":material/crop_free:",
            on_click=session.use_whole_image,
            args=(photo.digest,),
            help=f"The central square of the photo is used as the face; the result is marked as *{WHOLE_IMAGE}*.",
        )
        face_picker.rotate_button(photo, analysis)
        face_picker.restore_button(photo, analysis, 0)
    height, width = analysis.image.shape[:2]
    rotation = f" · rotated by {analysis.rotation_deg}° clockwise" if analysis.rotation_deg else ""
    st.image(analysis.image, alt=f"{photo.name}, no face found", width=width)
    st.caption(f"{escaped(photo.name)} · {width} × {height} px · detector: {detector}{rotation}")
