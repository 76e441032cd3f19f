"""Saliency methods by name. A new method is one function and one call of :func:`register_method`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from core.errors import ExplainError
from core.explain.explanation import Stopped, Target
from core.models.network import Network

Needs = Literal["forward", "gradient", "forward-many", "gradient-many"]


@dataclass
class PassCounter:
    """Counts what has passed through the network, tells the caller, and stops where the caller wishes."""

    progress: Callable[[int, int], None] | None = None
    should_stop: Callable[[], bool] | None = None
    total: int = 1
    done: int = field(default=0, init=False)

    def start(self, total: int) -> None:
        """So many faces will pass, altered or not."""
        self.total = max(total, 1)
        self.advance(0)

    def advance(self, faces: int) -> None:
        """``faces`` more have passed. Raises Stopped when the caller has had enough."""
        if self.should_stop is not None and self.should_stop():
            raise Stopped(f"stopped after {self.done} of {self.total} passes")
        # A package may pass a face more than was foreseen; nobody wants to read 130 of 128.
        self.done = min(self.done + faces, self.total)
        if self.progress is not None:
            self.progress(self.done, self.total)


@dataclass(frozen=True)
class Request:
    """What a method is given. The network is a private copy: hooks, replaced layers and gradients hurt nobody."""

    network: Network
    inputs: Tensor  # (N, channels, S, S) float32 on the network's device, nobody else's
    stage: str
    targets: tuple[Target, ...]
    counter: PassCounter


MapFunction = Callable[[Request], Tensor]


@dataclass(frozen=True)
class SaliencyMethod:
    """A registered method.

    ``needs`` says what it costs: one forward, one backward a target, or many of either. ``marks_pixels``: the map has
    the input's resolution and the stage is not used. ``class_specific`` is False where all classes share one map.
    """

    name: str
    title: str
    needs: Needs
    source: str
    maps: MapFunction  # -> (N, T, h, w), raw; cells that speak for the target are positive
    marks_pixels: bool = False
    class_specific: bool = True
    summary: str = ""

    @property
    def slow(self) -> bool:
        """Worth a progress bar and a stop button."""
        return self.needs.endswith("-many")


_METHODS: dict[str, SaliencyMethod] = {}


def register_method(
    name: str, *, title: str, needs: Needs, source: str, marks_pixels: bool = False, class_specific: bool = True
) -> Callable[[MapFunction], MapFunction]:
    """Decorator for a function ``Request -> raw maps (N, T, h, w)``; its docstring's first line is shown."""

    def add(maps: MapFunction) -> MapFunction:
        if name in _METHODS:
            raise ValueError(f"the saliency method {name!r} is registered twice")
        summary = (maps.__doc__ or "").strip().split("\n")[0]
        _METHODS[name] = SaliencyMethod(name, title, needs, source, maps, marks_pixels, class_specific, summary)
        return maps

    return add


def saliency_methods() -> dict[str, SaliencyMethod]:
    """All saliency methods by name, in the order they were registered."""
    return dict(_METHODS)


def method_named(name: str) -> SaliencyMethod:
    """The method of that name. Raises ExplainError naming those there are."""
    if name not in _METHODS:
        raise ExplainError(f"there is no saliency method {name!r}; there are {', '.join(_METHODS)}")
    return _METHODS[name]


def score_of(target: Target, logits: Tensor) -> Tensor:
    """The number a target stands for, logits (..., K) -> (...)."""
    if isinstance(target, int):
        return logits[..., target]
    return logits[..., target.a] - logits[..., target.b]


def per_target(request: Request, maps_of: Callable[[Target], Tensor]) -> Tensor:
    """Maps (N, h, w) of one target after the other -> (N, T, h, w); counts the faces of each."""
    request.counter.start(len(request.inputs) * len(request.targets))
    found = []
    for target in request.targets:
        found.append(maps_of(target))
        request.counter.advance(len(request.inputs))
    return torch.stack(found, dim=1)
