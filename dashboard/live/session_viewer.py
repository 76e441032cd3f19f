"""The live view that belongs to this session."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard.live.frame_analysis import FrameAnalysis, LiveSettings
from dashboard.live.viewers import Viewer


def session_viewer(settings: LiveSettings) -> Viewer:
    """The viewer of this session, whose next frames are analyzed with these settings."""
    viewer: Viewer | None = st.session_state.get("viewer")
    if viewer is None:
        context = get_script_run_ctx()
        session_id = context.session_id if context is not None else ""
        viewer = st.session_state["viewer"] = Viewer(session_id, FrameAnalysis(settings))
    viewer.analysis.settings = settings
    return viewer
