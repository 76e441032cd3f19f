"""Controls whose values are part of the address, and the link to what is on the screen.

Streamlit binds a control to the address and removes its parameter while the control is not drawn; the value stays in
the session. So each control is registered when it is drawn, and the link is written from the session, for any open
panel. Requested values that are not available are reported once, next to the control.

The classes, the face and the photo are not bound: their default depends on the photo, and only what the user chose
belongs in the link. The clicked cells of What if are not bound either, because they are chosen in a figure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from dashboard.ui import link_page
from dashboard.ui.url_parameters import Choice, Number, Parameter, Range, Switch, not_available, quoted

CLASS, CONTRAST, FACE, SAMPLE, OWN_PHOTO = "class", "rather_than", "face", "sample", "own_photo"
VARIED_CLASS, CLICKED_CELLS = "varied_class", "clicked_cells"
CHOSEN = (CLASS, CONTRAST, FACE, VARIED_CLASS, CLICKED_CELLS, SAMPLE, OWN_PHOTO)


def begin() -> None:
    """Call before any control is drawn: apply the choices in the address that the session was opened with."""
    if "chosen" not in st.session_state:
        st.session_state["chosen"] = {name: st.query_params[name] for name in CHOSEN if name in st.query_params}
        st.session_state["from_link"] = set(st.session_state["chosen"])
    for name in CHOSEN:  # another page may have removed them from the address
        link_page.write(name, *_texts_of(name))


def choice(
    draw: Callable[..., Any],
    label: str,
    options: Mapping[Any, str],
    *,
    key: str,
    default: Any,
    aliases: Mapping[str, Sequence[Any]] | None = None,
    **settings: Any,
) -> Any:
    """A bound ``st.selectbox``, ``st.pills`` or ``st.segmented_control``: one of the options, which are given with
    their texts, none at first if ``default`` is None, or a selection of them if ``default`` is a tuple.

    ``aliases`` are further texts that an address may have for options.
    """
    several = isinstance(default, tuple)
    settings |= {"format_func": options.__getitem__, "key": key, "bind": "query-params"}
    if draw is not st.selectbox:
        settings |= {"selection_mode": "multi"} if several else {"required": default is not None}
    words = {text: [options[value] for value in values] for text, values in (aliases or {}).items()}
    drawn_before = link_page.known_controls().get(key)
    _register(key, Choice(label, options, default), words)
    if draw is st.selectbox:
        settings["index"] = None if default is None else list(options).index(default)
        value = st.session_state.get(key)
        if value in options and isinstance(drawn_before, Choice) and drawn_before.words.get(value) != options[value]:
            # The browser would send the former text again, which is no longer that of an option. A value that is set
            # replaces it, and must not meet an index.
            st.session_state[key] = value
            settings["index"] = 0
    else:
        settings["default"] = list(default) if several else default
    return draw(label, list(options), **settings)


def first_choice(
    draw: Callable[..., Any], label: str, options: Sequence[str] | Mapping[Any, str], *, key: str, **settings: Any
) -> Any:
    """Like :func:`choice`, by default the first of the options, which may be their own texts."""
    texts = options if isinstance(options, Mapping) else {option: option for option in options}
    return choice(draw, label, texts, key=key, default=next(iter(texts)), **settings)


def slider(label: str, low: float, high: float, default: float, step: float, *, key: str, **settings: Any) -> float:
    """A bound slider; its values have as many decimals as its step."""
    _register(key, Number(label, low, high, default))
    settings.setdefault("format", f"%.{max(0, -math.floor(math.log10(step)))}f")
    return float(st.slider(label, low, high, default, step, key=key, bind="query-params", **settings))


def range_slider(label: str, low: float, high: float, step: float, *, key: str) -> tuple[float, float]:
    """A bound slider with two ends. Its bounds must not depend on what is selected: Streamlit takes a slider with other
    bounds for a new one, with the values of the address."""
    _register(key, Range(label, low, high))
    first, last = st.slider(label, low, high, (low, high), step, key=key, bind="query-params")
    return first, last


def number(label: str, low: int, high: int, *, key: str, **settings: Any) -> int:
    """A bound field for a whole number, at first the lowest."""
    _register(key, Number(label, low, high, low, int))
    return int(st.number_input(label, low, high, key=key, bind="query-params", **settings))


def page_number(pages: int, *, key: str, of: Hashable) -> int:
    """The chosen page of a list, from 1; nothing is drawn for a single page.

    ``of`` identifies the list. Another list begins with its first page, unless its page was chosen together with it,
    by a link or by *Back* of the browser.
    """
    _register(key, Number("Page", 1, pages, 1, int))
    lists: dict[str, tuple[Hashable, int]] = st.session_state.setdefault("lists", {})  # the list and its page
    previous, page_of_previous = lists.get(key, (of, 1))
    if of != previous and st.session_state.get(key, 1) == page_of_previous:
        st.session_state[key] = 1
    page = st.pagination(pages, key=key, bind="query-params") if pages > 1 else 1
    lists[key] = of, page
    return page


def toggle(label: str, *, key: str, default: bool = False, **settings: Any) -> bool:
    """A bound toggle."""
    _register(key, Switch(label, default))
    return bool(st.toggle(label, default, key=key, bind="query-params", **settings))


def tabs(labels: Sequence[str], *, key: str) -> Sequence[Any]:
    """A bound tab bar; of the tabs, the open one has a true ``open``."""
    _register(key, Choice(key.capitalize(), {label: label for label in labels}, labels[0]))
    return st.tabs(labels, key=key, on_change="rerun", bind="query-params")


def dependent_choice(
    draw: Callable[..., Any], label: str, options: Sequence[str], *, name: str, default: str, key: str, **settings: Any
) -> str:
    """A control whose default depends on the photo. ``name`` is its parameter, which is part of the address after
    the user chose another value; ``key`` identifies the control of this face."""
    shown = chosen(name, options, default=default, title=label)
    if draw is st.selectbox:
        settings |= {"index": options.index(shown)}
    else:
        settings |= {"default": shown, "required": True}
    return str(
        draw(label, options, key=key, on_change=lambda: choose(name, st.session_state[key], default), **settings)
    )


def chosen(name: str, options: Sequence[str], *, default: str, title: str) -> str:
    """The chosen value if it is among the options, otherwise the default, with a message if a link requests it."""
    value: str | None = st.session_state["chosen"].get(name)
    if value is None or value in options:
        return value or default
    is_requested = name in st.session_state["from_link"]
    choose(name, None)  # the address contains only what is shown
    if is_requested:
        link_page.show_message(not_available(title, [quoted(value)], ", ".join(options), default))
    return default


def chosen_several(name: str, options: Sequence[str], *, title: str) -> list[str]:
    """The chosen values among the options, which the address separates by spaces, with a message about others."""
    choices: dict[str, str] = st.session_state["chosen"]
    values = choices.get(name, "").split()
    unknown = [quoted(value) for value in values if value not in options]
    if unknown:
        values = [value for value in values if value in options]
        choose(name, " ".join(values) or None)
        available = f"{options[0]} to {options[-1]}"
        link_page.show_message(not_available(title, unknown, available, ", ".join(values) or "none"))
    return values


def choose(name: str, value: str | None, default: str | None = None) -> None:
    """Store a choice; None or the default removes it."""
    choices: dict[str, str] = st.session_state["chosen"]
    st.session_state["from_link"].discard(name)
    kept = None if value == default else value
    if kept is None:
        choices.pop(name, None)
    else:
        choices[name] = kept
    link_page.write(name, *_texts_of(name))


def choose_implicitly(name: str, value: str | None) -> None:
    """Store a value that follows from another choice, unless the user chose one; None removes it again."""
    implied: dict[str, str] = st.session_state.setdefault("implied", {})
    previous, current = implied.get(name), st.session_state["chosen"].get(name)
    if value is None:
        if implied.pop(name, None) is not None and current == previous:
            choose(name, None)
    elif current is None:
        implied[name] = value
        choose(name, value)


def show_photo(photo: str) -> None:
    """Forget the number of the face unless it was chosen in this photo; that of a link belongs to the first photo."""
    if st.session_state.setdefault("face_of", photo) != photo:
        choose_face(photo, 0)


def face_number(faces: int) -> int:
    """Index of the chosen face of the photo."""
    return int(chosen(FACE, [str(n + 1) for n in range(faces)], default="1", title="Face")) - 1


def choose_face(photo: str, number: int) -> None:
    """Show this face of a photo."""
    st.session_state["face_of"] = photo
    choose(FACE, str(number + 1), "1")


def linked_sample() -> str | None:
    """The portrait that the address names, once: when the session begins."""
    if SAMPLE not in st.session_state["from_link"]:
        return None
    st.session_state["from_link"].discard(SAMPLE)
    name: str | None = st.session_state["chosen"].get(SAMPLE)
    return name


def own_photo_lost() -> bool:
    """Whether the address belongs to a session that showed the user's own photo, which is not stored."""
    return OWN_PHOTO in st.session_state["chosen"]


