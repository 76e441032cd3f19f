"""Small work beside other busy programs: one core for each piece, and none waits for another."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from core.cores import core_count

MOST = 4  # pieces at a time
Item = TypeVar("Item")
Result = TypeVar("Result")


def one_core_map(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """``work`` on each item, in the order of the items, each on one core, at most four at a time.

    Raises what ``work`` raises. For a face or two: the many short steps of a network on all cores wait for the slowest
    core each time, which takes twice as long where another core is drawing the browser's page.
    """
    return list(_workers().map(work, items))


@functools.cache
def _workers() -> ThreadPoolExecutor:
    threads, count = torch.get_num_threads(), min(MOST, core_count())
    workers = ThreadPoolExecutor(count, thread_name_prefix="one-core", initializer=_limit)
    together = threading.Barrier(count)
    list(workers.map(lambda _: together.wait(), range(count)))  # every thread begins now
    # The limit holds for those threads, but PyTorch would also hand it on to every thread that begins later.
    torch.set_num_threads(threads)
    return workers


def _limit() -> None:
    torch.get_num_threads()  # a thread takes the default when it first asks, which must not come after the limit
    torch.set_num_threads(1)
