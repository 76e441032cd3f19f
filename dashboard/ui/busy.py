"""What a page shows instead of a result that cannot be computed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from core.errors import BusyError, FerscopeError


@contextmanager
def answered() -> Iterator[None]:
    """Turn a FerscopeError into its sentence, and a BusyError also into a button that tries again.

    Panels report the errors that they expect themselves, so that the rest of the page is drawn. The whole page
    is drawn inside of it. A fragment that predicts needs its own, because Streamlit catches what a fragment raises.
    """
    try:
        yield
    except BusyError as error:
        st.error(error.sentence, icon=":material/hourglass_top:")
        st.button("Try again", key="busy-try-again", icon=":material/refresh:")
    except FerscopeError as error:
        st.error(error.sentence, icon=":material/error:")
