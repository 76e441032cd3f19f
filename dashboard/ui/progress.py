"""The progress of slow work: its name, the fraction done, the time left, and a button that stops it.

Streamlit ends a script at its next message after a click, so a stop takes effect within one step, and finished results
are stored. The click is remembered, because the rerun would start the work again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.errors import FerscopeError
from dashboard.loading import LOADING

Progress = Callable[[int, int], None]
# A bar for shorter work would only flicker.
PATIENCE_S = 0.4
# An estimate from less time than this is unreliable.
ESTIMATE_AFTER_S = 3.0


class StoredResult(Protocol):
    """A result that is computed once and then stored."""

    @property
    def key(self) -> Hashable:
        """Identifies the result."""

    @property
    def ready(self) -> bool:
        """Whether the result is stored."""

    def get(self, progress: Progress | None = None) -> Any:
        """The result, computed first if necessary."""


@dataclass(frozen=True)
class Step:
    """One result of slow work; ``unit`` is what its progress counts."""

    title: str
    result: StoredResult
    unit: str = "passes"


def run(key: str, steps: Sequence[Step]) -> list[str]:
    """Compute the results that are missing, unless this work was stopped: then a button resumes it.

    Returns one sentence for each result that cannot be computed. Call it again after every rerun.
    """
    missing = [step for step in steps if not step.result.ready]
    if not missing:
        return []
    request = tuple(step.result.key for step in steps)
    if stopped(key, request):
        offer_resume(key, f"Stopped: {len(steps) - len(missing)} of {len(steps)} results are ready.")
        return []
    problems: dict[str, None] = {}  # each sentence once, in order
    with work(key, request, len(missing)) as shown:
        for step in missing:
            try:
                if not step.result.ready:  # an earlier step may have computed it
                    step.result.get(shown.part(step.title, step.unit))
            except FerscopeError as error:
                problems[f"{step.title}: {error}."] = None
    return list(problems)


def wait_for_loading(step: int) -> None:
    """Wait for a step of the work that the server began when it was started, with its progress."""
    place = st.empty()
    # Short waits, so that a click ends them; not shorter, because each message makes the browser draw the page again.
    while not LOADING.wait(step, timeout_s=0.5):
        place.progress(LOADING.fraction, f"Loading {LOADING.title} …")
    place.empty()


class Work:
    """The progress bar of slow work in one or more parts. Use :func:`work`."""

    def __init__(self, key: str, parts: int, on_stop: Callable[[], None], patience_s: float) -> None:
        self._key, self._parts, self._on_stop, self._patience_s = key, max(parts, 1), on_stop, patience_s
        self._place = st.empty()
        self._bar: DeltaGenerator | None = None
        self._started = time.monotonic()
        self._number = 0

    def part(self, title: str, unit: str = "passes") -> Progress:
        """Begin the next part; call the result with (done, total) of that part."""
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
        """Remove the bar and the button."""
        self._place.empty()

    def _show(self, fraction: float, text: str) -> None:
        if self._bar is not None:
            self._bar.progress(fraction, text)
        elif time.monotonic() - self._started >= self._patience_s:
            with self._place.container(horizontal=True, vertical_alignment="center"):
                self._bar = st.progress(fraction, text)
                st.button(
                    "Stop",
                    key=f"stop-{self._key}",
                    icon=":material/stop_circle:",
                    on_click=self._on_stop,
                )

    def _time_left(self, fraction: float) -> str:
        elapsed = time.monotonic() - self._started
        if fraction <= 0 or elapsed < ESTIMATE_AFTER_S:
            return ""
        return f" · about {duration(elapsed * (1 - fraction) / fraction)} left"


def duration(seconds: float) -> str:
    """A time to wait in whole seconds, from 90 s on in minutes."""
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


@contextmanager
def work(
    key: str,
    request: Hashable,
    parts: int,
    *,
    on_stop: Callable[[], None] | None = None,
    patience_s: float = PATIENCE_S,
) -> Iterator[Work]:
    """Slow work under ``key``; ``request`` identifies what is computed, so that a stop ends with the request.

    A click on Stop is remembered, or calls ``on_stop`` instead. The bar is drawn after ``patience_s``, which is 0 where
    the first step takes long.
    """
    shown = Work(key, parts, on_stop or partial(stop, key, request), patience_s)
    try:
        yield shown
    finally:
        shown.close()


def stop(key: str, request: Hashable) -> None:
    """Remember that this work was stopped."""
    st.session_state[f"stopped-{key}"] = request


def stopped(key: str, request: Hashable) -> bool:
    """Whether this work was stopped."""
    return bool(st.session_state.get(f"stopped-{key}") == request)


def resume(key: str) -> None:
    """Forget that the work was stopped."""
    st.session_state.pop(f"stopped-{key}", None)


def offer_resume(key: str, sentence: str) -> None:
    """Report that work was stopped, and offer to resume it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Resume", key=f"resume-{key}", icon=":material/play_arrow:", on_click=resume, args=(key,))
        st.caption(sentence)
