"""The part of the link that follows the face: class, "rather than" class and face number.

Widgets that mean the same for every photo are bound to the address by Streamlit. These three are not: they stand where
the networks' answer puts them until somebody chooses, and only what was chosen belongs in the link. What a link asks
for and this photo does not have is passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

import streamlit as st

CLASS, AGAINST, FACE = "class", "rather_than", "face"
NAMES = (CLASS, AGAINST, FACE)


def restore() -> None:
    """Take the choices from the address a session begins with; later keep the address as the choices are."""
    if "link" not in st.session_state:
        st.session_state["link"] = {name: st.query_params[name] for name in NAMES if name in st.query_params}
    kept: dict[str, str] = st.session_state["link"]
    for name in NAMES:  # another page may have taken them off the address
        if st.query_params.get(name) != kept.get(name):
            _write(name, kept.get(name))


def chosen(name: str, among: Sequence[str]) -> str | None:
    """What was chosen, by hand or by a link; None where nothing was, or something this face does not have."""
    value: str | None = st.session_state.get("link", {}).get(name)
    return value if value in among else None


def choose(name: str, value: str | None) -> None:
    """Keep a choice, or forget it (None)."""
    kept: dict[str, str] = st.session_state.setdefault("link", {})
    if value is None:
        kept.pop(name, None)
    else:
        kept[name] = value
    _write(name, value)


def choose_from(widget: str, name: str, default: str | None) -> None:
    """A widget's callback: keep its value; the default needs no place in the link."""
    value = st.session_state.get(widget)
    choose(name, None if value is None or value == default else str(value))


def face_number(photo: str, faces: int) -> int:
    """Position of the chosen face among ``faces``. A number belongs to the photo it was chosen in."""
    of = st.session_state.setdefault("face_of", photo)  # a link names no photo: the first one opened
    number = chosen(FACE, [str(n + 1) for n in range(faces)]) if of == photo else None
    return int(number) - 1 if number else 0


def choose_face(photo: str, number: int) -> None:
    """Show this face of a photo."""
    st.session_state["face_of"] = photo
    choose(FACE, str(number + 1) if number else None)


def address() -> str:
    """The whole link to what is on the screen, without the photo."""
    base = (st.context.url or "").rstrip("/")
    page = base if base.endswith("/analyze") else f"{base}/analyze"
    asked = [(name, value) for name in st.query_params for value in st.query_params.get_all(name)]
    return f"{page}?{urlencode(asked)}" if asked else page


def _write(name: str, value: str | None) -> None:
    if value is None:
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = value
