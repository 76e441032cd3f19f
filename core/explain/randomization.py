"""Does a map depend on what the network has learned at all? (Adebayo et al. 2018)"""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import torch
from scipy.stats import rankdata
from torch import Tensor, nn

from core.explain.explanation import Contrast
from core.explain.methods import explain
from core.models.network import Network


def cascading_randomization(
    network: Network,
    inputs: Tensor,
    target: int | Contrast,
    stage: str,
    *,
    method: str = "gradcam",
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> tuple[tuple[str, float], ...]:
    """Rank correlation of a method's map of a class or contrast with itself while the weights are randomized, from the
    head downwards: the cascading randomization of Adebayo et al. 2018.

    Each entry is a layer (``head``, then the trunk's stages from the last to the first) and Spearman's correlation, the
    mean over inputs (N, channels, S, S), once this layer and all above it are random. A map that explains the network
    falls toward 0; one that only traces edges stays high. A map without evidence, before or after, counts as 0.

    ``progress(done, total)`` counts faces that passed a network, over all maps. Works on a copy; ``network`` is not
    touched, whatever happens. Raises ExplainError for a method, class or stage there is not and for a map with a value
    that is not a number, and Stopped.
    """
    victim = copy.deepcopy(network)
    generator = torch.Generator(device=network.head.weight.device).manual_seed(seed)
    layers = [("head", victim.head), *reversed(list(victim.trunk.named_children()))]

    def maps(number: int) -> list[np.ndarray]:
        def show(done: int, total: int) -> None:
            if progress is not None:
                progress(number * total + done, (len(layers) + 1) * total)

        explanations = explain(
            victim, inputs, method=method, stage=stage, classes=target, progress=show, should_stop=should_stop
        )
        return [e.heatmap for e in explanations]

    learned = maps(0)
    found = []
    for number, (name, layer) in enumerate(layers, start=1):
        _randomize(layer, generator)
        found.append((name, float(np.mean([_spearman(a, b) for a, b in zip(learned, maps(number), strict=True)]))))
    return tuple(found)


def _randomize(layer: nn.Module, generator: torch.Generator) -> None:
    with torch.no_grad():
        for parameter in layer.parameters():
            if parameter.ndim > 1:
                # As large as the layer's own weights, so that activations keep their size.
                parameter.normal_(0.0, float(parameter.square().mean().sqrt()), generator=generator)
            else:
                shuffled = torch.randperm(len(parameter), generator=generator, device=parameter.device)
                parameter.copy_(parameter[shuffled])


def _spearman(a: np.ndarray, b: np.ndarray) -> float:
    ranks = rankdata(np.stack([a.ravel(), b.ravel()]), axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.nan_to_num(np.corrcoef(ranks)[0, 1]))
