"""The runs that a recipe builds on: the one whose weights it starts from, and its teachers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from core.checkpoints import Checkpoint, load_checkpoint
from core.data import DatasetInfo
from core.errors import CheckpointError, RecipeError
from core.inference import infer_logits
from core.models import Network
from core.preprocessing import Preprocessing
from core.training.fabric import Fabric
from core.training.recipe import Recipe, load_recipe, recipe_from
from core.training.run_folder import RunFolder


def prerequisites(recipe: Recipe) -> list[Recipe]:
    """The recipes it starts from and learns from, without the prerequisites of those."""
    return [load_recipe(source) for source in dict.fromkeys((*filter(None, [recipe.start]), *recipe.teachers))]


def check_prerequisites(recipe: Recipe, requested_by: tuple[str, ...] = ()) -> None:
    """Raise RecipeError where a recipe depends on itself, where it and a prerequisite use different images or classes,
    or where it starts from another network. ``requested_by`` are the recipes that build on this one."""
    if recipe.name in requested_by:
        raise RecipeError(
            f"{' builds on '.join((*requested_by, recipe.name))}: a recipe cannot learn from its own result"
        )
    for needed in prerequisites(recipe):
        for option in ("size_px", "channels", "equalize", "labels", "target"):
            own, other = getattr(recipe, option), getattr(needed, option)
            if own != other:
                raise RecipeError(
                    f"{recipe.name} and {needed.name} must use the same images and classes, but {option} is {own!r} in "
                    f"one and {other!r} in the other"
                )
        check_prerequisites(needed, (*requested_by, recipe.name))
    if recipe.start:
        first = load_recipe(recipe.start)
        if (first.architecture, dict(first.model)) != (recipe.architecture, dict(recipe.model)):
            raise RecipeError(
                f"{recipe.name} can only start from a run of the same network: {recipe.architecture} "
                f"{dict(recipe.model)}, got {first.architecture} {dict(first.model)} of {first.name}"
            )


def published(recipe: Recipe, data: DatasetInfo, root: Path) -> Checkpoint | None:
    """The checkpoint below ``root``, with weights, of this recipe on these data; None if there is none.

    It stands for a finished run whose folder is gone or was on another machine.
    """
    try:
        checkpoint = load_checkpoint(root / recipe.name)
        if recipe_from(checkpoint.card.recipe) != recipe or not checkpoint.card.data.matches(*data.fingerprints):
            return None
    except (CheckpointError, RecipeError):
        return None
    return checkpoint if checkpoint.card.weights_shipped and checkpoint.weights_path.is_file() else None


def stand_in(recipe: Recipe, data: DatasetInfo, run: RunFolder, root: Path) -> Checkpoint | None:
    """The checkpoint that stands for a run on these data that has not begun in its folder; None if there is none."""
    return None if run.state_path.is_file() else published(recipe, data, root)


def untrained(recipe: Recipe, data: DatasetInfo, run: RunFolder, root: Path) -> Iterator[Recipe]:
    """The recipes whose runs must be trained or resumed before that of ``recipe``, whose folder is ``run``."""
    if run.is_finished(recipe):
        return
    # A run that has begun does not need the weights that it started from any more.
    first = dataclasses.replace(recipe, start="") if run.state_path.is_file() else recipe
    for needed in prerequisites(first):
        folder = run.beside(needed)
        if not folder.is_finished(needed) and stand_in(needed, data, folder, root) is None:
            yield from untrained(needed, data, folder, root)
            yield needed


def mean_probabilities(
    teachers: Sequence[Network], images: Tensor, preprocessing: Preprocessing, fabric: Fabric
) -> Tensor:
    """Mean probabilities (N, K) of the networks for images (N, S, S) or (N, S, S, 3) uint8 and their mirror images."""
    predictions = []
    for teacher in teachers:
        network = teacher.eval().to(fabric.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        # In the precision of training: soft targets do not need more, and 57,418 images are many for two cores.
        with fabric.autocast():
            for view in (images, images.flip(2)):
                predictions.append(infer_logits(network, preprocessing, view.to(fabric.device)).softmax(1).cpu())
    return torch.stack(predictions).mean(0)
