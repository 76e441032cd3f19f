"""How a page ends early: because it has shown everything, or because a result cannot be computed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import streamlit as st

from core.errors import BusyError, FerscopeError
from dashboard.ui.messages import show_error


class PageEnded(Exception):  # noqa: N818 - not an error
    """The page is complete; see :func:`end_page`."""


def end_page() -> NoReturn:
    """Leave the page with what has been drawn.

    ``st.stop()`` would also end what follows each page, and Streamlit would keep the fragments of the page's previous
    run in memory, with the photo that they draw.
    """
    raise PageEnded


@contextmanager
def answered(part: str) -> Iterator[None]:
    """Turn a FerscopeError into its sentence, and a BusyError also into a button that tries again. ``part`` of the
    page distinguishes this button from those of other parts.

    Panels report the errors that they expect themselves, so that the rest of the page is drawn. The whole page
    is drawn inside of it. A fragment that predicts needs its own, because Streamlit catches what a fragment raises.
    A page ends here also with :func:`end_page`.
    """
    try:
        yield
    except PageEnded:
        pass
    except BusyError as error:
        show_error(error, icon="hourglass_top")
        st.button("Try again", key=f"try-again-{part}", icon=":material/refresh:")
    except FerscopeError as error:
        show_error(error)