def address() -> str:
    """The complete link to what is on the screen; of the photos, only portraits are part of it."""
    base = (st.context.url or "").rstrip("/")
    page = base if base.endswith("/analyze") else f"{base}/analyze"
    parameters = {name: p for name, p in link_page.known_controls().items() if name in st.session_state}
    query = [(name, text) for name, p in parameters.items() for text in p.written(st.session_state[name])]
    # Controls that have not been drawn yet: their parameters in the address have not been read.
    waiting = [name for name in st.query_params if name not in parameters and name not in CHOSEN]
    query += [(name, text) for name in waiting for text in st.query_params.get_all(name)]
    choices: dict[str, str] = st.session_state["chosen"]
    query += [(name, choices[name]) for name in CHOSEN if name in choices and name != OWN_PHOTO]
    return f"{page}?{urlencode(query)}" if query else page


def _register(key: str, parameter: Parameter, aliases: Mapping[str, Sequence[str]] | None = None) -> None:
    """Remember how a control is written. The first time, correct its value in the address if it is not available."""
    link_page.require_listed(key)
    link_page.show_correction(key)
    parameters = link_page.known_controls()
    first, parameters[key] = key not in parameters, parameter
    if not first or key not in st.query_params or key in st.session_state:
        return
    requested = st.query_params.get_all(key)
    texts = [word for text in requested for word in (aliases or {}).get(text, [text])]
    value, sentence = parameter.read(texts)
    if sentence is not None or texts != requested:
        link_page.write(key, *parameter.written(value))
        link_page.rerun_corrected(key, sentence)


def _texts_of(name: str) -> list[str]:
    """The choice of the user as texts in the address."""
    choices: dict[str, str] = st.session_state["chosen"]
    return [choices[name]] if name in choices else []
