"""Downloads of the installed networks for other programs."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.checkpoints import Checkpoint
from core.data.info import NOT_STATED
from core.errors import FerscopeError
from core.exporting.formats import FORMATS
from dashboard.services.exports import exported_file
from dashboard.ui import progress
from dashboard.ui.messages import show_error
from dashboard.ui.network_picker import titles

WORK = "network-file"
STORED = "network_file"  # key of the session: the last file, with the network and the format that it was made for


def draw(checkpoints: Sequence[Checkpoint]) -> None:
    """A menu with the network, the format, a button that makes the file, and one that downloads it."""
    names, by_id = titles(list(checkpoints)), {c.card.run_id: c for c in checkpoints}
    with st.popover("Download a network", icon=":material/download:"):
        run_id = st.selectbox("Network", names, format_func=lambda key: names[key], key="export-network")
        format_name = st.segmented_control(
            "Format",
            FORMATS,
            format_func=lambda key: FORMATS[key].title,
            default="onnx",
            required=True,
            key="export-format",
        )
        chosen = by_id[run_id]
        key = (run_id, format_name, chosen.card.weights_sha256)
        if st.button("Create file", key="export-create", width="stretch"):
            st.session_state.pop(STORED, None)
            progress.resume(WORK)
            try:
                with progress.work(WORK, key, 1) as shown:
                    show = shown.part("Converting the network", "seconds")
                    st.session_state[STORED] = (key, exported_file(chosen, format_name, show))
            except FerscopeError as error:
                show_error(error)
        elif progress.stopped(WORK, key):
            st.caption("Stopped; no file was created.")
        created_for, data = st.session_state.get(STORED, (None, b""))
        if created_for == key:
            st.download_button(
                f"{names[run_id]} ({FORMATS[format_name].title}, {len(data) / 1e6:.1f} MB)",
                data,
                file_name=f"{run_id}{FORMATS[format_name].suffix}",
                icon=":material/download:",
                on_click="ignore",
                width="stretch",
                key="export-download",
            )
        terms = chosen.card.data.license
        st.caption(
            "The file takes face crops and returns logits and class maps. Labels and preprocessing are in its "
            f"metadata.{'' if terms == NOT_STATED else f' {terms}'} An 8-bit network is created by: "
            f"`python -m core export {run_id} --quantize int8 --data {chosen.card.data.file_name}`"
        )
