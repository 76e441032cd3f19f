"""Does a map depend on what the network has learned? (Adebayo et al. 2018)"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from core.explain.explanation import Target
from core.explain.faithfulness import rank_agreement
from core.explain.saliency import explain
from core.models.network import Network


class RandomizationStep(NamedTuple):
    """A map compared with the map of the same network after this layer and all layers above it were randomized."""

    layer: str  # "head", then the stages of the trunk from the last to the first
    correlation: float  # Spearman, mean over the faces with two maps; NaN: no map to compare

    @property
    def has_map(self) -> bool:
        """Whether there were two maps to compare; if not, the step gives no information about the method."""
        return not math.isnan(self.correlation)


def cascading_randomization(
    network: Network,
    inputs: Tensor,
    target: Target,
    stage: str,
    *,
    method: str = "gradcam",
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[RandomizationStep, ...]:
    """Rank correlation of a method's map with its maps while the weights are randomized from the head downward: the
    cascading randomization of Adebayo et al. 2018, for inputs (N, channels, S, S).

    A map that explains the network falls toward 0; one that only traces edges stays high. A face without evidence, or
    with a constant map, before or after the randomization has no map to compare and is left out of the mean.

    ``progress(done, total)`` counts faces that passed through a network, over all maps. The computation uses a copy, so
    ``network`` never changes. Raises ExplainError for an unknown method, class or stage and for a map with NaN.
    """
    randomized = copy.deepcopy(network)
    generator = torch.Generator(device=network.head.weight.device).manual_seed(seed)
    layers = [("head", randomized.head), *reversed(list(randomized.trunk.named_children()))]

    def maps(number: int) -> list[np.ndarray]:
        def show(done: int, total: int) -> None:
            if progress is not None:
                progress(number * total + done, (len(layers) + 1) * total)

        found = explain(randomized, inputs, method=method, stage=stage, targets=target, progress=show)
        return [e.heatmap for e in found]

    learned = maps(0)
    steps = []
    for number, (name, layer) in enumerate(layers, start=1):
        _randomize(layer, generator)
        correlations = [rank_agreement([a, b])[0, 1] for a, b in zip(learned, maps(number), strict=True)]
        compared = [c for c in correlations if not math.isnan(c)]
        steps.append(RandomizationStep(name, float(np.mean(compared)) if compared else math.nan))
    return tuple(steps)


def _randomize(layer: nn.Module, generator: torch.Generator) -> None:
    with torch.no_grad():
        for parameter in layer.parameters():
            if parameter.ndim > 1:
                # As large as the layer's own weights, so that activations keep their scale.
                parameter.normal_(0.0, float(parameter.square().mean().sqrt()), generator=generator)
            else:
                shuffled = torch.randperm(len(parameter), generator=generator, device=parameter.device)
                parameter.copy_(parameter[shuffled])
