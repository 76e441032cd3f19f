"""A bounded cache in which a key is computed once, even if several threads request it at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, TypeVar

from cachetools import LRUCache, cached

Result = TypeVar("Result")


class Cache:
    """The results that were used last, bounded by their number or, with ``size_of``, by their size in bytes.

    Threads that request a key while it is computed wait for that result; other keys are computed meanwhile. Exceptions
    of a computation are raised and not stored, and the next waiting thread tries again. The newest result is
    stored even if it alone exceeds the bound. Results are shared, so they must not be modified.
    """

    def __init__(self, maxsize: int, *, size_of: Callable[[Any], int] | None = None) -> None:
        if maxsize < 1:
            raise ValueError(f"a cache needs a maxsize of at least 1, got {maxsize}")
        self._maxsize = maxsize
        self._size_of = size_of or (lambda _: 1)
        self.clear()

    def clear(self) -> None:
        """Remove every result, also those that are being computed now."""
        # A computation that is running stores its result in the entries it began with, which nothing refers to then.
        self._condition = threading.Condition()
        self._entries: LRUCache[Hashable, Any] = LRUCache(
            self._maxsize, getsizeof=lambda result: min(self._size_of(result), self._maxsize)
        )
        self._compute = cached(self._entries, key=lambda key, _: key, condition=self._condition)(
            lambda _, compute: compute()
        )

    def get(self, key: Hashable, compute: Callable[[], Result]) -> Result:
        """The result stored for ``key``, computed first if there is none."""
        return self._compute(key, compute)  # type: ignore[no-any-return]  # what was computed for this key

    def remove(self, condition: Callable[[Any], bool]) -> None:
        """Remove the results of all keys that satisfy ``condition``."""
        with self._condition:
            for key in [key for key in self._entries if condition(key)]:
                del self._entries[key]

    def results(self) -> list[Any]:
        """The results that are stored now."""
        with self._condition:
            return list(self._entries.values())

    @property
    def size(self) -> int:
        """Sum of the sizes of the stored results; their number without ``size_of``."""
        return int(self._entries.currsize)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)


def file_stamp(*paths: Path) -> tuple[tuple[int, int] | None, ...]:
    """Modification time in ns and size of each file, None for a missing one: part of the key of what was read."""
    stamps: list[tuple[int, int] | None] = []
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            stamps.append(None)
        else:
            stamps.append((status.st_mtime_ns, status.st_size))
    return tuple(stamps)
