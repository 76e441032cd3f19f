"""Faces of a data set in rows, each of which can be opened in Analyze."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.images import encode_png
from dashboard.services import Photo
from dashboard.ui import navigation, session
from dashboard.ui.markdown import escaped


@dataclass(frozen=True, eq=False)
class DatasetFace:
    """An image of a data set, (S, S) gray or (S, S, 3) uint8, and the picture that is shown for it."""

    row: int  # row number in the source of the data
    image: np.ndarray
    caption: str
    alt: str
    picture: np.ndarray | None = None  # the image itself where it is None


def draw_faces(faces: Sequence[DatasetFace], *, key: str, data: str, width_px: int = 96) -> None:
    """The faces, with their captions and a button that opens each in Analyze; ``data`` names the data set."""
    with st.container(horizontal=True, gap="small"):
        for face in faces:
            with st.container(width=width_px, gap=None, key=f"{key}-face-{face.row}"):
                st.image(face.image if face.picture is None else face.picture, width="stretch", alt=face.alt)
                if face.caption:
                    st.caption(escaped(face.caption))
                if st.button(
                    f"{face.row}",
                    key=f"{key}-open-{face.row}",
                    type="tertiary",
                    icon=":material/frame_person:",
                    help=f"Open image {face.row} of {data} in Analyze",
                ):
                    open_in_analyze(face, data)


def open_in_analyze(face: DatasetFace, data: str) -> None:
    """Add the image to the photos of the session, as one whole face, and go to Analyze."""
    photo = Photo.of(f"{data} {face.row}.png", encode_png(face.image), "data set")
    session.add_photo(photo)
    session.use_whole_image(photo.digest)
    navigation.open_face()
