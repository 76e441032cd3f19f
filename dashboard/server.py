"""The server of the dashboard: Streamlit's pages, and other routes next to them.

``python -m streamlit run dashboard/server.py`` finds ``app`` in this module. The pages themselves start in ``app.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import streamlit as st

from dashboard.loading import LOADING


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """The networks are loaded while the server answers and the first page is drawn."""
    from dashboard.services import preparation  # what the first page needs, so it is imported before the server answers

    LOADING.start(partial(preparation.load_networks, LOADING))
    yield


app = st.App(Path(__file__).with_name("app.py"), lifespan=lifespan, routes=[])
