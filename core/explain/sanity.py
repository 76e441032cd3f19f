"""Does a map depend on what the network has learnt at all? (Adebayo et al. 2018)"""

from __future__ import annotations

import copy

import numpy as np
import torch
from scipy.stats import rankdata
from torch import Tensor, nn

from core.explain.gradcam import grad_cam_maps
from core.models.network import Network


def randomisation_check(
    network: Network, inputs: Tensor, class_index: int, stage: str, seed: int = 0
) -> tuple[tuple[str, float], ...]:
    """Rank correlation of the Grad-CAM map with itself while the weights are randomised, from the head downwards.

    Each entry is a layer (``head``, then the trunk's stages from the last to the first) and Spearman's correlation, the
    mean over inputs (N, channels, S, S), once this layer and all above it are random. A map that explains the network
    falls towards 0; one that only traces edges stays high. A map without evidence, before or after, counts as 0.

    Works on a copy; ``network`` is not touched. Raises ExplainError for a class or stage it lacks.
    """
    learnt = grad_cam_maps(network, inputs, stage, [class_index])
    victim = copy.deepcopy(network)
    generator = torch.Generator(device=network.head.weight.device).manual_seed(seed)
    layers = [("head", victim.head), *reversed(list(victim.trunk.named_children()))]
    found = []
    for name, layer in layers:
        _randomise(layer, generator)
        maps = grad_cam_maps(victim, inputs, stage, [class_index])
        found.append((name, float(np.mean([_spearman(a, b) for a, b in zip(learnt, maps, strict=True)]))))
    return tuple(found)


def _randomise(layer: nn.Module, generator: torch.Generator) -> None:
    with torch.no_grad():
        for parameter in layer.parameters():
            if parameter.ndim > 1:
                # As large as the layer's own weights, so that activations keep their size.
                parameter.normal_(0.0, float(parameter.square().mean().sqrt()), generator=generator)
            else:
                shuffled = torch.randperm(len(parameter), generator=generator, device=parameter.device)
                parameter.copy_(parameter[shuffled])


def _spearman(a: Tensor, b: Tensor) -> float:
    ranks = rankdata(np.stack([a.cpu().numpy().ravel(), b.cpu().numpy().ravel()]), axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.nan_to_num(np.corrcoef(ranks)[0, 1]))
