"""Ctrl-C, for the moments in which it would lose a result or leave a process half started."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Ignore Ctrl-C. A process that is started meanwhile inherits this. Outside the main thread nothing is changed."""
    with _handled_by(signal.SIG_IGN):
        yield


@contextmanager
def deferred_interrupts() -> Iterator[None]:
    """Raise KeyboardInterrupt at the end of the block if Ctrl-C was pressed in it."""
    received = []
    with _handled_by(lambda *_: received.append(True)):
        yield
    if received:
        raise KeyboardInterrupt


@contextmanager
def _handled_by(handler: Any) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # Python refuses to change handlers there
        yield
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
