"""From a recipe to a checkpoint. Read in this order: recipe, targets, teachers, loop, publish; pipeline joins them."""

from core.checkpoints.history import EpochRow
from core.training.pipeline import train, train_on
from core.training.recipe import Recipe, load_recipe, recipe_from
from core.training.run_folder import RunFolder
from core.training.targets import labeled_for, training_samples

__all__ = [
    "EpochRow",
    "Recipe",
    "RunFolder",
    "labeled_for",
    "load_recipe",
    "recipe_from",
    "train",
    "train_on",
    "training_samples",
]
