"""Free memory goes back to the system, so that a server that runs for weeks keeps its size."""

from __future__ import annotations

import ctypes
import functools
import itertools
import platform
from collections.abc import Callable

EVERY = 10  # analyses

_analyses = itertools.count(1)


def analyzed() -> None:
    """Count an analysis; after every tenth one the free pages of the heap are given back, which takes some 5 ms.

    Scripts run in threads that come and go, each with a heap of its own. Between long-lived small objects the large
    arrays of an analysis leave holes there, which glibc keeps: 200 MB after a thousand photos, with nothing in them.
    """
    if next(_analyses) % EVERY == 0:
        _trim()(0)


@functools.cache
def _trim() -> Callable[[int], object]:
    """glibc's ``malloc_trim``; where there is another C library, nothing is done."""
    if platform.libc_ver()[0] != "glibc":
        return lambda _: None
    found: Callable[[int], object] = ctypes.CDLL(None).malloc_trim
    return found
