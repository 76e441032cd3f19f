"""From a finished run to a checkpoint: evaluate the weights as they will ship, and replace the previous checkpoint."""

from __future__ import annotations

import dataclasses
import platform
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from core import versions
from core.checkpoints import (
    Checkpoint,
    CheckpointFolder,
    Latency,
    ModelCard,
    load_checkpoint,
    publishing,
    save_card,
)
from core.checkpoints.history import best_epoch
from core.checkpoints.weights import load_weights, save_weights
from core.data import DatasetInfo, Samples
from core.device import describe_device
from core.errors import CheckpointError
from core.evaluation import fit_temperature, summarize
from core.inference import Predictor, embed_split, evaluate
from core.inference.latency import milliseconds_per_face
from core.models import Network, build_unfilled, count_macs, count_parameters, deepest_stage, family
from core.preprocessing import Preprocessing
from core.training.recipe import Recipe, as_values
from core.training.run_folder import RunFolder
from core.training.teachers import prerequisites, published


def publish(
    recipe: Recipe,
    samples: Samples,
    data: DatasetInfo,
    preprocessing: Preprocessing,
    run: RunFolder,
    root: Path,
    *,
    device: torch.device,
    trained_on: str,
    val_only: bool = False,
    ship_weights: bool = True,
) -> Checkpoint:
    """Write the checkpoint of a finished run below ``root`` and return it.

    The temperature is fitted on the validation split. ``val_only`` leaves the test split unread; without
    ``ship_weights`` the checkpoint has a card, a history and predictions only.
    """
    history = run.history()
    with publishing(root, recipe.name) as folder, _full_precision():
        network = best_network(recipe, len(samples.labels), run)
        digest = save_weights(network, folder.weights_path)
        load_weights(network, folder.weights_path)  # every number below is that of the half-precision weights
        network.to(device)
        history.to_csv(folder.history_path, index=False)

        val = evaluate(network, preprocessing, samples, "val", model_id=recipe.name)
        temperature = fit_temperature(val.logits, val.truth)
        runs = {"val": dataclasses.replace(val, temperature=temperature)}
        if not val_only:
            runs["test"] = evaluate(
                network, preprocessing, samples, "test", model_id=recipe.name, temperature=temperature
            )
        for split, predictions in runs.items():
            predictions.save(folder.predictions_path(split))
            embedding = embed_split(network, preprocessing, samples, split, model_id=recipe.name, weights_sha256=digest)
            # Without the t-SNE map, which takes half a minute per split: ``python -m core embed`` adds it.
            embedding.save(folder.embeddings_path(split))

        network.cpu()
        card = ModelCard(
            run_id=recipe.name,
            title=recipe.title or family(recipe.architecture).title,
            architecture=recipe.architecture,
            labels=samples.labels,
            preprocessing=preprocessing,
            temperature=temperature,
            recipe=as_values(recipe),
            data=data,
            metrics={split: summarize(predictions) for split, predictions in runs.items()},
            chosen_epoch=best_epoch(history["val_accuracy"]),
            training_seconds=float(history["seconds"].sum()),
            prerequisite_seconds=prerequisite_seconds(recipe, data, run.path.parent, root),
            hardware=trained_on,
            weights_sha256=digest,
            weights_shipped=ship_weights,
            model_options=dict(recipe.model),
            **facts_of(network, recipe.channels, recipe.size_px),
        )
        save_card(dataclasses.replace(card, milliseconds=_latency(network, card)), folder.path)
        added = [f"*-{split}.*" for split in runs] + ([folder.onnx_path.name] if ship_weights else [])
        _copy_added(root / recipe.name, folder, digest, added)
        if not ship_weights:
            folder.weights_path.unlink()
    return load_checkpoint(root / recipe.name)


def facts_of(network: Network, channels: int, size_px: int) -> dict[str, Any]:
    """The fields of a card that describe the network itself, and those that state when and with what it was written."""
    return {
        "cam_layer": deepest_stage(network, channels, size_px),
        "parameters": count_parameters(network),
        "macs": count_macs(network, channels, size_px),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "commit": versions.ferscope(),
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def best_network(recipe: Recipe, classes: int, run: RunFolder) -> Network:
    """The network of the epoch with the highest validation accuracy, in full precision."""
    network = build_unfilled(recipe.architecture, classes=classes, channels=recipe.channels, options=recipe.model)
    return load_weights(network, run.weights_path(best_epoch(run.history()["val_accuracy"])))


def prerequisite_seconds(recipe: Recipe, data: DatasetInfo, runs: Path, root: Path) -> dict[str, float]:
    """By name, the training time of the runs that a recipe builds on, directly or indirectly, where it is known."""
    seconds: dict[str, float] = {}
    for needed in prerequisites(recipe):
        seconds |= prerequisite_seconds(needed, data, runs, root)
        history = RunFolder(runs / needed.name).history()
        if len(history):
            seconds[needed.name] = float(history["seconds"].sum())
        elif checkpoint := published(needed, data, root):
            seconds[needed.name] = checkpoint.card.training_seconds
    return seconds


@contextmanager
def _full_precision() -> Iterator[None]:
    """Without TF32, whose ten bits would change the logits of a GPU in the third digit."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


def _latency(network: Network, card: ModelCard) -> Latency:
    return Latency(milliseconds_per_face(Predictor(network, card)), describe_device(torch.device("cpu")))


def _copy_added(previous: Path, folder: CheckpointFolder, digest: str, patterns: Sequence[str]) -> None:
    """Copy what other commands added to the previous checkpoint, if the new one has the same weights: measured
    robustness, t-SNE maps and the exported network."""
    try:
        checkpoint = load_checkpoint(previous)
    except CheckpointError:
        return
    if checkpoint.card.weights_sha256 == digest:
        for path in (path for pattern in patterns for path in previous.glob(pattern)):
            if not (folder.path / path.name).exists():
                shutil.copy2(path, folder.path / path.name)
