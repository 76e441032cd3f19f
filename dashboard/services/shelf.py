"""A bounded store of slow results, for work that shows its progress: a cached function may not draw while it works."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Result = TypeVar("Result")


class Shelf:
    """Keeps the ``places`` results that were used last. Safe in several threads; results are never written to.

    With ``most_bytes`` and ``weigh``, the bytes of a result, they weigh no more together; the last one always stays.
    """

    def __init__(
        self, places: int, *, most_bytes: int | None = None, weigh: Callable[[Any], int] = lambda _: 0
    ) -> None:
        if places < 1:
            raise ValueError(f"a shelf needs at least one place, got {places}")
        self._places = places
        self._most_bytes = most_bytes
        self._weigh = weigh
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
            self._kept.move_to_end(key)  # another thread may have kept it first
            while len(self._kept) > 1 and self._too_full():
                self._kept.popitem(last=False)
        return result

    def _too_full(self) -> bool:
        if len(self._kept) > self._places:
            return True
        return self._most_bytes is not None and sum(map(self._weigh, self._kept.values())) > self._most_bytes
