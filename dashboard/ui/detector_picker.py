"""The control for the face detector."""

from __future__ import annotations

import streamlit as st

from core.faces import AUTO
from dashboard import services
from dashboard.ui import links

KEY, REQUESTED = "detector", "requested_detector"


def request(name: str) -> None:
    """Choose this detector on the next page; that of this page is drawn already."""
    current = st.session_state.get(KEY, AUTO)
    if services.detector(current).name != name:
        st.session_state[REQUESTED] = name


def choose() -> str:
    """The name of the chosen detector; a page offers it in its sidebar."""
    requested = st.session_state.pop(REQUESTED, None)
    if requested is not None:
        st.session_state[KEY] = requested
    return str(links.first_choice(st.selectbox, "Face detector", services.DETECTORS, key=KEY))
