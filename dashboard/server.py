"""The server of the dashboard: Streamlit's pages, and other routes next to them.

``python -m streamlit run dashboard/server.py`` finds ``app`` in this module. The pages themselves start in ``app.py``.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboard.live import frames

app = st.App(Path(__file__).with_name("app.py"), routes=[frames.route()])
