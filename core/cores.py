"""How many cores this process may use."""

from __future__ import annotations

import os


def core_count() -> int:
    """The cores the system lets this process run on (``taskset``, a container's cpuset), where it says so; else all of
    the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
