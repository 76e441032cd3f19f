"""What is analyzed: an uploaded zip, a folder of the server, or the sample portraits."""

from __future__ import annotations

import io
import os
import zipfile

import streamlit as st

from core.batch.archive import ArchiveSource
from core.batch.listing import PhotoSource
from core.errors import BatchError
from dashboard import services
from dashboard.services.folders import ROOTS_VARIABLE, allowed_roots, open_allowed
from dashboard.ui import session
from dashboard.ui.messages import show_error

ZIP, SERVER, PORTRAITS = PLACES = ("Zip", "Folder on the server", "Portraits")
MAX_ZIP_MB = 200


def choose() -> tuple[str, PhotoSource] | None:
    """The name and the files of the chosen source in the run in which it is started, otherwise None."""
    place = st.segmented_control(
        "Photos from", PLACES, default=ZIP, key="folder_place", required=True, label_visibility="collapsed"
    )
    try:
        if place == ZIP:
            return _zip()
        return _server() if place == SERVER else _portraits()
    except BatchError as error:
        show_error(error, icon="folder_off")
        return None


def _zip() -> tuple[str, PhotoSource] | None:
    file = st.file_uploader(
        "Drop a zip of photos here, or choose one",
        type="zip",
        key=session.widget_key("folder_zip"),
        max_upload_size=MAX_ZIP_MB,
        help="The zip stays in the memory of this session; nothing is unpacked to the disk, logged or sent.",
    )
    started = st.button("Analyze the photos", disabled=file is None, icon=":material/play_arrow:")
    return (file.name, ArchiveSource.of_bytes(file.getvalue())) if started and file is not None else None


def _server() -> tuple[str, PhotoSource] | None:
    roots = allowed_roots()
    if not roots:
        st.info(
            "No folder on the server is enabled for reading. To enable folders, set the environment variable "
            f"`{ROOTS_VARIABLE}` on the server to their paths, separated by `{os.pathsep}`, and restart FERscope.",
            icon=":material/folder_off:",
        )
        return None
    with st.form("folder_path", border=False):
        path = st.text_input(
            "Folder, pattern, zip, or CSV with a column path",
            value=str(roots[0]),
            key="folder_path_text",
            help="Below " + " or ".join(f"`{root}`" for root in roots) + ". Other columns of a CSV become groups.",
        )
        started = st.form_submit_button("Analyze the photos", icon=":material/play_arrow:")
    return (path, open_allowed(path)) if started and path.strip() else None


def _portraits() -> tuple[str, PhotoSource] | None:
    st.markdown("Three public-domain photos of two people, to see what this page shows.")
    if not st.button("Analyze the portraits", icon=":material/play_arrow:"):
        return None
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, sample in services.samples().items():
            archive.writestr(f"{name}.jpg", sample.data)
    return "Portraits", ArchiveSource.of_bytes(buffer.getvalue())
