"""Garbage collection between the clicks of a visitor.

Streamlit would collect garbage at the end of each run, before the browser receives its last messages: with PyTorch
imported, that takes 0.15 s. ``.streamlit/config.toml`` switches that off, and the app calls :func:`collect_later` at
the end of each page. Runs of a fragment alone leave their garbage to Python's automatic collection.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

DELAY_S = 1.0

_lock = threading.Lock()
_timer: threading.Timer | None = None


def collect_later() -> None:
    """Collect garbage once, ``DELAY_S`` after the last call. What a forgotten photo left in memory is freed then."""
    global _timer
    with _lock:
        if _timer is not None:
            _timer.cancel()
        _timer = threading.Timer(DELAY_S, gc.collect)
        _timer.daemon = True
        _timer.start()


@contextmanager
def paused() -> Iterator[None]:
    """Collect no garbage in this context, in which modules are imported: they leave none."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def keep_imported() -> None:
    """Leave everything that exists now out of each collection. Call it before the server answers, when the memory
    contains modules only."""
    gc.freeze()
