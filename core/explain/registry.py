"""Saliency methods by name. A new method is one function decorated with :func:`register_method`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from core.errors import ExplainError
from core.models.network import Network

Needs = Literal["forward", "gradient", "forward-many", "gradient-many"]


@dataclass
class PassCounter:
    """Counts the faces that have passed through the network and reports them, which may end the computation."""

    progress: Callable[[int, int], None] | None = None
    total: int = 1
    done: int = field(default=0, init=False)

    def start(self, total: int) -> None:
        """Set the expected number of faces, altered or not."""
        self.total = max(total, 1)
        self.advance(0)

    def advance(self, faces: int) -> None:
        """Count ``faces`` more. Raises what ``progress`` raises."""
        # A package may pass one face more than expected; the progress must not exceed its total.
        self.done = min(self.done + faces, self.total)
        if self.progress is not None:
            self.progress(self.done, self.total)


@dataclass(frozen=True)
class Request:
    """The input of a method. The network is a private copy, which may have hooks, replaced layers and gradients."""

    network: Network
    inputs: Tensor  # (N, channels, S, S) float32 on the network's device, not shared
    stage: str
    logit_weights: Tensor  # (N, T, K): target t of face n is the sum of the logits times these weights
    counter: PassCounter

    @property
    def target_count(self) -> int:
        """T, the number of targets per face."""
        return self.logit_weights.shape[1]

    def score(self, face: int, target: int) -> Callable[[Tensor], Tensor]:
        """The function from logits (..., K) to the target's score (...)."""
        weights = self.logit_weights[face, target]
        return lambda logits: logits @ weights


MapFunction = Callable[[Request], Tensor]


@dataclass(frozen=True)
class SaliencyMethod:
    """A registered method.

    ``needs`` is its cost: one forward pass, one backward pass per target, or many of either. With ``marks_pixels`` the
    map has the input's resolution and the stage is not used. ``class_specific`` is False where all classes share one
    map.
    """

    name: str
    title: str
    needs: Needs
    source: str
    maps: MapFunction  # -> (N, T, h, w), raw; cells that support the target are positive
    marks_pixels: bool = False
    class_specific: bool = True
    summary: str = ""

    @property
    def slow(self) -> bool:
        """Whether it needs many passes, so that a caller should show progress."""
        return self.needs.endswith("-many")


_METHODS: dict[str, SaliencyMethod] = {}


def register_method(
    name: str, *, title: str, needs: Needs, source: str, marks_pixels: bool = False, class_specific: bool = True
) -> Callable[[MapFunction], MapFunction]:
    """Decorator for a function ``Request -> raw maps (N, T, h, w)``; the first line of its docstring is shown."""

    def add(maps: MapFunction) -> MapFunction:
        if name in _METHODS:
            raise ValueError(f"the saliency method {name!r} is registered twice")
        summary = (maps.__doc__ or "").strip().split("\n")[0]
        _METHODS[name] = SaliencyMethod(name, title, needs, source, maps, marks_pixels, class_specific, summary)
        return maps

    return add


def saliency_methods() -> dict[str, SaliencyMethod]:
    """All saliency methods by name, in the order of registration."""
    return dict(_METHODS)


def method_named(name: str) -> SaliencyMethod:
    """The method of that name. Raises ExplainError naming the available ones."""
    if name not in _METHODS:
        raise ExplainError(f"unknown saliency method {name!r}; available: {', '.join(_METHODS)}")
    return _METHODS[name]


def per_target(request: Request, maps_of: Callable[[int], Tensor]) -> Tensor:
    """Maps (N, h, w) of one target number after the other -> (N, T, h, w); counts the faces of each."""
    request.counter.start(len(request.inputs) * request.target_count)
    maps = []
    for target in range(request.target_count):
        maps.append(maps_of(target))
        request.counter.advance(len(request.inputs))
    return torch.stack(maps, dim=1)


def per_face_and_target(request: Request, passes: int, map_of: Callable[[Tensor, int, int], Tensor]) -> Tensor:
    """Maps (h, w) of one face (1, channels, S, S) and target after the other -> (N, T, h, w).

    ``map_of`` is given the face and the numbers of face and target, and counts its own ``passes``.
    """
    request.counter.start(len(request.inputs) * request.target_count * passes)
    faces = torch.split(request.inputs, 1)
    return torch.stack(
        [torch.stack([map_of(face, n, t) for t in range(request.target_count)]) for n, face in enumerate(faces)]
    )
