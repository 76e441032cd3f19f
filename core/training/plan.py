"""Several recipes within a time budget, for a machine that is available for minutes: the most valuable first."""

from __future__ import annotations

import json
import tarfile
import time
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as validated

from core.checkpoints import Checkpoint
from core.checkpoints.history import EpochRow
from core.data import Samples, read
from core.errors import FerscopeError, RecipeError
from core.files import write_atomically, write_text
from core.training.fabric import require_one_process
from core.training.loop import Progress, TrainingStopped
from core.training.pipeline import check_recipe, train_on
from core.training.recipe import Recipe, as_values, load_recipe, recipe_from
from core.training.teachers import prerequisites
from core.validation import first_problem

PART_BYTES = 15 * 2**20
# The first three epochs of a run are not used to estimate its remaining time: on a GPU, the first one takes several
# times as long as the others, because cuDNN compares its kernels. The estimate uses the last three epochs.
WARM_UP_EPOCHS = 3
_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


@validated(frozen=True, config=_STRICT)
class PlannedRun:
    """A recipe and the options in which it differs on the machine of the plan, e.g. its number of epochs.

    The options of a table, such as the augmentation, are those in which the table differs.
    """

    recipe: str
    options: Mapping[str, Any] = field(default_factory=dict)
    ship_weights: bool = True


@validated(frozen=True, config=_STRICT)
class Plan:
    """Runs in order of value. ``publish_s`` is the time that the evaluation and storage of a network are expected to
    take at least; ``store_every_s`` is that of :func:`core.training.loop.fit`."""

    run: Annotated[tuple[PlannedRun, ...], Field(min_length=1)]
    publish_s: Annotated[float, Field(ge=0)] = 20.0
    store_every_s: Annotated[float, Field(ge=0)] = 30.0


@dataclass(frozen=True)
class Outcome:
    """The outcome of one planned run: its checkpoint, or why it has none.

    A run that does not fit into the budget has not ``failed``.
    """

    name: str
    checkpoint: Checkpoint | None
    reason: str = ""
    failed: bool = False


_PLAN: TypeAdapter[Plan] = TypeAdapter(Plan)


