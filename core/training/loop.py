"""The training loop, top to bottom: one function per epoch, and a run folder from which every epoch can be resumed."""

from __future__ import annotations

import copy
import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.checkpoints.history import EpochRow, best_epoch
from core.errors import TrainingError
from core.inference import infer_logits
from core.models import Network, build_network, build_unfilled
from core.preprocessing import Preprocessing
from core.training.augmentation import augment, mix
from core.training.fabric import Fabric, hardware
from core.training.recipe import Recipe
from core.training.run_folder import RunFolder
from core.training.schedules import WeightAverage, learning_rate_at, make_optimizer, plateau_factor
from core.training.targets import TrainingData


class TrainingStopped(Exception):  # noqa: N818  (like KeyboardInterrupt, not an error)
    """Raised by a progress function to end a run after the epoch it was called for, which is stored."""


# The recipe of the run, which may be one that another builds on, its finished epoch and the seconds that it has left.
Progress = Callable[[Recipe, EpochRow, float], None]


def fit(
    recipe: Recipe,
    data: TrainingData,
    preprocessing: Preprocessing,
    run: RunFolder,
    origin: Mapping[str, Any],
    *,
    fabric: Fabric,
    state: Mapping[str, Any] | None = None,
    start: Mapping[str, Tensor] | None = None,
    store_every_s: float = 0.0,
    progress: Progress | None = None,
) -> list[EpochRow]:
    """Train, or resume from ``state``, and return the history; ``origin`` is stored with every state.

    ``start`` are the first weights, random ones without it. An epoch is stored if the last one was stored at least
    ``store_every_s`` ago: on a GPU, writing a state takes as long as an epoch. Every epoch draws from generators seeded
    by its number, so a run that was interrupted and resumed ends with the weights of one that was not (same kind of
    device and number of threads). Raises TrainingError where the loss is no longer finite or an epoch cannot be stored;
    the epochs that were stored before remain.
    """
    fabric.seed_everything(recipe.seed, verbose=False)
    shape: dict[str, Any] = {"classes": data.classes, "channels": recipe.channels}
    if state is None and start is None:
        network = build_network(recipe.architecture, **shape, **recipe.model)
    else:  # other weights replace the first ones, which may have to be downloaded
        network = build_unfilled(recipe.architecture, **shape, options=recipe.model)
    if start is not None:
        network.load_state_dict(start)
    network = network.to(memory_format=torch.channels_last)
    average = WeightAverage(network, recipe.ema) if recipe.ema else None
    wrapped, optimizer = fabric.setup(network, make_optimizer(network, recipe))
    data = data.to(fabric.device)
    history: list[EpochRow] = []
    if average:
        average.network.to(fabric.device)
    if state is not None:
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        history = [EpochRow(**row) for row in state["history"]]
        if average:
            average.network.load_state_dict(state["average"])
            average.updates = state["average_updates"]

    # Where the epochs were trained: a run may be resumed on another machine.
    used = list(dict.fromkeys([*(state or {}).get("hardware", ()), hardware(fabric)]))
    best: Network | None = None  # the network of the best epoch, while it is not stored
    stored_epochs, stored_at = len(history), time.perf_counter()

    def store() -> None:
        nonlocal stored_epochs, stored_at
        if not fabric.is_global_zero or stored_epochs == len(history):
            return
        values = {
            **origin,
            "epoch": len(history),
            "hardware": used,
            "best_epoch": best_epoch([r.val_accuracy for r in history]),
            "history": [dataclasses.asdict(row) for row in history],
            "network": network.state_dict(),
            "optimizer": optimizer.state_dict(),
        }
        if average:
            values |= {"average": average.network.state_dict(), "average_updates": average.updates}
        run.save_epoch(values, best)
        stored_epochs, stored_at = len(history), time.perf_counter()

    try:
        while len(history) < recipe.epochs:
            started = time.perf_counter()
            epoch = len(history)
            rate_factor = plateau_factor([r.val_loss for r in history]) if recipe.schedule == "plateau" else 1.0
            train_loss, train_accuracy, rate = _train_epoch(
                fabric, wrapped, optimizer, average, recipe, data, preprocessing, epoch, rate_factor
            )
            evaluated = average.network if average else network
            # Of one process: they differ slightly between processes, which have to halve the learning rate together.
            val_loss, val_accuracy = fabric.broadcast(_validate(evaluated, data, preprocessing))
            seconds = time.perf_counter() - started
            row = EpochRow(epoch + 1, train_loss, train_accuracy, val_loss, val_accuracy, rate, seconds)
            _check_finite(row, recipe, run)
            history.append(row)
            if best_epoch([r.val_accuracy for r in history]) == row.epoch:
                best = copy.deepcopy(evaluated)
            if time.perf_counter() - stored_at >= store_every_s or len(history) == recipe.epochs:
                store()
            if progress and fabric.is_global_zero:
                last = history[-3:]
                progress(recipe, row, (recipe.epochs - len(history)) * sum(r.seconds for r in last) / len(last))
    except TrainingStopped:
        store()
        raise
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"Stopped {recipe.name} after epoch {stored_epochs} of {recipe.epochs}; run the same command again to "
            "resume."
        ) from None
    return history


