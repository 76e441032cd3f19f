"""From a recipe and a data set to a checkpoint that can be shown: read, fit, judge, write the card."""

from __future__ import annotations

import dataclasses
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import torch
from lightning_fabric import Fabric

from core import checkpoints, versions
from core.checkpoints import (
    Checkpoint,
    ModelCard,
    load_checkpoint,
    load_weights,
    publishing,
    save_card,
    save_weights,
)
from core.data import DatasetInfo, Samples, read
from core.evaluation import fit_temperature, summarize
from core.faces import MEASURED
from core.inference import embed_split, evaluate
from core.models import count_macs, count_parameters, family
from core.preprocessing import Preprocessing
from core.training.loop import Progress, make_fabric
from core.training.recipe import Recipe, as_values
from core.training.runs import assert_needs_fit, best_network, learn, needed_seconds, training_samples


def train(
    recipe: Recipe,
    data_path: Path,
    *,
    runs: Path = Path("runs"),
    root: Path = checkpoints.ROOT,
    val_only: bool = False,
    skip_bad: bool = False,
    progress: Progress | None = None,
) -> Checkpoint | None:
    """Train a recipe, or go on where it was interrupted, and write its checkpoint below ``root``.

    ``val_only`` leaves the test split unread, for runs that are still being compared. Returns None in the processes of
    a distributed run that write nothing.
    """
    assert_needs_fit(recipe)  # before the data are read, which takes a while
    fabric = make_fabric(recipe)
    samples = training_samples(
        recipe, read(data_path, size_px=recipe.size_px, channels=recipe.channels, skip_bad=skip_bad)
    )
    preprocessing = Preprocessing(
        size_px=recipe.size_px,
        channels=recipe.channels,
        equalize=recipe.equalize,
        crop_margin={name: (m.side, m.dx, m.dy) for name, m in MEASURED.items()},
    )
    run_dir = learn(recipe, samples, preprocessing, runs, fabric=fabric, progress=progress)
    return _finish(recipe, samples, preprocessing, run_dir, root, fabric, val_only) if fabric.is_global_zero else None


def _finish(
    recipe: Recipe,
    samples: Samples,
    preprocessing: Preprocessing,
    run_dir: Path,
    root: Path,
    fabric: Fabric,
    val_only: bool,
) -> Checkpoint:
    """Evaluate the best weights as they will ship, in half precision, and replace the checkpoint as a whole."""
    history = pd.read_csv(run_dir / "history.csv")
    with publishing(root, recipe.name) as folder:
        digest = save_weights(best_network(recipe, samples, run_dir), folder.weights_path)
        network = load_weights(best_network(recipe, samples, run_dir), folder.weights_path)
        history.to_csv(folder.history_path, index=False)
        run = evaluate(network, preprocessing, samples, "val", model_id=recipe.name)
        temperature = fit_temperature(run.logits, run.truth)
        runs = {"val": dataclasses.replace(run, temperature=temperature)}
        if not val_only:
            runs["test"] = evaluate(
                network, preprocessing, samples, "test", model_id=recipe.name, temperature=temperature
            )
        for split, answers in runs.items():
            answers.save(folder.predictions_path(split))
            embedding = embed_split(network, preprocessing, samples, split, model_id=recipe.name, weights_sha256=digest)
            embedding.save(folder.embeddings_path(split))

        card = ModelCard(
            run_id=recipe.name,
            title=family(recipe.architecture).title,
            architecture=recipe.architecture,
            labels=samples.labels,
            preprocessing=preprocessing,
            cam_layer=network.default_stage,
            temperature=temperature,
            recipe=as_values(recipe),
            data=DatasetInfo.of(samples),
            parameters=count_parameters(network),
            macs=count_macs(network, recipe.channels, recipe.size_px),
            metrics={split: summarize(answers) for split, answers in runs.items()},
            chosen_epoch=int(history["epoch"].iloc[int(history["val_accuracy"].argmax())]),
            training_seconds=float(history["seconds"].sum()),
            prerequisite_seconds=needed_seconds(recipe, run_dir.parent),
            hardware=_hardware(fabric),
            versions={"python": platform.python_version(), "torch": torch.__version__},
            commit=versions.ferscope(),
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            weights_sha256=digest,
            model_options=dict(recipe.model),
        )
        save_card(card, folder.path)
    return load_checkpoint(root / recipe.name)


def _hardware(fabric: Fabric) -> str:
    if fabric.device.type == "cuda":
        return f"{fabric.world_size} x {torch.cuda.get_device_name(fabric.device)}"
    return f"CPU, {torch.get_num_threads()} threads of {os.cpu_count()} cores"
