"""Models of a detector for several threads: OpenCV's detectors keep state during a call, and sessions are threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

Model = TypeVar("Model")


class ModelPool(Generic[Model]):
    """Up to ``limit`` models, each used by one thread at a time.

    The first is loaded now, so that what ``load`` raises is raised here. Another one is loaded only when all are in
    use, so that one thread needs the memory of one model.
    """

    def __init__(self, load: Callable[[], Model], limit: int) -> None:
        self._load = load
        self._idle = [load()]  # the one that was used last is at the end; its memory is still in the caches
        self._places = threading.BoundedSemaphore(limit)

    @contextmanager
    def borrowed(self) -> Iterator[Model]:
        """A model that no other thread uses. Waits while ``limit`` threads have one."""
        with self._places:
            try:
                model = self._idle.pop()
            except IndexError:
                model = self._load()
            try:
                yield model
            finally:
                self._idle.append(model)
