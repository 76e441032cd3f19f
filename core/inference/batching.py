"""Micro-batches: calls of several threads for one network become one pass.

A call that finds a lane free runs at once, so a single user never waits. Calls that arrive while every lane is in use,
which takes a few milliseconds, form the next batch together.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from core.errors import BusyError
from core.models import NetworkOutput

MAX_IMAGES = 64  # of one batch; a call with more images runs alone
MAX_WAITING = 256  # calls, each of which is a thread that holds its images


@dataclass(eq=False)
class _Call:
    images: np.ndarray
    turn: threading.Event = field(default_factory=threading.Event)  # it is answered, or it leads the next batch
    output: NetworkOutput | None = None
    error: BaseException | None = None


class BatchQueue:
    """Calls ``run(images)`` for callers in several threads, with at most ``lanes`` passes at a time."""

    def __init__(
        self,
        run: Callable[[np.ndarray], NetworkOutput],
        *,
        lanes: int = 1,
        max_images: int = MAX_IMAGES,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._run = run
        self._free_lanes = lanes
        self._max_images, self._max_waiting = max_images, max_waiting
        self._waiting: deque[_Call] = deque()
        self._lock = threading.Lock()
        self.calls = 0  # that were answered so far
        self.passes = 0  # in which they were answered

    def __call__(self, images: np.ndarray, *, patient: bool = False) -> NetworkOutput:
        """The output for these images, (N, S, S) or (N, S, S, 3) uint8, as if the call were alone.

        Raises BusyError if too many calls are waiting, unless the call is ``patient``, and what ``run`` raises.
        """
        call = _Call(images)
        with self._lock:
            leads = self._free_lanes > 0
            if leads:
                self._free_lanes -= 1
            elif len(self._waiting) >= self._max_waiting and not patient:
                raise BusyError(f"{self._max_waiting} computations are already waiting for this network; try again")
            else:
                self._waiting.append(call)
        if not leads:
            call.turn.wait()
        if call.output is None and call.error is None:
            self._lead(call)
        if call.error is not None:
            raise call.error
        assert call.output is not None
        return call.output

    def _lead(self, call: _Call) -> None:
        """Answer ``call`` and the first of the waiting calls in one pass, then pass the lane on."""
        batch, images = [call], len(call.images)
        with self._lock:
            while self._waiting and images + len(self._waiting[0].images) <= self._max_images:
                batch.append(self._waiting.popleft())
                images += len(batch[-1].images)
            self.calls += len(batch)
            self.passes += 1
        try:
            self._answer(batch)
        finally:
            with self._lock:
                if self._waiting:
                    self._waiting.popleft().turn.set()
                else:
                    self._free_lanes += 1
            for answered in batch:
                answered.turn.set()

    def _answer(self, batch: list[_Call]) -> None:
        try:
            outputs = self._outputs([call.images for call in batch])
        except Exception as error:
            if len(batch) > 1:  # one at a time, so that only the call that fails receives its error
                for call in batch:
                    self._answer([call])
                return
            batch[0].error = error
        except BaseException as stop:  # the program ends
            for call in batch:
                call.error = stop
        else:
            for call, output in zip(batch, outputs, strict=True):
                call.output = output

    def _outputs(self, images: list[np.ndarray]) -> list[NetworkOutput]:
        if len(images) == 1:
            return [self._run(images[0])]
        output, sizes = self._run(np.concatenate(images)), [len(of_call) for of_call in images]
        pairs = zip(torch.split(output.logits, sizes), torch.split(output.features, sizes), strict=True)
        # Copies, because a view would keep the features of other photos in memory.
        return [NetworkOutput(logits.clone(), features.clone()) for logits, features in pairs]
