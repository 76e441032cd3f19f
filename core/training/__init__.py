"""From a recipe to a checkpoint."""

from core.training.jobs import train
from core.training.loop import EpochRow, Interrupted
from core.training.recipe import Recipe, load_recipe, recipe_from
from core.training.runs import training_samples

__all__ = [
    "EpochRow",
    "Interrupted",
    "Recipe",
    "load_recipe",
    "recipe_from",
    "train",
    "training_samples",
]
