"""Opening a page of FERscope from another one."""

from __future__ import annotations

import streamlit as st

PAGES = "../pages"  # relative to the entry file, dashboard/app.py


def open_page(name: str) -> None:
    """Go to the page ``name``; its address has no parameters.

    ``st.switch_page`` without ``query_params`` clears the address, which Streamlit refuses while a parameter belongs to
    a widget; with them, even with none, it replaces the address.
    """
    st.switch_page(f"{PAGES}/{name}.py", query_params={})


def open_face() -> None:
    """Go to Analyze and show one face of the chosen photo, also if all faces were shown there before."""
    st.session_state.pop("show", None)
    open_page("analyze")
