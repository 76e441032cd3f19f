"""The link to what is on the screen, and what the link asks for that a session begins with.

Most widgets of Analyze are bound to the address by Streamlit, which takes off it whatever is not drawn at the moment;
the values stay in the session, and the link is written from there, whichever panel is open. Class, "rather than" class
and face are not bound: they stand where the networks' answer puts them until somebody chooses, and only what was chosen
belongs in the link. What a link asks for and cannot have leaves the address and is told in a sentence, once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import streamlit as st

from dashboard.ui.url_parameters import Parameter, listed, quoted

CLASS, AGAINST, FACE, STAGE = "class", "rather_than", "face", "stage"
NAMES = (CLASS, AGAINST, FACE)


def restore(parameters: Mapping[str, Parameter]) -> None:
    """Before any widget is drawn: take the choices from the address a session begins with, with what is wrong in it put
    right; later keep the address as the choices are."""
    if "link" not in st.session_state:
        st.session_state["link"] = {name: st.query_params[name] for name in NAMES if name in st.query_params}
        st.session_state["link_unmet"] = {*NAMES, STAGE}  # what is known only beside a photo
        _put_right(parameters)
    kept: dict[str, str] = st.session_state["link"]
    for name in NAMES:  # another page may have taken them off the address
        _write(name, kept.get(name))


def _put_right(parameters: Mapping[str, Parameter]) -> None:
    sentences: list[str] = st.session_state.setdefault("link_sentences", [])
    for name, parameter in parameters.items():
        if name in st.query_params:
            texts, sentence = parameter.checked(st.query_params.get_all(name))
            if sentence:
                sentences.append(sentence)
                _write(name, texts or None)
    if sentences:
        st.rerun()  # widgets take what the address had when the run began


def tell() -> None:
    """Say once what the link could not have."""
    for sentence in st.session_state.pop("link_sentences", []):
        _say(sentence)


def unmet(name: str, there_are: Sequence[str], *, asks: str, why: str, shown: str) -> None:
    """Forget what is not among ``there_are``; where the link asked for it, say so. A layer is only looked at once:
    later it is its widget's."""
    names: set[str] = st.session_state.get("link_unmet", set())
    of_the_link = name in names
    names.discard(name)
    if not of_the_link and name not in NAMES:
        return
    text = st.session_state["link"].get(name) if name in NAMES else st.query_params.get(name)
    if text is None or text in there_are:
        return
    choose(name, None)
    if of_the_link:
        _say(f"This link asks for {asks} {quoted(text)}, {why} {listed(there_are)}. Shown: {shown}.")


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
    numbers = [str(n + 1) for n in range(faces)]
    if of != photo:
        return 0
    unmet(FACE, numbers, asks="face", why="which this photo does not have; it has", shown="1")
    return int(chosen(FACE, numbers) or 1) - 1


def choose_face(photo: str, number: int) -> None:
    """Show this face of a photo."""
    st.session_state["face_of"] = photo
    choose(FACE, str(number + 1) if number else None)


def address(parameters: Mapping[str, Parameter]) -> str:
    """The whole link to what is on the screen, without the photo."""
    base = (st.context.url or "").rstrip("/")
    page = base if base.endswith("/analyze") else f"{base}/analyze"
    asked: list[tuple[str, str]] = []
    for name, parameter in parameters.items():
        drawn = name in st.session_state  # else its place in the address still waits to be read
        texts = parameter.written(st.session_state[name]) if drawn else st.query_params.get_all(name)
        asked += [(name, text) for text in texts]
    kept: dict[str, str] = st.session_state.get("link", {})
    asked += [(name, kept[name]) for name in NAMES if name in kept]
    return f"{page}?{urlencode(asked)}" if asked else page


def _say(sentence: str) -> None:
    st.info(sentence, icon=":material/link_off:")


def _write(name: str, value: str | Sequence[str] | None) -> None:
    if value is None:
        st.query_params.pop(name, None)
    elif st.query_params.get_all(name) != ([value] if isinstance(value, str) else value):  # each writing is a message
        st.query_params[name] = value
