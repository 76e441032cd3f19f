"""The server of the dashboard: Streamlit's pages, and other routes next to them.

``python -m streamlit run dashboard/server.py`` finds ``app`` in this module. The pages themselves start in ``app.py``.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from starlette.routing import Mount
from streamlit.url_util import make_url_path

from core.api.mounting import DeferredApi
from dashboard import garbage
from dashboard.live import frames
from dashboard.loading import LOADING

if TYPE_CHECKING:
    from core.runtime import Runtime


def _runtime() -> Runtime:
    from dashboard.services import runtime

    return runtime()


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """The networks are loaded while the server answers, after the first page is drawn."""
    # What the first page needs is imported before the server answers, because PyTorch is imported afterwards and
    # the two imports would wait for each other. The file locations of all modules, which Streamlit needs for its first
    # element, and the cards of the networks are read here for the same reason.
    from dashboard.overview import example, network_files, networks  # noqa: F401
    from dashboard.services import preparation
    from dashboard.ui import photo_sources, sections  # noqa: F401

    inspect.stack()
    _runtime().listing()
    garbage.keep_imported()
    LOADING.start(partial(preparation.load_networks, LOADING))
    yield


# Streamlit adds the base path to its own routes only.
API = make_url_path(st.get_option("server.baseUrlPath"), "api")
ROUTES = [Mount(API, DeferredApi(_runtime)), frames.route()]
app = st.App(Path(__file__).with_name("app.py"), lifespan=lifespan, routes=ROUTES)
