"""Grad-CAM (Selvaraju et al. 2017) at any stage: all targets and faces from one forward and one backward pass."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.errors import ExplainError
from core.explain.closed_form import weighted_maps
from core.models.network import Network


def gradient_maps(network: Network, inputs: Tensor, stage: str, logit_weights: Tensor) -> Tensor:
    """Raw Grad-CAM maps at a stage: inputs (N, channels, S, S), logit_weights (N, T, K) -> (N, T, h, w) float32.

    The part before the stage runs without gradients, the part after it once with them. ``network`` is in evaluation
    mode and not shared.
    """
    stem, rest = split_at(network, stage)
    with torch.no_grad():
        features = stem(inputs)
    features = features.detach().requires_grad_(True)
    logits = rest(features)
    # The faces of a batch do not interact, so the gradient of their sum is each face's own.
    (gradients,) = torch.autograd.grad(logits, features, logit_weights.transpose(0, 1), is_grads_batched=True)
    return weighted_maps(features, gradients.mean(dim=(3, 4)).transpose(0, 1))


class Tail(nn.Module):
    """What follows a stage: the rest of the trunk, pooling and head; features -> logits."""

    def __init__(self, network: Network, rest: nn.Sequential) -> None:
        super().__init__()
        self.rest = rest
        self.dropout = network.dropout
        self.head = network.head

    def forward(self, features: Tensor) -> Tensor:
        """features at the stage, (N, C, h, w) -> logits (N, K)"""
        pooled = self.rest(features).mean(dim=(2, 3))
        logits: Tensor = self.head(self.dropout(pooled))
        return logits


def split_at(network: Network, stage: str) -> tuple[nn.Sequential, Tail]:
    """The trunk up to and including a stage, and everything after it. The modules are the network's own."""
    names = [name for name, _ in network.trunk.named_children()]
    cut = names.index(network.stages[stage].removeprefix("trunk.")) + 1
    return network.trunk[:cut], Tail(network, network.trunk[cut:])


def checked_stage(network: Network, stage: str | None) -> str:
    """The stage, or the network's default for None. Raises ExplainError naming the available stages."""
    if stage is None:
        return network.default_stage
    children = {f"trunk.{name}" for name, _ in network.trunk.named_children()}
    usable = [name for name, path in network.stages.items() if path in children]
    if stage not in usable:
        raise ExplainError(f"this network has no stage {stage!r}; it has {', '.join(usable)}")
    return stage
