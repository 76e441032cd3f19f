"""Which requests are answered now: a bounded number of places, and the threads that compute."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request

from core.api.limits import Limits
from core.api.problems import Problem
from core.explain import Stopped
from core.parallel import single_core_workers

Result = TypeVar("Result")
Check = Callable[[], None]  # raises Stopped when nobody waits for the result any more


class Admission:
    """The places of a server and the threads that compute what the requests in them ask for."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._threads = single_core_workers(limits.workers, "api")
        self._lock = threading.Lock()
        self.taken = 0  # places in use

    def enter(self) -> Place:
        """A place for one request; leave it whatever happens. Raises Problem with status 429 if there is none."""
        with self._lock:
            if self.taken >= self._limits.queue:
                raise Problem(
                    429,
                    f"The server is busy with {self.taken} requests, which is its limit; try again in a second.",
                    Retry_After="1",
                )
            self.taken += 1
        return Place(self._threads, self._free)

    def _free(self) -> None:
        with self._lock:
            self.taken -= 1


class Place:
    """One request's place. It is free again when the request has left and its computation has ended."""

    def __init__(self, threads: ThreadPoolExecutor, free: Callable[[], None]) -> None:
        self._threads, self._free = threads, free
        self._stop = threading.Event()
        self._computation: Future[object] | None = None

    async def compute(self, request: Request, work: Callable[[Check], Result]) -> Result:
        """The result of ``work``, which runs in a thread and calls its argument between its steps.

        Raises what ``work`` raises, and ClientDisconnect as soon as the client has gone.
        """
        computation = self._threads.submit(work, self._check)
        self._computation = computation  # type: ignore[assignment]  # only its state is of interest
        result = asyncio.wrap_future(computation)
        gone = asyncio.ensure_future(_disconnected(request))
        try:
            await asyncio.wait((result, gone), return_when=asyncio.FIRST_COMPLETED)
            if not result.done():
                raise ClientDisconnect
            return result.result()
        finally:
            gone.cancel()
            result.cancel()  # so that an error which nobody waits for is not logged

    def leave(self) -> None:
        """Give up the place. A computation that has not begun is canceled; another one ends after its step."""
        self._stop.set()
        if self._computation is None:
            self._free()
        else:
            self._computation.cancel()
            self._computation.add_done_callback(lambda _: self._free())

    def _check(self) -> None:
        if self._stop.is_set():
            raise Stopped("the client has gone")


async def _disconnected(request: Request) -> None:
    """Return when the client has gone. The body has been received, so that no other message follows."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
