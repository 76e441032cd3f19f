"""Runs that stand on each other: a recipe's data and targets, the runs it starts from and learns from, then its own."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from safetensors.torch import load_file
from torch import Tensor

from core.data import Samples, with_ferplus_labels
from core.errors import DataError, RecipeError
from core.inference import infer_logits, prepared_images
from core.labels import FER7, FERPLUS8, LABEL_SETS, LabelSet
from core.models import Network, build_network
from core.preprocessing import Preprocessing
from core.training.loop import Progress, ResidentData, finished_epochs, fit, make_fabric
from core.training.recipe import Recipe, as_values, load_recipe, recipe_from

RECIPE = "recipe.json"  # in a run folder, whose recipe it is


def learn(
    recipe: Recipe,
    samples: Samples,
    preprocessing: Preprocessing,
    runs: Path,
    *,
    fabric: Fabric | None = None,
    progress: Progress | None = None,
) -> Path:
    """Train a recipe in its run folder below ``runs``, or go on there, and return that folder.

    The runs it starts from or learns from are trained first where they are missing or unfinished, so one command
    reproduces whatever stands on others; :func:`assert_needs_fit` says beforehand whether they can.
    """
    run_dir = runs / recipe.name
    _assert_same_recipe(recipe, run_dir)
    epochs = finished_epochs(run_dir)
    if epochs >= recipe.epochs:
        return run_dir
    fabric = fabric or make_fabric(recipe)

    def finished(source: str) -> Network:
        needed = load_recipe(source)
        return best_network(needed, samples, learn(needed, samples, preprocessing, runs, progress=progress))

    data = resident_data(recipe, samples, preprocessing)
    start = finished(recipe.start).state_dict() if recipe.start and not epochs else None
    if recipe.teachers:
        answers = mean_answer([finished(source) for source in recipe.teachers], samples, preprocessing, fabric)
        data = dataclasses.replace(data, targets=data.targets + recipe.teachers_weight * answers)
    if fabric.is_global_zero:
        run_dir.mkdir(parents=True, exist_ok=True)
        (run_dir / RECIPE).write_text(json.dumps(as_values(recipe)), encoding="utf-8")
    fit(recipe, data, preprocessing, run_dir, fabric=fabric, start=start, progress=progress)
    fabric.barrier()  # the first process writes the history last, and every process goes by it
    return run_dir


def needed_recipes(recipe: Recipe) -> list[Recipe]:
    """The recipes it starts from and learns from, without those that they need in turn."""
    return [load_recipe(source) for source in dict.fromkeys((*filter(None, [recipe.start]), *recipe.teachers))]


def assert_needs_fit(recipe: Recipe, asked_by: tuple[str, ...] = ()) -> None:
    """Raise RecipeError where a recipe would wait for itself, where it and what it needs see other images or classes,
    or where it starts from another network. ``asked_by`` are the recipes that need this one."""
    if recipe.name in asked_by:
        raise RecipeError(f"{' needs '.join((*asked_by, recipe.name))}: a recipe cannot learn from its own result")
    for needed in needed_recipes(recipe):
        for knob in ("size_px", "channels", "equalize", "labels", "target"):
            mine, other = getattr(recipe, knob), getattr(needed, knob)
            if mine != other:
                raise RecipeError(
                    f"{recipe.name} and {needed.name} must see the same images and classes, but {knob} is {mine!r} for "
                    f"the one and {other!r} for the other"
                )
        assert_needs_fit(needed, (*asked_by, recipe.name))
    if recipe.start:
        first = load_recipe(recipe.start)
        if (first.architecture, dict(first.model)) != (recipe.architecture, dict(recipe.model)):
            raise RecipeError(
                f"{recipe.name} can start from a run of the same network only: {recipe.architecture} "
                f"{dict(recipe.model)}, got {first.architecture} {dict(first.model)} of {first.name}"
            )


def training_samples(recipe: Recipe, samples: Samples) -> Samples:
    """The samples with the recipe's classes. Raises RecipeError where the data has other ones."""
    if recipe.target == "ferplus":
        return with_ferplus_labels(samples)
    if recipe.labels != "data":
        expected = LABEL_SETS.get(recipe.labels)
        if expected is None:
            raise RecipeError(f"labels must be one of {', '.join(LABEL_SETS)} or data, got {recipe.labels!r}")
        if expected.classes == samples.labels.classes:
            return samples
        try:
            return samples.ordered_like(expected)  # the recipe's order is the logits' order
        except DataError:
            raise RecipeError(
                f"{recipe.name} is for {expected.name} ({', '.join(expected.classes)}), but {samples.name} has "
                f'{", ".join(samples.labels.classes)}; choose other data or set labels = "data"'
            ) from None
    return samples


