"""The engine on this machine: other processes or threads decode the photos, the caller's runs the networks."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial

from core.batch.entry import Entry
from core.batch.listing import PhotoSource
from core.batch.part import Part, ScoredPart
from core.batch.scorer import Preparation, PreparedFile, Scorer
from core.errors import ImageError
from core.interrupts import deferred_interrupts, without_interrupts
from core.parallel import share_cores

PARTS_AHEAD = 2  # that are prepared while the networks run
FILES_PER_TASK = 4  # sent to a process at once
ATTEMPTS = 2  # of a file alone in a process, before it is blamed for the end of the process

Prepare = Callable[[Sequence[Entry]], list[PreparedFile]]
Start = Callable[[], tuple[Executor, Prepare]]


def score_locally(parts: Iterable[Part], scorer: Scorer, start: Start) -> Generator[ScoredPart, None, None]:
    """The parts in their order, scored as they are prepared by :func:`in_processes` or :func:`in_threads`."""
    workers = _Workers(start)
    try:
        for part, files in workers.prepared(parts):
            yield ScoredPart(part, scorer.rows(files), files)
    finally:
        workers.close()


def in_processes(source: PhotoSource, preparation: Preparation, count: int) -> Start:
    """Preparation in ``count`` processes; a photo that ends its process is reported like one that cannot be read."""

    def start() -> tuple[Executor, Prepare]:
        # Forked from a process that has imported everything, where the system can do that: not from this one, whose
        # threads and locks a fork would copy in an undefined state.
        forks = "forkserver" in multiprocessing.get_all_start_methods()
        context = multiprocessing.get_context("forkserver" if forks else "spawn")
        if forks:
            from multiprocessing import forkserver

            context.set_forkserver_preload([__name__])
            with without_interrupts():  # which would end its imports with a traceback
                forkserver.ensure_running()
        return ProcessPoolExecutor(
            count, context, initializer=_begin, initargs=(source, preparation, count)
        ), _prepared_here

    return start


def in_threads(source: PhotoSource, preparation: Preparation, count: int) -> Start:
    """Preparation in ``count`` threads, for a server that should not start processes for a session."""
    return lambda: (ThreadPoolExecutor(count, thread_name_prefix="batch"), partial(_prepared, source, preparation))


class _Workers:
    """Prepares the files of parts, a few parts ahead of the caller."""

    def __init__(self, start: Start) -> None:
        self._start = start
        self._executor, self._prepare = start()

    def prepared(self, parts: Iterable[Part]) -> Iterator[tuple[Part, tuple[PreparedFile, ...]]]:
        waiting: deque[tuple[Part, list[Future[list[PreparedFile]]]]] = deque()
        for part in parts:
            waiting.append((part, self._submitted(part)))
            if len(waiting) > PARTS_AHEAD:
                yield self._collected(*waiting.popleft())
        while waiting:
            yield self._collected(*waiting.popleft())

    def close(self) -> None:
        with without_interrupts():  # a process that starts while this one ends would end with a traceback
            self._executor.shutdown(cancel_futures=True)

    def _submitted(self, part: Part) -> list[Future[list[PreparedFile]]]:
        tasks = [part.entries[i : i + FILES_PER_TASK] for i in range(0, len(part.entries), FILES_PER_TASK)]
        return [self._submit(entries) for entries in tasks]

    def _submit(self, entries: Sequence[Entry]) -> Future[list[PreparedFile]]:
        with deferred_interrupts():  # a call may start a process
            try:
                return self._executor.submit(self._prepare, entries)
            except BrokenExecutor:
                self.close()
                self._executor, self._prepare = self._start()
                return self._executor.submit(self._prepare, entries)

    def _collected(
        self, part: Part, tasks: Sequence[Future[list[PreparedFile]]]
    ) -> tuple[Part, tuple[PreparedFile, ...]]:
        try:
            return part, tuple(file for task in tasks for file in task.result())
        except BrokenExecutor:  # a process has ended; which file it was working on is not known
            return part, tuple(self._alone(entry) for entry in part.entries)

    def _alone(self, entry: Entry) -> PreparedFile:
        for _ in range(ATTEMPTS):
            try:
                (file,) = self._submit([entry]).result()
            except BrokenExecutor:
                continue
            return file
        return PreparedFile.unreadable(
            entry, ImageError("the process that read the file was ended by the system, probably for lack of memory")
        )


def _prepared(source: PhotoSource, preparation: Preparation, entries: Sequence[Entry]) -> list[PreparedFile]:
    return [preparation.of_entry(source, entry) for entry in entries]


_here: Prepare | None = None  # of a worker process; sent once, because a source may hold an open file


def _begin(source: PhotoSource, preparation: Preparation, processes: int) -> None:
    global _here
    share_cores(processes)
    _here = partial(_prepared, source, preparation)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that stores the results
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _prepared_here(entries: Sequence[Entry]) -> list[PreparedFile]:
    assert _here is not None, "the process was not initialized"
    return _here(entries)


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for its next task forever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
