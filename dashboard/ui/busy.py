"""What a page shows while too many computations wait for a network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from core.errors import BusyError


@contextmanager
def answered() -> Iterator[None]:
    """Turn a BusyError into its sentence and a button that tries again.

    The whole page is drawn inside of it. A fragment that predicts needs its own, because Streamlit catches what a
    fragment raises.
    """
    try:
        yield
    except BusyError as error:
        st.error(error.sentence, icon=":material/hourglass_top:")
        st.button("Try again", key="busy-try-again", icon=":material/refresh:")
