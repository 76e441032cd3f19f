"""Several independent computations at once, one core each."""

from __future__ import annotations

import contextlib
import functools
import os
import queue
import threading
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

MAX_WORKERS = 4
READ_AHEAD = "read-ahead"  # the name of threads
Item = TypeVar("Item")
Result = TypeVar("Result")


_share = 1  # this process uses 1 / _share of the cores


def core_count() -> int:
    """Number of cores that this process may use: its CPU affinity (``taskset``, a container's cpuset) where the system
    reports one, otherwise all cores of the machine, divided by the number of processes that share them
    (:func:`share_cores`)."""
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


def read_ahead(items: Iterable[Item], count: int) -> Generator[Item, None, None]:
    """The same items in their order, computed in a separate thread while the caller processes the previous ones.

    At most ``count`` items wait for the caller. Closing the generator ends the thread at its next item, and an error of
    ``items`` is raised to the caller. The thread starts with the first item that is requested.
    """
    waiting: queue.Queue[tuple[Item] | BaseException | None] = queue.Queue(count)
    is_closed = threading.Event()

    def compute() -> None:
        iterator = iter(items)
        end: BaseException | None = None
        try:
            for item in iterator:
                waiting.put((item,))
                if is_closed.is_set():
                    break
            # Close a generator, because it may hold open files and threads.
            if isinstance(iterator, Generator):
                iterator.close()
        except BaseException as error:  # raised to the caller
            end = error
        waiting.put(end)

    thread = threading.Thread(target=compute, name=READ_AHEAD, daemon=True)
    thread.start()
    try:
        while (found := waiting.get()) is not None:
            if isinstance(found, BaseException):
                raise found
            yield found[0]
    finally:
        is_closed.set()
        while thread.is_alive():  # it may wait for a place in the queue
            with contextlib.suppress(queue.Empty):
                waiting.get(timeout=0.05)
        thread.join()


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
