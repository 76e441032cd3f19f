"""The control for the face detector."""

from __future__ import annotations

import streamlit as st

from dashboard import services
from dashboard.ui import links


def choose() -> str:
    """The name of the chosen detector; a page offers it in its sidebar."""
    return str(links.first_choice(st.selectbox, "Face detector", services.DETECTORS, key="detector"))
