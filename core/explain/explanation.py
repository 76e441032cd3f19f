"""What an explanation is, and what can go wrong while making one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from core.errors import ExplainError


class Stopped(Exception):  # noqa: N818  (nothing went wrong: somebody asked for it)
    """A slow method was stopped by the caller's ``should_stop``."""


@dataclass(frozen=True)
class Contrast:
    """What speaks for class ``a`` rather than class ``b``: the target is logit a - logit b."""

    a: int
    b: int

    def __post_init__(self) -> None:
        if self.a == self.b:
            raise ExplainError(f"a contrast needs two different classes, got class {self.a} against itself")


Target = int | Contrast


@dataclass(frozen=True, eq=False)
class Explanation:
    """Where one network looked on one face, for one class.

    ``heatmap`` has the resolution of the stage it was computed at (``layer``; "input" for methods that mark pixels);
    its highest cell is 1. ``evidence`` is that cell before normalizing, 0 or less where nothing speaks for the class:
    the heatmap is all zeros then. ``against`` is the class this one is contrasted with.
    """

    model_id: str
    method: str
    class_index: int
    layer: str
    heatmap: np.ndarray  # (H, W) float32 in [0, 1]
    evidence: float
    against: int | None = None

    def __post_init__(self) -> None:
        heatmap = self.heatmap
        if heatmap.ndim != 2 or heatmap.dtype != np.float32:
            raise ExplainError(f"a heatmap must be float32 of shape (H, W), got {heatmap.dtype} {heatmap.shape}")
        # Negated, so that a NaN is refused too.
        if not (heatmap.size and heatmap.min() >= 0 and heatmap.max() <= 1):
            raise ExplainError("the cells of a heatmap must lie in [0, 1]")

    @property
    def has_evidence(self) -> bool:
        """False where the map has no positive cell: *no evidence for this class*."""
        return self.evidence > 0


def on_common_scale(explanations: Iterable[Explanation]) -> list[Explanation]:
    """The maps of one face, network and method, divided by the highest evidence among them instead of each by its own.

    Comparable across classes: a class with a tenth of the evidence is a tenth as bright.
    """
    all_maps = list(explanations)
    highest = max((e.evidence for e in all_maps if e.has_evidence), default=1.0)
    return [replace(e, heatmap=np.float32(e.evidence / highest) * e.heatmap) if e.has_evidence else e for e in all_maps]
