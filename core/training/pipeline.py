"""From a recipe and a data set to a checkpoint: check, read, train, publish."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch

from core.checkpoints import ROOT, Checkpoint, load_checkpoint
from core.data import DatasetInfo, Samples, read
from core.data.identity import identify
from core.errors import CheckpointError, RecipeError, TrainingError, UnknownModelError
from core.inference import prepared_images
from core.models import Network, build_unfilled, count_parameters
from core.training.fabric import Fabric, hardware, make_fabric
from core.training.loop import Progress, fit
from core.training.publish import best_network, publish
from core.training.recipe import Recipe, load_recipe
from core.training.run_folder import RunFolder, origin
from core.training.targets import check_samples, preprocessing_of, training_data, training_samples
from core.training.teachers import check_prerequisites, mean_probabilities, prerequisites, stand_in, untrained
from core.validation import first_line


def train(
    recipe: Recipe,
    data_path: Path,
    *,
    runs: Path = Path("runs"),
    root: Path = ROOT,
    val_only: bool = False,
    skip_bad: bool = False,
    split: str | None = None,
    seed: int = 0,
    ship_weights: bool = True,
    progress: Progress | None = None,
) -> Checkpoint | None:
    """Train a recipe, or resume its run, and write its checkpoint below ``root``.

    ``split`` and ``seed`` divide a data set that lacks splits, as in :func:`core.data.read`. ``val_only`` leaves the
    test split unread, for runs that are still being compared. Returns None in the processes of a distributed run that
    write nothing. Raises RecipeError, DataError and TrainingError before the first epoch for a mistake in the recipe,
    the data set or the folder of the run.
    """
    # Before the data are read, which takes a while.
    check_recipe(recipe)
    samples = read(
        data_path, size_px=recipe.size_px, channels=recipe.channels, skip_bad=skip_bad, split=split, seed=seed
    )
    return train_on(
        recipe, samples, runs=runs, root=root, val_only=val_only, ship_weights=ship_weights, progress=progress
    )


def train_on(
    recipe: Recipe,
    samples: Samples,
    *,
    runs: Path,
    root: Path,
    val_only: bool = False,
    ship_weights: bool = True,
    store_every_s: float = 0.0,
    progress: Progress | None = None,
) -> Checkpoint | None:
    """Like :func:`train`, for a data set that has been read at the recipe's size and channels."""
    read_samples, samples = samples, training_samples(recipe, samples)
    check_samples(recipe, samples, val_only=val_only)
    data = identify(read_samples, samples)
    fabric = make_fabric(recipe.precision)
    run = RunFolder(runs / recipe.name)
    for needed in untrained(recipe, data, run, root):
        check_samples(needed, samples, val_only=True)
    with run.lock() if fabric.is_global_zero else nullcontext():
        _claim(recipe, data, run, fabric)
        _check_destination(recipe, data, root)
        with _memory_errors(recipe):
            _train_run(recipe, samples, data, run, root, fabric, store_every_s, progress)
            if not fabric.is_global_zero:
                return None
            return publish(
                recipe,
                samples,
                data,
                preprocessing_of(recipe),
                run,
                root,
                device=fabric.device,
                trained_on=run.hardware() or hardware(fabric),
                val_only=val_only,
                ship_weights=ship_weights,
            )


@contextmanager
def _memory_errors(recipe: Recipe) -> Iterator[None]:
    """Raise TrainingError where the memory of the GPU does not suffice for a recipe."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise TrainingError(
            f"{recipe.name}: the GPU has too little free memory for batches of {recipe.batch_size} images; end other "
            "programs that use it, or give the recipe a smaller batch_size and another name"
        ) from error


def _claim(recipe: Recipe, data: DatasetInfo, run: RunFolder, fabric: Fabric) -> None:
    if fabric.is_global_zero:
        run.claim(recipe, data)
    fabric.barrier()


def _check_destination(recipe: Recipe, data: DatasetInfo, root: Path) -> None:
    """Raise TrainingError where the checkpoint cannot be written, or would replace a network that is imported or was
    trained on other data."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=root).close()
    except OSError as error:
        raise TrainingError(
            f"{root} cannot be written ({error.strerror or error}); choose another folder with --checkpoints"
        ) from error
    try:
        card = load_checkpoint(root / recipe.name).card
    except CheckpointError:
        return
    if card.is_imported:
        found = "an imported network"
    elif card.data.fingerprint and not card.data.matches(*data.fingerprints):
        found = f"a network that was trained on other images, labels, splits or image sizes ({card.data.title})"
    else:
        return
    raise TrainingError(
        f"{root / recipe.name} is {found}; copy the recipe to a TOML file with another name, or choose another folder "
        "with --checkpoints"
    )


