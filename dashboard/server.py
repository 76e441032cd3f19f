"""The server of the dashboard: Streamlit's pages, and other routes next to them.

``python -m streamlit run dashboard/server.py`` finds ``app`` in this module. The pages themselves start in ``app.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from starlette.routing import Mount
from streamlit.url_util import make_url_path

from core.api.mounting import DeferredApi
from dashboard.live import frames

if TYPE_CHECKING:
    from core.runtime import Runtime


def _runtime() -> Runtime:
    from dashboard.services import runtime  # imports PyTorch, which the start must not wait for

    return runtime()


# Streamlit adds the base path to its own routes only.
API = make_url_path(st.get_option("server.baseUrlPath"), "api")
app = st.App(Path(__file__).with_name("app.py"), routes=[Mount(API, DeferredApi(_runtime)), frames.route()])
