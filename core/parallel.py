"""Several independent computations at once, one core each."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

MAX_WORKERS = 4
Item = TypeVar("Item")
Result = TypeVar("Result")


_share = 1  # one part in so many of the cores is this process's


def core_count() -> int:
    """Number of cores that this process may use: its CPU affinity (``taskset``, a container's cpuset) where the system
    reports one, otherwise all cores of the machine; of these, its share (:func:`share_cores`)."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // _share)


def share_cores(processes: int) -> None:
    """Let this process use its share of the cores only, because ``processes`` processes like it work at once."""
    global _share
    _share = processes


def parallel_map(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Apply ``work`` to each item in at most four threads and return the results in the order of the items.

    PyTorch uses a single thread inside ``work``. A network that predicts one or two faces has many short steps; with
    all cores in each step, every step waits for the slowest core, which doubles the time while a browser draws on one
    of them. ``work`` must not call ``parallel_map`` itself. Raises what ``work`` raises.
    """
    return list(_workers().map(work, items))


@functools.cache
def _workers() -> ThreadPoolExecutor:
    return single_core_workers(min(MAX_WORKERS, core_count()), "parallel")


def single_core_workers(count: int, name: str) -> ThreadPoolExecutor:
    """A pool of ``count`` threads, already started, in each of which PyTorch uses a single core."""
    import torch  # takes a second to import, which commands without a network should not pay

    def limit() -> None:
        torch.get_num_threads()  # a thread adopts the default on its first query, which must precede the limit
        torch.set_num_threads(1)

    threads = torch.get_num_threads()
    workers = ThreadPoolExecutor(count, thread_name_prefix=name, initializer=limit)
    all_started = threading.Barrier(count)
    list(workers.map(lambda _: all_started.wait(), range(count)))
    # The limit applies to the threads of the pool, but PyTorch would also pass it on to every thread started later.
    torch.set_num_threads(threads)
    return workers