def _train_run(
    recipe: Recipe,
    samples: Samples,
    data: DatasetInfo,
    run: RunFolder,
    root: Path,
    fabric: Fabric,
    store_every_s: float,
    progress: Progress | None,
) -> None:
    """Train or resume one run, whose folder is claimed; the runs it builds on are trained first where neither they nor
    their checkpoints exist."""
    state = run.load_state()
    if state is not None and state["epoch"] >= recipe.epochs:
        return
    check_space(recipe, len(samples.labels), run)
    preprocessing = preprocessing_of(recipe)

    def finished(source: str) -> Network:
        needed = load_recipe(source)
        folder = run.beside(needed)
        if checkpoint := stand_in(needed, data, folder, root):
            return checkpoint.network()
        with folder.lock() if fabric.is_global_zero else nullcontext(), _memory_errors(needed):
            _claim(needed, data, folder, fabric)
            own = fabric if needed.precision == recipe.precision else make_fabric(needed.precision)
            _train_run(needed, samples, data, folder, root, own, store_every_s, progress)
        return best_network(needed, len(samples.labels), folder)

    start = finished(recipe.start).state_dict() if recipe.start and state is None else None
    teacher_probabilities = None
    if recipe.teachers:
        images = prepared_images(samples.of("train"), preprocessing)
        teacher_probabilities = mean_probabilities(
            [finished(s) for s in recipe.teachers], images, preprocessing, fabric
        )
    fit(
        recipe,
        training_data(recipe, samples, preprocessing, teacher_probabilities),
        preprocessing,
        run,
        origin(recipe, data),
        fabric=fabric,
        state=state,
        start=start,
        store_every_s=store_every_s,
        progress=progress,
    )
    fabric.barrier()  # the first process stores the last epoch, and every process reads it


def check_recipe(recipe: Recipe) -> None:
    """Raise RecipeError where a recipe, or one that it builds on, cannot be trained, whatever the data are."""
    check_network(recipe)
    check_prerequisites(recipe)
    for needed in prerequisites(recipe):
        check_recipe(needed)


def check_network(recipe: Recipe) -> None:
    """Raise RecipeError where the network cannot be built, or cannot process a batch at one of the recipe's sizes.

    No memory is used for weights or images, and it takes a second.
    """
    wrong = f"{recipe.architecture} cannot be built with the options {dict(recipe.model)}"
    try:
        network = _without_memory(recipe)
        for size_px in filter(None, (recipe.size_px, recipe.small_px)):
            wrong = f"{recipe.architecture} cannot process images of {size_px} px"
            network.train()(torch.empty(recipe.batch_size, recipe.channels, size_px, size_px, device="meta"))
    except UnknownModelError as error:
        raise RecipeError(f"{recipe.name}: {error}") from error
    except Exception as error:  # of many types, because the options are whatever a network family accepts
        raise RecipeError(f"{recipe.name}: {wrong} ({first_line(error)}); change the recipe") from error


def _without_memory(recipe: Recipe, classes: int = 2) -> Network:
    with torch.device("meta"):
        return build_unfilled(recipe.architecture, classes=classes, channels=recipe.channels, options=recipe.model)


def check_space(recipe: Recipe, classes: int, run: RunFolder) -> None:
    """Raise TrainingError, before the first epoch, where the disk has no room for the run's state."""
    # In float32: the network, its optimizer's moments, its average, and the best weights. Twice, since a new state is
    # written next to the previous one, unless that one exists already.
    copies = 2 + {"sgd": 1}.get(recipe.optimizer, 2) + bool(recipe.ema)
    needed = 4 * count_parameters(_without_memory(recipe, classes)) * copies * (1 if run.state_path.is_file() else 2)
    free = shutil.disk_usage(run.path).free
    if free < needed:
        raise TrainingError(
            f"{recipe.name} needs {needed / 1e6:,.0f} MB for its state in {run.path}, but {free / 1e6:,.0f} MB are "
            "free; free some disk space, or give another folder with --runs"
        )
