"""The training loop, top to bottom: one function an epoch, one file of state, resumable after every epoch."""

from __future__ import annotations

import csv
import dataclasses
import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from safetensors.torch import save_file
from torch import Tensor, nn

from core.inference import infer_logits
from core.models import Network, build_network
from core.preprocessing import Preprocessing
from core.training.augmentation import augment, mix
from core.training.recipe import Recipe
from core.training.schedules import WeightAverage, learning_rate_at, make_optimizer, plateau_factor


@dataclass(frozen=True)
class EpochRow:
    """One row of history.csv. The training figures are running ones, on augmented images, while the weights move."""

    epoch: int  # from 1
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float
    seconds: float


@dataclass(frozen=True)
class ResidentData:
    """Both splits as tensors on the training device; images stay uint8 until a batch is made."""

    images: Tensor  # (N, S, S) or (N, S, S, 3) uint8
    targets: Tensor  # (N, K) float32, rows sum to 1: one-hot, or mixed with votes
    truth: Tensor  # (N,) int64
    val_images: Tensor
    val_truth: Tensor
    classes: int

    def to(self, device: torch.device) -> ResidentData:
        """The same data on another device."""
        return ResidentData(
            images=self.images.to(device),
            targets=self.targets.to(device),
            truth=self.truth.to(device),
            val_images=self.val_images.to(device),
            val_truth=self.val_truth.to(device),
            classes=self.classes,
        )


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during training; the last finished epoch is on disk."""


Progress = Callable[[EpochRow, float], None]  # the finished epoch and the seconds left


def fit(
    recipe: Recipe,
    data: ResidentData,
    preprocessing: Preprocessing,
    run_dir: Path,
    *,
    fabric: Fabric | None = None,
    start: Mapping[str, Tensor] | None = None,
    progress: Progress | None = None,
) -> list[EpochRow]:
    """Train, or go on from the last finished epoch in ``run_dir``; returns the history.

    Writes ``history.csv``, ``state.pt`` (to resume) and ``best.safetensors`` (highest validation accuracy; the weight
    average where the recipe has one). ``start`` are the first weights, random ones without it. Every epoch draws from
    generators seeded by its number, so a run interrupted and resumed gives the weights of one that was not (same
    device kind and thread count).
    """
    fabric = fabric or make_fabric(recipe)
    run_dir.mkdir(parents=True, exist_ok=True)
    fabric.seed_everything(recipe.seed, verbose=False)
    network = build_network(recipe.architecture, classes=data.classes, channels=recipe.channels, **recipe.model)
    if start is not None:
        network.load_state_dict(start)
    network = network.to(memory_format=torch.channels_last)
    average = WeightAverage(network, recipe.ema) if recipe.ema else None
    optimizer = make_optimizer(network, recipe)
    wrapped, optimizer = fabric.setup(network, optimizer)
    if average:
        average.network.to(fabric.device)
    data = data.to(fabric.device)

    state: dict[str, Any] = {"network": network, "optimizer": optimizer, "epoch": 0, "history": [], "best": -1.0}
    if average:
        state |= {"average": average.network, "average_updates": 0}
    state_path = run_dir / "state.pt"
    if state_path.is_file():
        fabric.load(state_path, state)
    history = [EpochRow(**row) for row in state["history"]]
    if average:
        average.updates = state["average_updates"]

    try:
        for epoch in range(state["epoch"], recipe.epochs):
            started = time.perf_counter()
            rate_factor = plateau_factor([r.val_loss for r in history]) if recipe.schedule == "plateau" else 1.0
            train_loss, train_accuracy, rate = _train_epoch(
                fabric, wrapped, optimizer, average, recipe, data, preprocessing, epoch, rate_factor
            )
            judged = average.network if average else network
            val_loss, val_accuracy = _validate(judged, data, preprocessing)
            seconds = time.perf_counter() - started
            row = EpochRow(epoch + 1, train_loss, train_accuracy, val_loss, val_accuracy, rate, seconds)
            history.append(row)
            if fabric.is_global_zero and val_accuracy > state["best"]:
                _save_weights(judged, run_dir / "best.safetensors")
            state["best"] = max(state["best"], val_accuracy)
            state["epoch"], state["history"] = epoch + 1, [dataclasses.asdict(r) for r in history]
            if average:
                state["average_updates"] = average.updates
            _save_state(fabric, state_path, state)
            if fabric.is_global_zero:
                _write_history(run_dir / "history.csv", history)
                if progress:
                    left = recipe.epochs - len(history)
                    progress(row, left * sum(r.seconds for r in history[-3:]) / len(history[-3:]))
    except KeyboardInterrupt:
        raise Interrupted(
            f"stopped after epoch {state['epoch']} of {recipe.epochs}; the same command goes on"
        ) from None
    return history


def finished_epochs(run_dir: Path) -> int:
    """How many epochs a run folder holds; 0 where nothing was begun."""
    history = run_dir / "history.csv"
    return len(history.read_text(encoding="utf-8").splitlines()) - 1 if history.is_file() else 0


def make_fabric(recipe: Recipe) -> Fabric:
    """Fabric for this machine: all GPUs, else the CPU; the processes that ``torchrun`` started, where it did."""
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it announces the precision on every start
    processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))  # set by torchrun
    devices: int | str = "auto" if torch.cuda.is_available() else processes
    fabric = Fabric(accelerator="auto", devices=devices, precision=recipe.precision)  # type: ignore[arg-type]
    fabric.launch()
    return fabric


def _train_epoch(
    fabric: Fabric,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: WeightAverage | None,
    recipe: Recipe,
    data: ResidentData,
    preprocessing: Preprocessing,
    epoch: int,
    rate_factor: float,
) -> tuple[float, float, float]:
    """One pass over the training images; returns mean loss, accuracy and the last learning rate."""
    network.train()
    torch.manual_seed(recipe.seed * 100_003 + epoch)  # dropout
    shared = torch.Generator().manual_seed(recipe.seed * 100_003 + epoch)  # the same order in every process
    own = torch.Generator().manual_seed((recipe.seed * 100_003 + epoch) * 1009 + fabric.global_rank)
    order = torch.randperm(len(data.images), generator=shared)
    batch_size = max(1, recipe.batch_size // fabric.world_size)
    steps = max(1, len(order) // (batch_size * fabric.world_size))
    order = order[fabric.global_rank :: fabric.world_size]
    class_weights = _class_weights(data, recipe)
    loss_sum, correct, seen, rate = torch.zeros(()), torch.zeros(()), 0, 0.0

    for step in range(steps):
        rate = learning_rate_at(recipe, epoch * steps + step, recipe.epochs * steps) * rate_factor
        for group in optimizer.param_groups:
            group["lr"] = rate
        rows = order[step * batch_size : (step + 1) * batch_size].to(data.images.device)
        images, targets = make_batch(data, rows, recipe, preprocessing, own, recipe.side_px(epoch))
        logits = network(images).logits.float()
        loss = _loss(logits, targets, recipe, class_weights)
        optimizer.zero_grad()
        fabric.backward(loss)
        if recipe.clip_norm:
            fabric.clip_gradients(network, optimizer, max_norm=recipe.clip_norm)
        optimizer.step()
        if average and (step + 1) % recipe.ema_every == 0:
            average.update(getattr(network, "module", network))
        # Sums stay on the device: reading a number each step would make a GPU wait.
        loss_sum = loss_sum.to(loss.device) + loss.detach() * len(rows)
        correct = correct.to(loss.device) + (logits.detach().argmax(1) == targets.argmax(1)).sum()
        seen += len(rows)

    totals = fabric.all_reduce(
        torch.stack([loss_sum, correct, torch.tensor(float(seen), device=loss_sum.device)]), reduce_op="sum"
    )
    return float(totals[0] / totals[2]), float(totals[1] / totals[2]), rate


def make_batch(
    data: ResidentData,
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
    smoothed = targets * (1 - recipe.label_smoothing) + recipe.label_smoothing / targets.shape[1]
    losses = -(smoothed * F.log_softmax(logits, dim=1)).sum(dim=1)
    if class_weights is None:
        return losses.mean()
    weights = class_weights[targets.argmax(1)]
    return (losses * weights).sum() / weights.sum()


def _class_weights(data: ResidentData, recipe: Recipe) -> Tensor | None:
    if recipe.class_weights == "none":
        return None
    counts = torch.bincount(data.truth, minlength=data.classes).float()
    return counts.sum() / (data.classes * counts.clamp(min=1))


def _validate(network: Network, data: ResidentData, preprocessing: Preprocessing) -> tuple[float, float]:
    """Cross-entropy and accuracy on the validation images, at the size and precision of use."""
    logits = infer_logits(network, preprocessing, data.val_images)
    accuracy = (logits.argmax(1) == data.val_truth).float().mean()
    return float(F.cross_entropy(logits, data.val_truth)), float(accuracy)


def _save_weights(network: nn.Module, path: Path) -> None:
    tensors = {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}
    partial = path.with_suffix(".partial")
    save_file(tensors, partial)
    partial.replace(path)


def _save_state(fabric: Fabric, path: Path, state: dict[str, Any]) -> None:
    """Written beside and moved into place: a run stopped while saving still has its last epoch."""
    partial = path.with_suffix(".partial")
    fabric.save(partial, state)
    fabric.barrier()
    if fabric.is_global_zero:
        partial.replace(path)


def _write_history(path: Path, history: list[EpochRow]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [f.name for f in dataclasses.fields(EpochRow)])
        writer.writeheader()
        writer.writerows(dataclasses.asdict(row) for row in history)
