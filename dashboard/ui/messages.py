"""Errors and warnings on a page, with the names in them as they are."""

from __future__ import annotations

import streamlit as st

from core.errors import FerscopeError
from dashboard.ui.markdown import escaped


def show_error(error: FerscopeError | str, icon: str = "error") -> None:
    """An error or a sentence about one, with the name of a Material symbol."""
    st.error(escaped(_text(error)), icon=f":material/{icon}:")


def show_warning(warning: FerscopeError | str, icon: str = "warning") -> None:
    """What the reader should know although the page continues, with the name of a Material symbol."""
    st.warning(escaped(_text(warning)), icon=f":material/{icon}:")


def _text(message: FerscopeError | str) -> str:
    return message.sentence if isinstance(message, FerscopeError) else message
