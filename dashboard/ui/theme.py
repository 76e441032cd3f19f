"""Light or dark, as the visitor has chosen."""

from __future__ import annotations

import streamlit as st

from dashboard.style import DARK, LIGHT, Ink


def ink() -> Ink:
    """The ink colors for the visitor's theme."""
    return DARK if st.context.theme.type == "dark" else LIGHT
