"""What is analyzed: uploaded photos or a zip of them, a folder of the server, or the sample portraits."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.batch.archive import ArchiveSource
from core.batch.listing import PhotoSource
from core.errors import BatchError
from core.images import SUFFIXES
from dashboard import services
from dashboard.services.folders import ROOTS_VARIABLE, allowed_roots, open_allowed
from dashboard.ui import session
from dashboard.ui.messages import show_error

FILES, SERVER, PORTRAITS = PLACES = ("Files", "Folder on the server", "Portraits")
MAX_MB = 200  # of one zip, and of all photos together


def choose() -> tuple[str, PhotoSource] | None:
    """The name and the files of the chosen source in the run in which it is started, otherwise None."""
    place = st.segmented_control(
        "Photos from", PLACES, default=FILES, key="folder_place", required=True, label_visibility="collapsed"
    )
    try:
        if place == FILES:
            return _files()
        return _server() if place == SERVER else _portraits()
    except BatchError as error:
        show_error(error, icon="folder_off")
        return None


def _files() -> tuple[str, PhotoSource] | None:
    files = st.file_uploader(
        "Drop photos or a zip of photos here, or choose files",
        type=["zip", *(suffix[1:] for suffix in SUFFIXES)],
        accept_multiple_files=True,
        key=session.widget_key("folder_files"),
        max_upload_size=MAX_MB,
        help="The files are kept in the memory of the FERscope server for this session only, and are never written to "
        "disk, logged or passed on.",
    )
    started = st.button("Analyze the photos", disabled=not files, icon=":material/play_arrow:")
    return _uploaded(files) if started and files else None


def _uploaded(files: Sequence[UploadedFile]) -> tuple[str, PhotoSource]:
    """Raises BatchError for several zips, for a zip among photos, and for photos that are too large together."""
    first = files[0]
    has_zip = any(file.name.lower().endswith(".zip") for file in files)
    if has_zip and len(files) > 1:
        raise BatchError(
            f"expected photos or a single zip, got {len(files)} files, at least one of which is a zip; keep only one "
            "zip, or only the photos"
        )
    if has_zip:
        return first.name, ArchiveSource.of_bytes(first.getvalue())
    size_mb = sum(file.size for file in files) / 1e6
    if size_mb > MAX_MB:
        raise BatchError(
            f"expected photos of at most {MAX_MB} MB together, got {math.ceil(size_mb):,} MB; remove some, or use the "
            "command line: python -m core batch SOURCE --out results.parquet"
        )
    name = first.name if len(files) == 1 else "Uploaded photos"
    return name, ArchiveSource.of_photos((file.name, file.getvalue()) for file in files)


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
    portraits = ((f"{name}.jpg", sample.data) for name, sample in services.samples().items())
    return "Portraits", ArchiveSource.of_photos(portraits)