def resident_data(recipe: Recipe, samples: Samples, preprocessing: Preprocessing) -> ResidentData:
    """Both splits as tensors; targets are one-hot, mixed with the FER+ votes where the recipe asks for it.

    The teachers' part of the targets is left out: rows sum to 1 - teachers_weight.
    """
    training, validation = samples.of("train"), samples.of("val")
    truth = torch.from_numpy(training.truth)
    labeled = F.one_hot(truth, len(samples.labels)).float()
    targets = labeled * (1 - recipe.teachers_weight)
    if recipe.votes_weight:
        if training.votes is None:
            raise DataError(f"{recipe.name} mixes FER+ votes into its targets, but {samples.name} has none")
        votes, voted = vote_distribution(training.votes, samples.labels)
        share = torch.from_numpy(np.where(voted, recipe.votes_weight, 0.0).astype(np.float32))[:, None]
        targets += share * (torch.from_numpy(votes) - labeled)
    return ResidentData(
        images=prepared_images(training, preprocessing),
        targets=targets,
        truth=truth,
        val_images=prepared_images(validation, preprocessing),
        val_truth=torch.from_numpy(validation.truth),
        classes=len(samples.labels),
    )


def mean_answer(teachers: Sequence[Network], samples: Samples, preprocessing: Preprocessing, fabric: Fabric) -> Tensor:
    """Mean probabilities (N, K) of those networks for the training images and their mirror images."""
    images = prepared_images(samples.of("train"), preprocessing)
    answers = []
    for teacher in teachers:
        network = teacher.eval().to(fabric.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        # At the precision of training: soft targets do not need more, and 57,418 images are many for two cores.
        with fabric.autocast():
            for view in (images, images.flip(2)):
                answers.append(infer_logits(network, preprocessing, view.to(fabric.device)).softmax(1).cpu())
    return torch.stack(answers).mean(0)


def vote_distribution(votes: np.ndarray, labels: LabelSet) -> tuple[np.ndarray, np.ndarray]:
    """FER+ votes (N, 10) -> shares (N, K) over ``labels``, and which rows have any vote for them (N,)."""
    if labels not in (FER7, FERPLUS8):
        raise DataError(f"FER+ votes can be mapped to FER7 or FERPLUS8, got {labels.name}")
    columns = [FERPLUS8.index(c) for c in labels.classes]
    counts = votes[:, columns].astype(np.float32)
    total = counts.sum(axis=1, keepdims=True)
    return counts / np.maximum(total, 1), total[:, 0] > 0


def best_network(recipe: Recipe, samples: Samples, run_dir: Path) -> Network:
    """The best network of a finished run."""
    options = {**recipe.model, **({"imagenet": False} if recipe.model.get("imagenet") else {})}  # nothing to download
    network = build_network(recipe.architecture, classes=len(samples.labels), channels=recipe.channels, **options)
    network.load_state_dict(load_file(run_dir / "best.safetensors"))
    return network


def needed_seconds(recipe: Recipe, runs: Path) -> dict[str, float]:
    """What the runs took that a recipe stands on, directly or through others, by name; without those removed since."""
    seconds: dict[str, float] = {}
    for needed in needed_recipes(recipe):
        seconds |= needed_seconds(needed, runs)
        history = runs / needed.name / "history.csv"
        if history.is_file():
            seconds[needed.name] = float(pd.read_csv(history)["seconds"].sum())
    return seconds


def _assert_same_recipe(recipe: Recipe, run_dir: Path) -> None:
    """A run folder belongs to one recipe: going on with other knobs would make a history of two runs."""
    note = run_dir / RECIPE
    if not (note.is_file() and finished_epochs(run_dir)):
        return
    if recipe_from(json.loads(note.read_text(encoding="utf-8"))) != recipe:
        raise RecipeError(
            f"{run_dir} holds a run of another version of {recipe.name}; delete that folder, or give the recipe "
            "another name"
        )
