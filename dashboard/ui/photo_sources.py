"""Where photos come from: files, the clipboard, the webcam and sample portraits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image, ImageOps

from core import images
from core.errors import ImageError
from core.sample_photos import SamplePhoto
from dashboard import services
from dashboard.services import Photo
from dashboard.ui import links, session
from dashboard.ui.url_parameters import quoted

FILE, WEBCAM, PORTRAITS = "File", "Webcam", "Portraits"
SCRIPT = Path(__file__).with_name("photo_input.js").read_text(encoding="utf-8")
FORMATS = "JPEG, PNG, WebP, HEIC, AVIF, GIF, TIFF, BMP, PPM or JPEG 2000"


def photo_input(*, with_portraits: bool = True) -> None:
    """A drop zone, the webcam or the portraits; chosen photos are added to the session.

    Without the portraits where :func:`sample_cards` shows them beside the input.
    """
    sources = (FILE, WEBCAM, PORTRAITS) if with_portraits else (FILE, WEBCAM)
    with st.container(horizontal=True, vertical_alignment="center"):
        source = st.segmented_control(
            "Add a photo",
            sources,
            default=FILE,
            key="source",
            required=True,
            persist_state="session",
            label_visibility="collapsed",
        )
        if session.photos():
            st.button("Forget all photos", on_click=forget_photos, icon=":material/delete:", type="tertiary")
    if source == WEBCAM and st.session_state.get("snapshot_taken"):
        st.button("Take another snapshot", icon=":material/photo_camera:", on_click=session.clear_snapshot)
        return
    if source == WEBCAM:
        # Without a resolution the browser delivers only as many pixels as the widget is wide.
        key = session.widget_key("snapshot")
        st.camera_input(
            "Take a snapshot",
            key=key,
            on_change=_add_snapshot,
            args=(key,),
            resolution="720p",
            label_visibility="collapsed",
        )
        return
    if source == PORTRAITS:
        with st.container(horizontal=True):
            for sample in services.samples().values():
                st.button(sample.title, key=f"portrait-button-{sample.name}", on_click=add_sample, args=(sample,))
        return
    key = session.widget_key("uploads")
    files = st.file_uploader(
        "Drop a photo here, paste it, or choose files",
        # Without a type, iOS does not offer to convert its HEIC photos.
        type=[suffix[1:] for suffix in images.SUFFIXES],
        accept_multiple_files=True,
        key=key,
        on_change=_add_uploads,
        args=(key,),
        help=f"{FORMATS}. Photos are kept in the memory of the FERscope server for this session only, and are never "
        "written to disk, logged or passed on.",
    )
    st.session_state["uploader_ids"] = {f.file_id for f in files}
    browser_script()


def draw_start() -> None:
    """The page without a photo: what to do, and the portraits."""
    left, right = st.columns([5, 7], gap="large")
    with left:
        if links.own_photo_lost():
            st.info(
                "This address belongs to an uploaded photo. Photos are not stored, so please add it again.",
                icon=":material/upload:",
            )
        photo_input(with_portraits=False)
    with right:
        st.markdown("**Or start with a portrait**")
        sample_cards()


def open_linked_sample() -> None:
    """Show the portrait that the link names, if the session has no photo yet."""
    name = links.linked_sample()
    if name is not None and not session.photos():
        sample = services.samples().get(name)
        if sample is None:
            known = ", ".join(services.samples())
            st.info(
                f"This link requests the portrait {quoted(name)}, which is not available. Available: {known}.",
                icon=":material/link_off:",
            )
        else:
            add_sample(sample)


def show_in_link(photo: Photo) -> None:
    """Make a portrait part of the address; for the user's own photo, only the fact that there was one."""
    sample = next(
        (s.name for s in services.samples().values() if photo.source == "sample" and s.title == photo.name), None
    )
    links.choose(links.SAMPLE, sample)
    links.choose(links.OWN_PHOTO, None if sample else "yes")
    links.show_photo(photo.digest)


def browser_script() -> None:
    """Allow pasting a photo, and opening a portrait by a click on its picture."""
    st.html(f"<script>{SCRIPT}</script>", unsafe_allow_javascript=True)


def sample_cards() -> None:
    """Each sample portrait with a button that shows it, in one row, also on a phone."""
    with st.grid(3, min_column_width=96) as grid:
        for sample in services.samples().values():
            with grid.cell(), st.container(key=f"clickable-portrait-{sample.name}", gap="xsmall"):
                st.image(thumbnail(sample.data), alt=f"Portrait: {sample.title}", width="stretch")
                st.button(sample.title, key=f"card-{sample.name}", on_click=add_sample, args=(sample,), width="stretch")
    st.caption(" ".join(f"{sample.credit}." for sample in services.samples().values()))
    browser_script()


@st.cache_data(max_entries=8, show_spinner=False)
def thumbnail(data: bytes) -> np.ndarray:
    """A 4 : 3 crop of a sample portrait, so that cards line up; heads are in the upper part."""
    picture = Image.fromarray(images.decode(data))
    return np.asarray(ImageOps.fit(picture, (480, 360), centering=(0.5, 0.15)))


def add_sample(sample: SamplePhoto) -> None:
    """Add a sample portrait to the session's photos and show it."""
    session.add_photo(Photo.of(sample.title, sample.data, "sample"))


def forget_photos() -> None:
    """Remove every photo and everything computed from it, also from the address."""
    session.clear_photos()
    for name in (links.SAMPLE, links.OWN_PHOTO, links.FACE):
        links.choose(name, None)


def _add_uploads(key: str) -> None:
    files = st.session_state[key] or []
    before: set[str] = st.session_state.get("uploader_ids", set())
    session.remove_uploads(before - {f.file_id for f in files})
    _add([Photo.of(f.name, f.getvalue(), "upload", f.file_id) for f in files if f.file_id not in before])


def _add_snapshot(key: str) -> None:
    snapshot = st.session_state[key]
    if snapshot is not None:
        st.session_state["snapshot_taken"] = True  # the camera is closed until it is needed again
        _add([Photo.of("Webcam snapshot", snapshot.getvalue(), "webcam")])


def _add(photos: list[Photo]) -> None:
    """Add photos. A file that cannot be decoded is refused here, so that it never replaces the photo on the screen."""
    readable = []
    for photo in photos:
        try:
            images.decode(photo.data)
        except ImageError as error:
            session.refuse(photo, str(error))
        else:
            readable.append(photo)
    if readable:
        session.add_photo(*readable)
