"""Small work beside other busy programs, on one core and without waiting for another."""

from __future__ import annotations

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Result = TypeVar("Result")


def on_one_core(work: Callable[[], Result]) -> Result:
    """What ``work`` returns or raises, done in a thread of its own in which PyTorch uses one core; one at a time.

    For a face or two. A network's many short steps on all cores wait for the slowest of them each time, which on a
    machine whose other core is drawing the browser's page takes twice as long as one core alone.
    """
    return _worker().submit(work).result()


@functools.cache
def _worker() -> ThreadPoolExecutor:
    threads = torch.get_num_threads()
    worker = ThreadPoolExecutor(1, thread_name_prefix="one-core")
    worker.submit(_limit).result()
    # The limit holds for that thread, but PyTorch would also hand it on to every thread that begins later.
    torch.set_num_threads(threads)
    return worker


def _limit() -> None:
    torch.get_num_threads()  # a thread takes the default when it first asks, which must not come after the limit
    torch.set_num_threads(1)
