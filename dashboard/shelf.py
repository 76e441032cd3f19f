"""A bounded store of slow results, for work that shows its progress: a cached function may not draw while it works."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Result = TypeVar("Result")


class Shelf:
    """Keeps the ``places`` results that were used last. Safe in several threads; results are never written to."""

    def __init__(self, places: int) -> None:
        if places < 1:
            raise ValueError(f"a shelf needs at least one place, got {places}")
        self._places = places
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._kept

    def get(self, key: Hashable, make: Callable[[], Result]) -> Result:
        """The result kept under ``key``, or a new one. What ``make`` raises is passed on and nothing is kept."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]  # type: ignore[no-any-return]  # what was made under this key
        result = make()  # outside the lock: one slow map must not hold up another session's
        with self._lock:
            self._kept[key] = result
            while len(self._kept) > self._places:
                self._kept.popitem(last=False)
        return result
