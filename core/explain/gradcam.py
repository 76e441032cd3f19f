"""Grad-CAM (Selvaraju et al. 2017) at any stage: all classes and faces from one forward and one batched backward."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from core.errors import ExplainError
from core.explain.closed_form import weighted_maps
from core.explain.explanation import Contrast, Target
from core.explain.private_copy import private_copy
from core.models.network import Network


def grad_cam_maps(network: Network, inputs: Tensor, stage: str, class_indices: Sequence[int] | None = None) -> Tensor:
    """Raw Grad-CAM maps at a stage: inputs (N, channels, S, S) -> (N, K, h, w) float32; None means all classes.

    The part before the stage runs without gradients, the part behind it once with them. Works on a private copy: the
    network's mode, requires_grad flags and gradients are not touched. Raises ExplainError for a class or stage that
    it lacks.
    """
    count = network.head.out_features
    targets = checked_targets(range(count) if class_indices is None else class_indices, count)
    stage = checked_stage(network, stage)
    with torch.inference_mode(False), torch.enable_grad():
        return target_maps(private_copy(network), inputs.detach().clone(), stage, targets)


def target_maps(network: Network, inputs: Tensor, stage: str, targets: Sequence[Target]) -> Tensor:
    """As :func:`grad_cam_maps` for classes and contrasts, on a network in evaluation mode that may be used freely."""
    stem, rest = split_at(network, stage)
    with torch.no_grad():
        features = stem(inputs)
    features = features.detach().requires_grad_(True)
    logits = rest(features)
    rows = target_rows(targets, network.head.out_features).to(logits)
    (gradients,) = torch.autograd.grad(
        logits, features, rows[:, None].expand(-1, len(inputs), -1), is_grads_batched=True
    )
    return weighted_maps(features, gradients.mean(dim=(3, 4)).transpose(0, 1))


def predicted_class_maps(network: Network, inputs: Tensor, stage: str) -> tuple[Tensor, Tensor]:
    """Logits (N, K) of inputs (N, channels, S, S), and for each face the raw Grad-CAM map (N, h, w) of the class it is
    answered with; one pass through the network and one back through the part behind the stage.

    Works on a private copy, as :func:`grad_cam_maps`. Raises ExplainError for a stage it lacks.
    """
    stage = checked_stage(network, stage)
    with torch.inference_mode(False), torch.enable_grad():
        stem, rest = split_at(private_copy(network), stage)
        with torch.no_grad():
            features = stem(inputs.detach().clone())
        features = features.detach().requires_grad_(True)
        logits = rest(features)
        # The faces of a batch do not touch each other, so the gradient of the sum is each face's own.
        (gradients,) = torch.autograd.grad(logits.amax(dim=1).sum(), features)
        maps = weighted_maps(features, gradients.mean(dim=(2, 3))[:, None])[:, 0]
    return logits.detach(), maps


def target_rows(targets: Sequence[Target], classes: int) -> Tensor:
    """Targets as combinations of logits, (T, K): a class is a row of the identity, a contrast the difference of two."""
    identity = torch.eye(classes)
    return torch.stack([identity[t.a] - identity[t.b] if isinstance(t, Contrast) else identity[t] for t in targets])


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
    """The trunk up to and including a stage, and everything behind it. The modules are the network's own."""
    names = [name for name, _ in network.trunk.named_children()]
    cut = names.index(network.stages[stage].removeprefix("trunk.")) + 1
    return network.trunk[:cut], Tail(network, network.trunk[cut:])


def checked_stage(network: Network, stage: str | None) -> str:
    """The stage, or the network's default for None. Raises ExplainError naming the stages there are."""
    if stage is None:
        return network.default_stage
    children = {f"trunk.{name}" for name, _ in network.trunk.named_children()}
    usable = [name for name, path in network.stages.items() if path in children]
    if stage not in usable:
        raise ExplainError(f"this network has no stage {stage!r}; it has {', '.join(usable)}")
    return stage


def checked_targets(classes: Sequence[Target], count: int) -> tuple[Target, ...]:
    """The targets. Raises ExplainError for a class outside the network's ``count``."""
    for target in classes:
        for index in (target.a, target.b) if isinstance(target, Contrast) else (target,):
            if not 0 <= index < count:
                raise ExplainError(f"this network has no class {index}; it has {count}, numbered 0 to {count - 1}")
    return tuple(classes)
