"""Optimizers, learning rates and weight averages."""

from __future__ import annotations

import copy
import math

import torch
from torch import nn

from core.models import Network
from core.training.recipe import Recipe


def make_optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimizer. Weight decay is not applied to norms and biases, which it would only shrink."""
    decayed = [p for p in network.parameters() if p.requires_grad and p.ndim > 1]
    undecayed = [p for p in network.parameters() if p.requires_grad and p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": undecayed, "weight_decay": 0.0}]
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=recipe.learning_rate, momentum=recipe.momentum, nesterov=recipe.momentum > 0)
    kind = torch.optim.AdamW if recipe.optimizer == "adamw" else torch.optim.Adam
    # The fused form has a tenth of the kernels to launch, which a GPU would otherwise wait for.
    return kind(groups, lr=recipe.learning_rate, fused=torch.cuda.is_available() or None)


def learning_rate_at(recipe: Recipe, step: int, total_steps: int) -> float:
    """The learning rate of one optimizer step, for the schedules that depend on the step alone.

    one_cycle (Smith & Topin 2019): from peak/25 up to the peak and down to peak/10,000, both along a cosine.
    warmup_cosine: linear from 0, then a cosine down to 0.
    """
    peak, warm_steps = recipe.learning_rate, max(1, round(recipe.warmup * total_steps))
    if recipe.schedule in ("constant", "plateau"):
        return peak
    rising = step < warm_steps
    progress = step / warm_steps if rising else (step - warm_steps) / max(1, total_steps - warm_steps)
    falling = (1 + math.cos(math.pi * progress)) / 2  # 1 -> 0
    if recipe.schedule == "one_cycle":
        low, high = (peak / 25, peak) if rising else (peak / 1e4, peak)
        return low + (high - low) * ((1 - falling) if rising else falling)
    return peak * (progress if rising else falling)


def plateau_factor(val_losses: list[float], patience: int = 3) -> float:
    """The learning rate's factor: halved after every ``patience`` epochs in a row without a lower validation loss."""
    best, stale, factor = math.inf, 0, 1.0
    for loss in val_losses:
        if loss < best:
            best, stale = loss, 0
        else:
            stale += 1
            if stale >= patience:
                factor, stale = factor / 2, 0
    return factor


class WeightAverage:
    """Exponential moving average of weights and batch-norm statistics (Polyak averaging)."""

    def __init__(self, network: Network, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.network = copy.deepcopy(network).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Move toward ``network``; with a smaller decay at first, to forget the random initial weights."""
        self.updates += 1
        weight = 1 - min(self.decay, self.updates / (self.updates + 9))
        current = network.state_dict()
        averaged, latest = [], []
        for name, value in self.network.state_dict().items():
            if value.is_floating_point():
                averaged.append(value)
                latest.append(current[name])
            else:
                value.copy_(current[name])
        torch._foreach_lerp_(averaged, latest, weight)
