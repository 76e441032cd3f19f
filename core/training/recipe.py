"""A training run written down: every knob a field, every field documented, nothing else accepted."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import RecipeError

RECIPES = Path(__file__).parent / "recipes"


@dataclass(frozen=True)
class Augmentation:
    """What is done to a training batch, each image by its own random draw. Zero switches a knob off."""

    flip: bool = True  # mirrored with probability 1/2
    rotate_deg: float = 10.0  # uniform in +- this
    scale: tuple[float, float] = (0.9, 1.1)  # zoom factor, uniform; below 1 the face shrinks
    shift: float = 0.08  # uniform in +- this part of the side, both ways
    brightness: float = 0.2  # added, uniform in +- this part of the gray range
    contrast: float = 0.2  # factor about the image's mean, uniform in 1 +- this
    erase: float = 0.0  # probability that a random rectangle (2-20 % of the area) turns mid-gray (Zhong et al. 2020)

    def __post_init__(self) -> None:
        if not 0 < self.scale[0] <= self.scale[1]:
            raise RecipeError(f"augmentation.scale must be two rising positive factors, got {list(self.scale)}")
        if not 0 <= self.erase <= 1:
            raise RecipeError(f"augmentation.erase is a probability, got {self.erase}")


@dataclass(frozen=True)
class Recipe:
    """Every knob of a training run."""

    name: str  # also the default run id
    architecture: str  # a registered network family
    summary: str = ""  # one line for readers: what, from where, at what cost
    model: Mapping[str, Any] = field(default_factory=dict)  # options of the family
    labels: str = "FER7"  # a known label set, or "data" for whatever the data set has
    target: str = "label"  # "label", or "ferplus" for the FER+ majority (labels = "FERPLUS8")
    size_px: int = 48  # side of the network's input
    channels: int = 1  # 1 gray, 3 RGB
    equalize: str = "none"  # "none", "histogram" or "clahe", before everything else
    small_px: int = 0  # side of the augmented images in the first epochs (progressive resizing); 0 is size_px
    small_part: float = 0.0  # part of all epochs at that side
    epochs: int = 30
    batch_size: int = 128  # over all devices together
    optimizer: str = "adamw"  # "adamw", "adam" or "sgd" (momentum 0.9, Nesterov)
    learning_rate: float = 2e-3  # the schedule's peak
    weight_decay: float = 0.02  # not applied to norms and biases
    schedule: str = (
        "one_cycle"  # "one_cycle", "warmup_cosine", "plateau" (halves after 3 epochs without gain), "constant"
    )
    warmup: float = 0.2  # part of all steps spent rising to the peak
    label_smoothing: float = 0.1  # Szegedy et al. 2016
    votes_weight: float = 0.0  # part of the target taken from the FER+ votes of the training images
    start: str = ""  # recipe of the same network whose finished run this one starts from; trained first
    teachers: tuple[str, ...] = ()  # recipes whose networks' mean answer becomes part of the target; trained first
    teachers_weight: float = 0.0  # that part (distillation: Hinton et al. 2015)
    mixup: float = 0.0  # Beta(a, a) of mixup (Zhang et al. 2018); 0 is off
    cutmix: float = 0.0  # Beta(a, a) of CutMix (Yun et al. 2019); 0 is off; with mixup, each batch draws one of them
    class_weights: str = "none"  # "none" or "balanced" (inverse frequency)
    ema: float = 0.0  # decay per averaging step of the weights' moving average; 0 is off
    ema_every: int = 4  # optimizer steps between averaging steps
    clip_norm: float = 0.0  # gradient norm limit; 0 is off
    precision: str = "32-true"  # Fabric's name: "32-true" or "bf16-mixed"
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        choices = {
            "optimizer": ("adamw", "adam", "sgd"),
            "schedule": ("one_cycle", "warmup_cosine", "plateau", "constant"),
            "class_weights": ("none", "balanced"),
            "precision": ("32-true", "bf16-mixed"),
            "target": ("label", "ferplus"),
        }
        for key, allowed in choices.items():
            if getattr(self, key) not in allowed:
                raise RecipeError(f"{key} must be one of {', '.join(allowed)}, got {getattr(self, key)!r}")
        for key in ("epochs", "batch_size", "learning_rate", "ema_every"):
            if getattr(self, key) <= 0:
                raise RecipeError(f"{key} must be positive, got {getattr(self, key)}")
        for key in ("ema", "label_smoothing", "warmup", "small_part"):
            if not 0 <= getattr(self, key) < 1:
                raise RecipeError(f"{key} must lie in [0, 1), got {getattr(self, key)}")
        if min(self.votes_weight, self.teachers_weight) < 0 or self.votes_weight + self.teachers_weight > 1:
            raise RecipeError(
                "votes_weight and teachers_weight are parts of the target: 0 or more, together at most 1, got "
                f"{self.votes_weight} and {self.teachers_weight}"
            )
        if bool(self.teachers) != bool(self.teachers_weight):
            raise RecipeError("teachers and teachers_weight belong together: name both or neither")
        if bool(self.small_px) != bool(self.small_part):
            raise RecipeError("small_px and small_part belong together: name both or neither")
        if self.target == "ferplus" and self.labels != "FERPLUS8":
            raise RecipeError(f'target = "ferplus" needs labels = "FERPLUS8", got {self.labels!r}')
        if self.class_weights != "none" and (self.mixup or self.cutmix):
            raise RecipeError("class_weights and mixed images contradict each other: a mixed image has no single class")

    def side_px(self, epoch: int) -> int:
        """Side of the training images in that epoch, counted from 0."""
        return self.small_px if epoch < round(self.small_part * self.epochs) else self.size_px


def load_recipe(source: str | Path) -> Recipe:
    """A shipped recipe by name, or a TOML file by path. Raises RecipeError for anything unknown or contradictory."""
    path = Path(source)
    if path.suffix != ".toml":
        path = RECIPES / f"{source}.toml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in RECIPES.glob("*.toml")))
        raise RecipeError(f"there is no recipe {str(source)!r}; shipped are {known}, or give the path of a .toml file")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is not valid TOML: {error}") from error
    values.setdefault("name", path.stem)
    return recipe_from(values)


def recipe_from(values: Mapping[str, Any]) -> Recipe:
    """A recipe from plain values, as TOML or a card hold them."""
    values = dict(values)
    _check_keys(values, Recipe, "")
    augmentation = dict(values.pop("augmentation", {}))
    _check_keys(augmentation, Augmentation, "augmentation.")
    if "scale" in augmentation:
        augmentation["scale"] = tuple(augmentation["scale"])
    if "teachers" in values:
        values["teachers"] = tuple(values["teachers"])
    try:
        return Recipe(**values, augmentation=Augmentation(**augmentation))
    except TypeError as error:
        raise RecipeError(f"the recipe is incomplete or has a value of a wrong type: {error}") from error


def as_values(recipe: Recipe) -> dict[str, Any]:
    """Plain values that :func:`recipe_from` turns back into the same recipe."""
    return dataclasses.asdict(recipe)


def _check_keys(values: Mapping[str, Any], kind: type, prefix: str) -> None:
    known = {f.name for f in dataclasses.fields(kind)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise RecipeError(f"unknown recipe key {prefix}{unknown[0]}; known are {', '.join(sorted(known))}")
