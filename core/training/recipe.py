"""The recipe of a training run: every option is a documented field, and nothing else is accepted."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import field, fields
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from core.checkpoints import Role, check_run_id
from core.errors import RecipeError
from core.labels import LABEL_SETS
from core.preprocessing import MAX_SIZE_PX, MIN_SIZE_PX, Equalize
from core.validation import first_problem, unknown_key

FOLDER = Path(__file__).parent / "recipes"
_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


def _run_id(name: str) -> str:
    check_run_id(name)
    return name


def _label_set(name: str) -> str:
    if name not in (*LABEL_SETS, "data"):
        raise ValueError(f"labels must be one of {', '.join(LABEL_SETS)} or data, got {name!r}")
    return name


Positive = Annotated[int, Field(gt=0)]
Part = Annotated[float, Field(ge=0, lt=1)]
Probability = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0)]


@dataclass(frozen=True, config=_STRICT)
class Augmentation:
    """Random changes to a training batch, drawn for each image. Zero switches an option off."""

    flip: bool = True  # mirrored with probability 1/2
    rotate_deg: Amount = 10.0  # uniform in +- this
    # Zoom factor, uniform; below 1 the face shrinks, above 1 it is cropped.
    scale: tuple[float, float] = (0.9, 1.1)
    shift: Amount = 0.08  # uniform in +- this part of the side, in both directions
    brightness: Amount = 0.2  # added, uniform in +- this part of the gray range
    contrast: Amount = 0.2  # factor about the image's mean, uniform in 1 +- this
    saturation: Amount = 0.0  # factor about each pixel's gray value, uniform in 1 +- this; RGB only
    erase: Probability = 0.0  # that a random rectangle (2-20 % of the area) turns mid-gray (Zhong et al. 2020)

    def __post_init__(self) -> None:
        if not 0 < self.scale[0] <= self.scale[1]:
            raise RecipeError(
                "augmentation.scale must be two positive factors, the first not larger than the second, "
                f"got {list(self.scale)}"
            )


@dataclass(frozen=True, config=_STRICT)
class Recipe:
    """Every option of a training run."""

    name: Annotated[str, AfterValidator(_run_id)]  # also the run id
    architecture: str  # a registered network family
    title: str = ""  # of the network, for readers; that of the family without it
    summary: str = ""  # one line for readers
    role: Role = ""
    model: Mapping[str, Any] = field(default_factory=dict)  # options of the family
    labels: Annotated[str, AfterValidator(_label_set)] = "FER7"  # a known label set, or "data" for the data set's own
    # "label" is the data set's label, "ferplus" the FER+ majority, "label_or_ferplus" the label where the data set has
    # the recipe's classes and the FER+ majority elsewhere.
    target: Literal["label", "ferplus", "label_or_ferplus"] = "label"
    size_px: Annotated[int, Field(ge=MIN_SIZE_PX, le=MAX_SIZE_PX)] = 48  # side of the network's input
    channels: Literal[1, 3] = 1  # 1 gray, 3 RGB
    equalize: Equalize = "none"  # before everything else; stored as preprocessing
    # Side of the input in the first epochs (progressive resizing); 0 is size_px.
    small_px: Annotated[int, Field(ge=0, le=MAX_SIZE_PX)] = 0
    small_part: Part = 0.0  # part of all epochs at that side
    epochs: Positive = 30
    batch_size: Positive = 128  # over all devices together
    optimizer: Literal["adamw", "adam", "sgd"] = "adamw"
    momentum: Part = 0.9  # of sgd, with Nesterov's correction
    learning_rate: Annotated[float, Field(gt=0)] = 2e-3  # the schedule's peak
    weight_decay: Amount = 0.02  # not applied to norms and biases
    # "plateau" halves the rate after 3 epochs without a lower validation loss.
    schedule: Literal["one_cycle", "warmup_cosine", "plateau", "constant"] = "one_cycle"
    warmup: Part = 0.2  # part of all steps spent rising to the peak
    label_smoothing: Part = 0.1  # Szegedy et al. 2016
    votes_weight: Probability = 0.0  # part of the target taken from the FER+ votes of the training images
    start: str = ""  # recipe of the same network whose finished run this one starts from; trained first
    # Recipes whose networks' mean prediction becomes part of the target; trained first.
    teachers: tuple[str, ...] = ()
    teachers_weight: Probability = 0.0  # that part (distillation: Hinton et al. 2015)
    mixup: Amount = 0.0  # Beta(a, a) of mixup (Zhang et al. 2018); 0 is off
    cutmix: Amount = 0.0  # Beta(a, a) of CutMix (Yun et al. 2019); 0 is off; with mixup, each batch draws one of them
    class_weights: Literal["none", "balanced"] = "none"  # "balanced" is the inverse frequency
    ema: Part = 0.0  # decay per averaging step of the weights' moving average; 0 is off
    ema_every: Positive = 4  # optimizer steps between averaging steps; an epoch has at least one
    clip_norm: Amount = 0.0  # gradient norm limit; 0 is off
    precision: Literal["32-true", "bf16-mixed"] = "32-true"  # as Fabric names it
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0  # of 32 bits, as NumPy requires
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        if self.votes_weight + self.teachers_weight > 1:
            raise RecipeError(
                "votes_weight and teachers_weight are parts of the target and add up to at most 1, got "
                f"{self.votes_weight} and {self.teachers_weight}"
            )
        if bool(self.teachers) != bool(self.teachers_weight):
            raise RecipeError("teachers and teachers_weight belong together: set both or neither")
        if bool(self.small_px) != bool(self.small_part):
            raise RecipeError("small_px and small_part belong together: set both or neither")
        if self.target == "ferplus" and self.labels not in ("FERPLUS8", "AFFECTNET8"):
            raise RecipeError(f'target = "ferplus" needs labels = "FERPLUS8" or "AFFECTNET8", got {self.labels!r}')
        if self.class_weights != "none" and (self.mixup or self.cutmix):
            raise RecipeError("class_weights contradicts mixup and cutmix: a mixed image has no single class")
        if self.augmentation.saturation and self.channels == 1:
            raise RecipeError("augmentation.saturation needs channels = 3: a gray image has no saturation")

    def side_px(self, epoch: int) -> int:
        """Side of the training images in that epoch, counted from 0."""
        return self.small_px if epoch < round(self.small_part * self.epochs) else self.size_px


_RECIPE: TypeAdapter[Recipe] = TypeAdapter(Recipe)


def load_recipe(source: str | Path) -> Recipe:
    """A shipped recipe by name, or a TOML file by path. Raises RecipeError for anything unknown or contradictory."""
    path = Path(source)
    if path.suffix != ".toml":
        path = FOLDER / f"{source}.toml"
    if not path.is_file():
        raise RecipeError(
            f"there is no recipe {str(source)!r}; shipped recipes: {', '.join(shipped_recipes())}. Or give the path of "
            "a .toml file"
        )
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(f"{path} cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is not valid TOML: {error}") from error
    values.setdefault("name", path.stem)
    return recipe_from(values)


def shipped_recipes() -> list[str]:
    """The names of the recipes that come with FERscope."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def recipe_from(values: Mapping[str, Any]) -> Recipe:
    """A recipe from plain values, as TOML or a card hold them. Raises RecipeError naming the first wrong key."""
    try:
        # JSON has lists for tuples and no dates, so that a recipe in TOML is read like one on a card.
        return _RECIPE.validate_json(json.dumps(values, default=str))
    except ValidationError as error:
        if key := unknown_key(error):
            kind = Augmentation if key.startswith("augmentation.") else Recipe
            known = ", ".join(sorted(f.name for f in fields(kind)))
            raise RecipeError(f"unknown recipe key {key}; known keys: {known}") from error
        raise RecipeError(f"the recipe is not valid: {first_problem(error)}") from error


def as_values(recipe: Recipe) -> dict[str, Any]:
    """Plain JSON values that :func:`recipe_from` turns back into the same recipe."""
    return cast("dict[str, Any]", _RECIPE.dump_python(recipe, mode="json"))