def _check_finite(row: EpochRow, recipe: Recipe, run: RunFolder) -> None:
    if not (math.isfinite(row.train_loss) and math.isfinite(row.val_loss)):
        raise TrainingError(
            f"{recipe.name}: the loss became NaN or infinite in epoch {row.epoch}; {run.finished_epochs()} epochs are "
            f"stored in {run.path}. Give the recipe a lower learning_rate, or a clip_norm, and another name"
        )


def _train_epoch(
    fabric: Fabric,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: WeightAverage | None,
    recipe: Recipe,
    data: TrainingData,
    preprocessing: Preprocessing,
    epoch: int,
    rate_factor: float,
) -> tuple[float, float, float]:
    """One pass over the training images; returns mean loss, accuracy and the last learning rate."""
    network.train()
    torch.manual_seed(recipe.seed * 100_003 + epoch)  # dropout
    shared = torch.Generator().manual_seed(recipe.seed * 100_003 + epoch)  # the same order in every process
    device = data.images.device
    own = torch.Generator(device).manual_seed((recipe.seed * 100_003 + epoch) * 1009 + fabric.global_rank)
    order = torch.randperm(len(data.images), generator=shared)
    batch_size = max(1, recipe.batch_size // fabric.world_size)
    steps = max(1, len(order) // (batch_size * fabric.world_size))
    order = order[fabric.global_rank :: fabric.world_size].to(device)
    # At least once per epoch, because the average is what is validated and published.
    average_every = min(recipe.ema_every, steps)
    class_weights = _class_weights(data, recipe)
    loss_sum, correct, seen, rate = torch.zeros((), device=device), torch.zeros((), device=device), 0, 0.0

    for step in range(steps):
        rate = learning_rate_at(recipe, epoch * steps + step, recipe.epochs * steps) * rate_factor
        for group in optimizer.param_groups:
            group["lr"] = rate
        rows = order[step * batch_size : (step + 1) * batch_size]
        images, targets = make_batch(data, rows, recipe, preprocessing, own, recipe.side_px(epoch))
        logits = network(images).logits.float()
        loss = _loss(logits, targets, recipe, class_weights)
        optimizer.zero_grad()
        fabric.backward(loss)
        if recipe.clip_norm:
            fabric.clip_gradients(network, optimizer, max_norm=recipe.clip_norm, error_if_nonfinite=False)
        optimizer.step()
        if average and (step + 1) % average_every == 0:
            average.update(getattr(network, "module", network))
        # Sums stay on the device: reading a number each step would make a GPU wait.
        loss_sum += loss.detach() * len(rows)
        correct += (logits.detach().argmax(1) == targets.argmax(1)).sum()
        seen += len(rows)

    totals = fabric.all_reduce(
        torch.stack([loss_sum, correct, torch.tensor(float(seen), device=device)]), reduce_op="sum"
    )
    return float(totals[0] / totals[2]), float(totals[1] / totals[2]), rate


def make_batch(
    data: TrainingData,
    rows: Tensor,
    recipe: Recipe,
    preprocessing: Preprocessing,
    generator: torch.Generator,
    side_px: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Augmented, normalized images (B, C, side_px, side_px) and soft targets (B, K) for those rows."""
    images, targets = data.images[rows], data.targets[rows]
    batch = images.unsqueeze(1) if images.ndim == 3 else images.permute(0, 3, 1, 2)
    batch = augment(batch.float().div_(255.0), recipe.augmentation, generator, side_px)
    batch = (batch - preprocessing.mean) / preprocessing.std
    if recipe.mixup or recipe.cutmix:
        batch, targets = mix(batch, targets, recipe, generator)
    return batch.contiguous(memory_format=torch.channels_last), targets


def _loss(logits: Tensor, targets: Tensor, recipe: Recipe, class_weights: Tensor | None) -> Tensor:
    losses = F.cross_entropy(logits, targets, label_smoothing=recipe.label_smoothing, reduction="none")
    if class_weights is None:
        return losses.mean()
    weights = class_weights[targets.argmax(1)]
    return (losses * weights).sum() / weights.sum()


def _class_weights(data: TrainingData, recipe: Recipe) -> Tensor | None:
    if recipe.class_weights == "none":
        return None
    counts = torch.bincount(data.truth, minlength=data.classes).float()
    return counts.sum() / (data.classes * counts.clamp(min=1))


def _validate(network: Network, data: TrainingData, preprocessing: Preprocessing) -> tuple[float, float]:
    """Cross-entropy and accuracy on the validation images, at the size and precision of use."""
    logits = infer_logits(network, preprocessing, data.val_images)
    accuracy = (logits.argmax(1) == data.val_truth).float().mean()
    return float(F.cross_entropy(logits, data.val_truth)), float(accuracy)
