"""Slow work on the screen: its name, how far it is, how long it will take, and a button that stops it.

Streamlit ends a script at its next message when anything is clicked, so a stop is never late by more than one step, and
what was finished is kept (``dashboard.lab.kept``). The click is remembered, or the rerun would begin the work again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

# Work that is over sooner would only make the screen flicker.
PATIENCE_S = 0.4
# An estimate from less than this is a guess.
ESTIMATE_AFTER_S = 3.0


class Work:
    """The bar of one piece of work in several parts. Use :func:`work`."""

    def __init__(self, key: str, asked: Hashable, parts: int) -> None:
        self._key, self._asked, self._parts = key, asked, max(parts, 1)
        self._place = st.empty()
        self._bar: DeltaGenerator | None = None
        self._begun = time.monotonic()
        self._number = 0

    def part(self, title: str, unit: str = "passes") -> Callable[[int, int], None]:
        """Begin the next part; what it returns is called with (done, total) of that part."""
        self._number = min(self._number + 1, self._parts)
        number = self._number

        def show(done: int, total: int) -> None:
            fraction = min((number - 1 + done / max(total, 1)) / self._parts, 1.0)
            of_parts = f" · {number} of {self._parts}" if self._parts > 1 else ""
            steps = f": {done:,} of {total:,} {unit}" if total > 1 else ""
            self._show(fraction, f"{title}{steps}{of_parts}{self._time_left(fraction)}")

        show(0, 1)
        return show

    def close(self) -> None:
        """Take the bar and the button away."""
        self._place.empty()

    def _show(self, fraction: float, text: str) -> None:
        if self._bar is None:
            if time.monotonic() - self._begun < PATIENCE_S:
                return
            with self._place.container(horizontal=True, vertical_alignment="center"):
                self._bar = st.progress(fraction, text)
                st.button(
                    "Stop",
                    key=f"stop-{self._key}",
                    icon=":material/stop_circle:",
                    on_click=stop,
                    args=(self._key, self._asked),
                )
        else:
            self._bar.progress(fraction, text)

    def _time_left(self, fraction: float) -> str:
        elapsed = time.monotonic() - self._begun
        if fraction <= 0 or elapsed < ESTIMATE_AFTER_S:
            return ""
        seconds = elapsed * (1 - fraction) / fraction
        return f" · about {seconds / 60:.0f} min left" if seconds >= 90 else f" · about {seconds:.0f} s left"


@contextmanager
def work(key: str, asked: Hashable, parts: int) -> Iterator[Work]:
    """Slow work under ``key``; ``asked`` is the question it answers, so that a stop ends with the question."""
    shown = Work(key, asked, parts)
    try:
        yield shown
    finally:
        shown.close()


def stop(key: str, asked: Hashable) -> None:
    """Remember that this work is not wanted any more."""
    st.session_state[f"stopped-{key}"] = asked


def stopped(key: str, asked: Hashable) -> bool:
    """Whether this very work was stopped."""
    return bool(st.session_state.get(f"stopped-{key}") == asked)


def go_on(key: str, sentence: str) -> None:
    """Say that work was stopped, and offer to finish it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Go on", key=f"go-on-{key}", icon=":material/play_arrow:", on_click=_forget, args=(key,))
        st.caption(sentence)


def _forget(key: str) -> None:
    st.session_state.pop(f"stopped-{key}", None)
