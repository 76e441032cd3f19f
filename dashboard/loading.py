"""Progress of loading PyTorch and the networks in the background of a new server.

This module imports nothing that takes long, because the server imports it before it answers.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

# The steps that pages wait for: once PyTorch is imported, any page can be drawn.
PYTORCH, FIRST_NETWORK = 1, 2
# PyTorch is imported as soon as a page waits for it, and after this many seconds at the latest.
WITHOUT_PAGE_S = 2.0
# The time in which the browser then fetches what it was sent. If PyTorch were imported at once, the first page would
# appear 0.3 s later.
DRAWING_S = 0.1


class Loading:
    """Work in one thread, in steps that other threads can wait for.

    Before it is started and after it failed there is nothing to wait for: pages then load what they need themselves,
    and report what cannot be loaded.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._finished_steps = self._steps = 0
        self._is_awaited = threading.Event()
        self.title = ""

    @property
    def fraction(self) -> float:
        """The share of the steps that are finished."""
        return self._finished_steps / self._steps if self._steps else 1.0

    def start(self, work: Callable[[], None]) -> None:
        """Do ``work`` in a thread; ``work`` calls :meth:`wait_for_page`, :meth:`begin` and :meth:`finish_step`."""
        self.begin("PyTorch", FIRST_NETWORK)
        threading.Thread(target=self._run, args=(work,), name="loading", daemon=True).start()

    def wait_for_page(self) -> None:
        """Wait until a page waits for a step and the browser has had time to draw it; without such a page, at most
        ``WITHOUT_PAGE_S`` seconds."""
        if self._is_awaited.wait(WITHOUT_PAGE_S):
            time.sleep(DRAWING_S)

    def begin(self, title: str, steps: int) -> None:
        """State what is loaded in the next one of that many steps."""
        with self._changed:
            self.title, self._steps = title, steps

    def finish_step(self) -> None:
        """Count the step and wake the threads that wait for it."""
        with self._changed:
            self._finished_steps += 1
            self._changed.notify_all()

    def wait(self, step: int | None = None, timeout_s: float | None = None) -> bool:
        """Whether a step is finished, by default the last one, after at most that many seconds.

        A page calls this when everything that needs no step has been sent to the browser.
        """
        self._is_awaited.set()
        with self._changed:
            return self._changed.wait_for(
                lambda: self._finished_steps >= (self._steps if step is None else min(step, self._steps)), timeout_s
            )

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:
            logging.getLogger(__name__).exception("Loading in the background failed")
        with self._changed:
            self._steps = self._finished_steps
            self._changed.notify_all()


# Of this server. Tests and scripts do not start it.
LOADING = Loading()
