"""Ctrl-C, for the moments in which it would lose a result."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Ignore Ctrl-C. A process that is started meanwhile inherits this. Outside the main thread nothing is changed."""
    if threading.current_thread() is not threading.main_thread():  # Python refuses to change handlers there
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
