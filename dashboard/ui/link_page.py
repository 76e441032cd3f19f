"""The page that is drawn: which controls of it are known, and the messages about its link."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard.section import listed
from dashboard.ui import link_names
from dashboard.ui.url_parameters import Parameter, quoted

_place_of_messages: ContextVar[DeltaGenerator | None] = ContextVar("place_of_messages", default=None)


@contextmanager
def of_page(page: str) -> Iterator[None]:
    """Draw a page in this context. Parameters in the address that belong to no control of the page are removed and
    reported.

    Streamlit sets a control that it draws for the first time to what the address contained when the run began. So an
    unavailable value is corrected in the address, and the page is run again. Messages of interrupted runs are shown
    again.
    """
    repeated, st.session_state["link_messages"] = st.session_state.get("link_messages", []), []
    if st.session_state.pop("link_is_corrected", False):
        for sentence in repeated:
            show_message(sentence)
    _begin_page(page)
    yield
    st.session_state.pop("link_corrections", None)  # not in a finally clause: they must survive a rerun


def _begin_page(page: str) -> None:
    previous, st.session_state["link_page"] = st.session_state.get("link_page"), page
    if previous != page and _returned_without_parameters():
        # In this run, a write replaces the entry in the browser's history; a write in a later run would add an entry.
        for name, text in st.session_state.get("chosen", {}).items():
            if name in link_names.NAMES[page]:
                write(name, text)
        st.rerun()
    unknown = link_names.unknown(page, st.query_params)
    for name in unknown:
        st.query_params.pop(name)
    if unknown:
        named = listed([quoted(name) for name in unknown])
        show_message(
            f"This link has {'a parameter' if len(unknown) == 1 else 'parameters'} that {page} does not have: {named}. "
            "The other parameters are applied."
        )


def _returned_without_parameters() -> bool:
    """Whether *Back* or *Forward* of the browser led to a page whose address lacks the parameters of its controls.

    When a page is left, Streamlit adds its address without these parameters to the history, and in this run it sets
    every control from the address; the following run uses the values of the session.
    """
    context = get_script_run_ctx()
    returned = context is not None and context.is_history_navigation
    return returned and bool(known_controls()) and not known_controls().keys() & set(st.query_params)


@contextmanager
def messages_in(container: DeltaGenerator) -> Iterator[None]:
    """Show messages about the controls drawn in this context in a container, because their own place is folded."""
    token = _place_of_messages.set(container)
    try:
        yield
    finally:
        _place_of_messages.reset(token)


def known_controls() -> dict[str, Parameter]:
    """How the controls of this page that have been drawn are written in its address."""
    pages: dict[str, dict[str, Parameter]] = st.session_state.setdefault("link_parameters", {})
    return pages.setdefault(st.session_state["link_page"], {})


def require_listed(key: str) -> None:
    """Raise ValueError if a control of this page is missing in ``link_names``."""
    link_names.require(st.session_state["link_page"], key)


def show_message(sentence: str) -> None:
    """Show a sentence about the link, and show it again if this run is interrupted by a correction."""
    st.session_state["link_messages"].append(sentence)
    _draw_message(sentence)


def _draw_message(sentence: str) -> None:
    (_place_of_messages.get() or st).info(sentence, icon=":material/link_off:")


def rerun_corrected(key: str, sentence: str | None) -> None:
    """Run the page again after a parameter in the address was corrected, and show ``sentence``, if any, next to its
    control."""
    if sentence is not None:
        st.session_state.setdefault("link_corrections", {})[key] = sentence
    st.session_state["link_is_corrected"] = True
    st.rerun()


def show_correction(key: str) -> None:
    """Show the sentence about a control whose parameter was corrected, until the page has been drawn completely."""
    sentence = st.session_state.get("link_corrections", {}).get(key)
    if sentence is not None:
        _draw_message(sentence)


def write(name: str, *texts: str) -> None:
    """Make these the texts of a parameter in the address; none removes it."""
    if not texts:
        st.query_params.pop(name, None)
    elif st.query_params.get_all(name) != list(texts):  # each write is a message to the browser
        st.query_params[name] = texts[0] if len(texts) == 1 else texts
