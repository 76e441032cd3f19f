"""What can be taken along from Analyze whatever panel is open: the numbers, and the link."""

from __future__ import annotations

import json

import pandas as pd
import streamlit as st

from core.inference import photo_values
from dashboard.lab import link
from dashboard.lab.face_in_question import FaceInQuestion


def draw(face: FaceInQuestion, table: pd.DataFrame) -> None:
    """A quiet row; ``table`` has the probabilities by class and network."""
    with st.container(horizontal=True):
        st.download_button(
            "Numbers (CSV)",
            lambda: table.to_csv(index_label="class"),
            file_name=f"{face.stem}.csv",
            mime="text/csv",
            icon=":material/table:",
            on_click="ignore",
        )
        st.download_button(
            "Everything (JSON)",
            lambda: json.dumps(photo_values(face.photo.name, face.analysis), indent=2, ensure_ascii=False),
            file_name=f"{face.stem}.json",
            mime="application/json",
            icon=":material/data_object:",
            on_click="ignore",
        )
        # Opening it runs the page again, so that the link has what was changed in a panel meanwhile.
        with st.popover("Link", icon=":material/link:", on_change="rerun", key="link-open") as opened:
            if opened.open:
                st.code(link.address(), language=None, wrap_lines=True)
                st.caption(
                    "Opens Analyze with these networks, method, class and threshold. The photo is not in it: whoever "
                    "opens it brings their own."
                )
