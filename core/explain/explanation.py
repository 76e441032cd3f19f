"""The result of a saliency method, and the errors of computing one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from core.errors import ExplainError

Scale = Literal["own", "common"]


class Stopped(Exception):  # noqa: N818  (not an error: the caller requested it)
    """Raised by a caller's ``progress`` to end the computation."""


@dataclass(frozen=True)
class Contrast:
    """Evidence for class ``a`` rather than class ``b``: the target is logit a - logit b."""

    a: int
    b: int

    def __post_init__(self) -> None:
        if self.a == self.b:
            raise ExplainError(f"a contrast needs two different classes, got class {self.a} twice")


Target = int | Contrast


@dataclass(frozen=True, eq=False)
class Explanation:
    """The saliency map of one network for one face and one target.

    ``heatmap`` has the resolution of its stage; its highest cell is 1 on the map's own scale. ``evidence`` is that cell
    before normalizing; it is 0 or less where nothing supports the target, and the heatmap is then all zeros.
    """

    model_id: str
    method: str
    target: Target
    stage: str  # "input" for methods that mark pixels
    heatmap: np.ndarray  # (H, W) float32 in [0, 1]
    evidence: float

    def __post_init__(self) -> None:
        heatmap = self.heatmap
        if heatmap.ndim != 2 or heatmap.dtype != np.float32:
            raise ExplainError(f"a heatmap must be float32 of shape (H, W), got {heatmap.dtype} {heatmap.shape}")
        # Negated, so that NaN is refused as well.
        if not (heatmap.size and heatmap.min() >= 0 and heatmap.max() <= 1):
            raise ExplainError("the cells of a heatmap must lie in [0, 1]")

    @property
    def class_index(self) -> int:
        """The class that the map is evidence for."""
        return self.target.a if isinstance(self.target, Contrast) else self.target

    @property
    def against(self) -> int | None:
        """The class that it is contrasted with, if any."""
        return self.target.b if isinstance(self.target, Contrast) else None

    @property
    def has_evidence(self) -> bool:
        """Whether the map has a positive cell."""
        return self.evidence > 0


def on_common_scale(explanations: Iterable[Explanation]) -> tuple[Explanation, ...]:
    """The maps of one face, network and method, divided by the highest evidence among them instead of each by its own,
    so that a class with a tenth of the evidence is a tenth as bright."""
    found = tuple(explanations)
    highest = max((e.evidence for e in found if e.has_evidence), default=1.0)
    return tuple(
        replace(e, heatmap=np.float32(e.evidence / highest) * e.heatmap) if e.has_evidence else e for e in found
    )