def load_plan(path: Path) -> tuple[Plan, tuple[Recipe, ...]]:
    """A plan from a TOML file, and its recipes with their options. Raises RecipeError for anything wrong in it."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        plan = _PLAN.validate_json(json.dumps(values, default=str))
    except OSError as error:
        raise RecipeError(f"{path} cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is not valid TOML: {error}") from error
    except ValidationError as error:
        raise RecipeError(f"{path} is not a valid plan: {first_problem(error)}") from error
    recipes = []
    for planned in plan.run:
        # A recipe next to the plan is found from any folder.
        file = path.parent / planned.recipe
        recipe = load_recipe(file if file.suffix == ".toml" and file.is_file() else planned.recipe)
        recipes.append(recipe_from(_changed(as_values(recipe), planned.options)))
        check_recipe(recipes[-1])
    planned_recipes = {recipe.name: recipe for recipe in recipes}
    for recipe in recipes:
        _check_options(path, recipe, recipe, planned_recipes)
    return plan, tuple(recipes)


def _check_options(path: Path, recipe: Recipe, of: Recipe, planned: Mapping[str, Recipe]) -> None:
    """Raise RecipeError where the plan changes the options of a recipe that another one builds on.

    ``of`` is ``recipe`` or a recipe that it builds on; a recipe names the file of each, whose options apply.
    """
    for needed in prerequisites(of):
        if planned.get(needed.name, needed) != needed:
            raise RecipeError(
                f"{path} changes the options of {needed.name}, but {recipe.name} builds on {needed.name} with the "
                f"options of its recipe; remove these options, or remove {recipe.name} from the plan"
            )
        _check_options(path, recipe, needed, planned)


def _changed(values: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """``values`` with ``options``; those of a table, such as the augmentation, change that table."""
    return {**values, **{key: _merged(values.get(key), option) for key, option in options.items()}}


def _merged(old: Any, new: Any) -> Any:
    return {**old, **new} if isinstance(old, Mapping) and isinstance(new, Mapping) else new


def run_plan(
    path: Path,
    data_path: Path,
    *,
    budget_s: float,
    out: Path,
    runs: Path,
    root: Path,
    val_only: bool = False,
    skip_bad: bool = False,
    split: str | None = None,
    seed: int = 0,
    ship_weights: bool = True,
    progress: Progress | None = None,
) -> list[Outcome]:
    """Train the plan's recipes in their order, each only if it fits into what is left of ``budget_s`` seconds.

    From the fourth epoch of a run on, its remaining time is estimated after each epoch; before, a run is stopped only
    if there is no time left to publish it. A run that does not fit is stopped; its state stays in ``runs``, from where
    the same command resumes it. Each finished checkpoint is written below ``root`` and packed into ``out``, in parts of
    at most 15 MiB. A run that fails is reported and does not stop the others. ``split``, ``seed`` and ``ship_weights``
    are those of :func:`core.training.train`; without ``ship_weights``, no run of the plan stores its weights.

    Raises RecipeError for a mistake in the plan, and TrainingError for several GPUs or processes.
    """
    require_one_process()
    started = time.monotonic()
    plan, recipes = load_plan(path)
    publish_s = plan.publish_s
    read_samples: dict[tuple[int, int], Samples] = {}
    outcomes: list[Outcome] = []
    trained_at, epochs = started, Counter[str]()  # by the name of the run

    def left_s() -> float:
        return budget_s - (time.monotonic() - started)

    def after_epoch(recipe: Recipe, row: EpochRow, seconds_left: float) -> None:
        nonlocal trained_at
        trained_at = time.monotonic()
        epochs[recipe.name] += 1
        if progress:
            progress(recipe, row, seconds_left)
        expected_s = seconds_left if epochs[recipe.name] > WARM_UP_EPOCHS else 0.0
        if expected_s + publish_s > left_s():
            raise TrainingStopped

    for planned, recipe in zip(plan.run, recipes, strict=True):
        if left_s() < publish_s:
            outcomes.append(Outcome(recipe.name, None, "not started: the budget is spent"))
            _write_readme(out, runs, outcomes)
            continue
        size = recipe.size_px, recipe.channels
        try:
            if size not in read_samples:
                read_samples[size] = read(
                    data_path, size_px=size[0], channels=size[1], skip_bad=skip_bad, split=split, seed=seed
                )
            trained_at = time.monotonic()  # a finished run has no further epoch
            checkpoint = train_on(
                recipe,
                read_samples[size],
                runs=runs,
                root=root,
                val_only=val_only,
                ship_weights=ship_weights and planned.ship_weights,
                store_every_s=plan.store_every_s,
                progress=after_epoch,
            )
            if checkpoint:
                pack(checkpoint.path, out)
            outcomes.append(Outcome(recipe.name, checkpoint))
            publish_s = max(publish_s, time.monotonic() - trained_at)
        except TrainingStopped:
            outcomes.append(Outcome(recipe.name, None, f"stopped: it does not fit into the budget of {budget_s:.0f} s"))
        except (FerscopeError, OSError) as error:
            outcomes.append(Outcome(recipe.name, None, f"failed: {error}", failed=True))
        _write_readme(out, runs, outcomes)
    return outcomes


def pack(folder: Path, out: Path) -> list[Path]:
    """Write a folder as a tar file into ``out``, in parts of at most 15 MiB if it is larger; returns the files.

    Nothing remains of an archive that cannot be written completely, for example because the disk is full.
    """
    out.mkdir(parents=True, exist_ok=True)
    archive = out / f"{folder.name}.tar"
    for stale in out.glob(f"{archive.name}*"):
        stale.unlink()

    def write(partial: Path) -> None:
        with tarfile.open(partial, "w") as tar:
            tar.add(folder, arcname=folder.name)

    write_atomically(archive, write)
    if archive.stat().st_size <= PART_BYTES:
        return [archive]
    parts: list[Path] = []
    try:
        with archive.open("rb") as file:
            while chunk := file.read(PART_BYTES):
                parts.append(out / f"{archive.name}.part-{len(parts):02}")
                parts[-1].write_bytes(chunk)
    except OSError:
        for part in parts:
            part.unlink(missing_ok=True)
        raise
    finally:
        archive.unlink()
    return parts


def _write_readme(out: Path, runs: Path, outcomes: Sequence[Outcome]) -> None:
    lines = ["Results of a training plan of FERscope:", "", *(f"    {o.name}: {_result(o)}" for o in outcomes)]
    finished = [o.name for o in outcomes if o.checkpoint]
    if finished:
        files = {name: f"{name}.tar" if (out / f"{name}.tar").is_file() else f"{name}.tar.part-*" for name in finished}
        lines += ["", "Join and unpack the checkpoints in this folder, with the path of FERscope's checkpoints/:", ""]
        lines += [f"    cat {files[name]} | tar -x -C checkpoints" for name in finished]
    if len(finished) < len(outcomes):
        lines += ["", f"The same command resumes the other runs from their states in {runs}."]
    write_text(out / "README", "\n".join(lines) + "\n")


def _result(outcome: Outcome) -> str:
    if outcome.checkpoint is None:
        return outcome.reason
    metrics = outcome.checkpoint.card.metrics
    data = outcome.checkpoint.card.data
    return ", ".join(f"{data.split_name(split)} {summary.accuracy}" for split, summary in metrics.items())
