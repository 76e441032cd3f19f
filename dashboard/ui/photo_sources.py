"""Where photos come from: files, the webcam, sample portraits."""

from __future__ import annotations

import numpy as np
import streamlit as st
from PIL import Image, ImageOps

from core import images
from core.errors import ImageError
from core.sample_photos import SamplePhoto
from dashboard import services
from dashboard.services import Photo
from dashboard.ui import session

SOURCES = ("Upload", "Webcam", "Samples")


def source_picker() -> None:
    """Upload, webcam or samples; what is chosen there joins the session's photos."""
    source = st.segmented_control(
        "Photo from",
        SOURCES,
        default="Upload",
        key="source",
        required=True,
        persist_state="session",
        width="stretch",
    )
    if source == "Webcam":
        key = session.widget_key("snapshot")
        st.camera_input("Take a snapshot", key=key, on_change=_add_snapshot, args=(key,), label_visibility="collapsed")
    elif source == "Samples":
        for sample in services.samples().values():
            st.button(sample.title, key=f"side-{sample.name}", on_click=keep_sample, args=(sample,), width="stretch")
    else:
        key = session.widget_key("uploads")
        files = st.file_uploader(
            "JPEG, PNG, WebP, GIF, TIFF or BMP",
            accept_multiple_files=True,
            key=key,
            on_change=_add_uploads,
            args=(key,),
            help="Photos stay in this session's memory. They are never written to disk, logged or sent on.",
        )
        st.session_state["uploader_ids"] = {f.file_id for f in files}
    if session.photos():
        st.button("Forget all photos", on_click=session.clear_photos, icon=":material/delete:", type="tertiary")


def sample_cards(columns: int = 3) -> None:
    """Each sample portrait with a button that analyses it."""
    for cell, sample in zip(st.columns(columns), services.samples().values(), strict=False):
        with cell:
            st.image(thumbnail(sample.data), alt=f"Portrait of {sample.title}", width="stretch")
            if st.button(sample.title, key=f"card-{sample.name}", width="stretch", icon=":material/play_arrow:"):
                keep_sample(sample)
                st.switch_page("../pages/analyze.py")
            st.caption(sample.credit)


@st.cache_data(max_entries=8, show_spinner=False)
def thumbnail(data: bytes) -> np.ndarray:
    """A 4 : 3 cut of a photo, so that cards of portraits and wide photos line up; heads are in the upper part."""
    picture = Image.fromarray(images.decode(data))
    return np.asarray(ImageOps.fit(picture, (480, 360), centering=(0.5, 0.15)))


def open_source(source: str) -> None:
    """Go to Analyze with that source open."""
    st.session_state["source"] = source
    st.switch_page("../pages/analyze.py")


def keep_sample(sample: SamplePhoto) -> None:
    """Add a sample portrait to the session's photos and choose it."""
    session.add_photo(Photo.of(sample.title, sample.data, "sample"))


def _add_uploads(key: str) -> None:
    files = st.session_state[key] or []
    before: set[str] = st.session_state.get("uploader_ids", set())
    session.drop_uploads(before - {f.file_id for f in files})
    # The first new file is shown first, so it is added last.
    for file in reversed([f for f in files if f.file_id not in before]):
        _keep(Photo.of(file.name, file.getvalue(), "upload", file.file_id))


def _add_snapshot(key: str) -> None:
    snapshot = st.session_state[key]
    if snapshot is not None:
        _keep(Photo.of("Webcam snapshot", snapshot.getvalue(), "webcam"))


def _keep(photo: Photo) -> None:
    """Add a photo; what is none is refused here, so that it never takes the place of the photo on the screen."""
    try:
        images.decode(photo.data)
    except ImageError as error:
        session.refuse(photo, str(error))
    else:
        session.add_photo(photo)
