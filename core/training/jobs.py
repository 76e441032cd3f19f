"""From a recipe and a data set to a checkpoint that can be shown: read, fit, judge, write the card."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import subprocess
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from safetensors.torch import load_file
from torch import Tensor

from core import checkpoints
from core.checkpoints import Checkpoint, ModelCard
from core.data import DataError, Samples, read, with_ferplus_labels
from core.evaluation import fit_temperature, summarise
from core.faces import MEASURED
from core.inference import embed_split, embedding_path, evaluate, infer_logits, prepared_images
from core.labels import FER7, FERPLUS8, LABEL_SETS, LabelSet
from core.models import Network, build_network, count_macs, count_parameters, family
from core.preprocessing import Preprocessing
from core.training.loop import Progress, ResidentData, finished_epochs, fit, make_fabric
from core.training.recipe import Recipe, RecipeError, as_values, load_recipe, recipe_from

LICENCE = (
    "The weights derive from FER2013, whose images were collected from the web for research (Goodfellow et al. 2013): "
    "research use only. FERscope's code is under the MIT licence."
)
LIMITS = (
    "Says which posed or caught expression a 48 px grey face was labelled with, not what a person feels. Many labels "
    "of FER2013 are disputed; ages, skin tones and cultures are unevenly represented and not annotated."
)


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


def learn(
    recipe: Recipe,
    samples: Samples,
    preprocessing: Preprocessing,
    runs: Path,
    *,
    fabric: Fabric | None = None,
    progress: Progress | None = None,
    asked_by: tuple[str, ...] = (),
) -> Path:
    """Train a recipe in its run folder below ``runs``, or go on there, and return that folder.

    The runs it starts from or learns from are trained first where they are missing or unfinished, so one command
    reproduces whatever stands on others. Raises RecipeError where a recipe would have to wait for itself
    (``asked_by``: the recipes waiting for this one) or where the runs see different images.
    """
    if recipe.name in asked_by:
        raise RecipeError(f"{' needs '.join((*asked_by, recipe.name))}: a recipe cannot learn from its own result")
    if (recipe.size_px, recipe.channels, recipe.equalize) != (
        preprocessing.size_px,
        preprocessing.channels,
        preprocessing.equalize,
    ):
        raise RecipeError(
            f"{asked_by[-1]} and {recipe.name} must see the same images: size_px, channels and equalize have to agree"
        )
    run_dir = runs / recipe.name
    _assert_same_recipe(recipe, run_dir)
    if finished_epochs(run_dir) >= recipe.epochs:
        return run_dir
    fabric = fabric or make_fabric(recipe)

    def finished(source: str) -> Network:
        needed = load_recipe(source)
        folder = learn(needed, samples, preprocessing, runs, progress=progress, asked_by=(*asked_by, recipe.name))
        return _network(needed, samples, folder)

    data = resident_data(recipe, samples, preprocessing)
    start = finished(recipe.start).state_dict() if recipe.start else None
    if recipe.teachers:
        answers = mean_answer([finished(source) for source in recipe.teachers], samples, preprocessing, fabric)
        data = dataclasses.replace(data, targets=data.targets + recipe.teachers_weight * answers)
    fit(recipe, data, preprocessing, run_dir, fabric=fabric, start=start, progress=progress)
    return run_dir


def training_samples(recipe: Recipe, samples: Samples) -> Samples:
    """The samples with the recipe's classes. Raises RecipeError where the data has other ones."""
    if recipe.target == "ferplus":
        return with_ferplus_labels(samples)
    if recipe.labels != "data":
        expected = LABEL_SETS.get(recipe.labels)
        if expected is None:
            raise RecipeError(f"labels must be one of {', '.join(LABEL_SETS)} or data, got {recipe.labels!r}")
        if sorted(expected.classes) != sorted(samples.labels.classes):
            raise RecipeError(
                f"{recipe.name} is for {expected.name} ({', '.join(expected.classes)}), but {samples.name} has "
                f'{", ".join(samples.labels.classes)}; choose other data or set labels = "data"'
            )
        if expected.classes != samples.labels.classes:
            return samples.ordered_like(expected)  # the recipe's order is the logits' order
    return samples


def resident_data(recipe: Recipe, samples: Samples, preprocessing: Preprocessing) -> ResidentData:
    """Both splits as tensors; targets are one-hot, mixed with the FER+ votes where the recipe asks for it.

    The teachers' part of the targets is left out: rows sum to 1 - teachers_weight.
    """
    training, validation = samples.of("train"), samples.of("val")
    truth = torch.from_numpy(training.truth)
    labelled = F.one_hot(truth, len(samples.labels)).float()
    targets = labelled * (1 - recipe.teachers_weight)
    if recipe.votes_weight:
        if training.votes is None:
            raise DataError(f"{recipe.name} mixes FER+ votes into its targets, but {samples.name} has none")
        votes, voted = vote_distribution(training.votes, samples.labels)
        share = torch.from_numpy(np.where(voted, recipe.votes_weight, 0.0).astype(np.float32))[:, None]
        targets += share * (torch.from_numpy(votes) - labelled)
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


def _finish(
    recipe: Recipe,
    samples: Samples,
    preprocessing: Preprocessing,
    run_dir: Path,
    root: Path,
    fabric: Fabric,
    val_only: bool,
) -> Checkpoint:
    """Judge the best weights as they will ship, in half precision, and write everything; the card last."""
    target = root / recipe.name
    target.mkdir(parents=True, exist_ok=True)
    (target / checkpoints.CARD).unlink(missing_ok=True)
    for stale in target.glob("*.parquet"):  # what an earlier network answered
        stale.unlink()
    network = _network(recipe, samples, run_dir)
    digest = checkpoints.save_weights(network, target / checkpoints.WEIGHTS)
    shipped = {k: t.half().float() if t.ndim > 1 else t for k, t in network.state_dict().items()}
    network.load_state_dict(shipped)
    network = network.eval()

    history = pd.read_csv(run_dir / "history.csv")
    history.to_csv(target / checkpoints.HISTORY, index=False)
    run = evaluate(network, preprocessing, samples, "val", model_id=recipe.name)
    temperature = fit_temperature(run.logits, run.truth)
    runs = {"val": dataclasses.replace(run, temperature=temperature)}
    if not val_only:
        runs["test"] = evaluate(network, preprocessing, samples, "test", model_id=recipe.name, temperature=temperature)
    for split, answers in runs.items():
        answers.save(target / f"predictions-{split}.parquet")
        embedding = embed_split(network, preprocessing, samples, split, model_id=recipe.name, weights_sha256=digest)
        embedding.save(embedding_path(target, split))

    card = ModelCard(
        run_id=recipe.name,
        title=family(recipe.architecture).title,
        architecture=recipe.architecture,
        labels=samples.labels,
        preprocessing=preprocessing,
        cam_layer=network.default_stage,
        temperature=temperature,
        recipe=as_values(recipe),
        data={
            "name": samples.name,
            "fingerprint": samples.fingerprint(),
            "images": {split: int(n) for split, n in Counter(samples.split.tolist()).items()},
        },
        parameters=count_parameters(network),
        macs=count_macs(network, recipe.channels, recipe.size_px),
        metrics={split: summarise(answers) for split, answers in runs.items()},
        chosen_epoch=int(history["epoch"].iloc[int(history["val_accuracy"].argmax())]),
        training_seconds=float(history["seconds"].sum()),
        hardware=_hardware(fabric),
        versions={"python": platform.python_version(), "torch": torch.__version__},
        licence=LICENCE if samples.name == "FER2013" else f"The weights derive from {samples.name}; its terms apply.",
        limits=LIMITS if samples.name == "FER2013" else "Not stated.",
        commit=_commit(),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        weights_sha256=digest,
        model_options=dict(recipe.model),
    )
    checkpoints.save_card(card, target)
    return Checkpoint(target, card)


def _network(recipe: Recipe, samples: Samples, run_dir: Path) -> Network:
    """The best network of a finished run."""
    options = {**recipe.model, **({"imagenet": False} if recipe.model.get("imagenet") else {})}  # nothing to download
    network = build_network(recipe.architecture, classes=len(samples.labels), channels=recipe.channels, **options)
    network.load_state_dict(load_file(run_dir / "best.safetensors"))
    return network


def _assert_same_recipe(recipe: Recipe, run_dir: Path) -> None:
    """A run folder belongs to one recipe: going on with other knobs would make a history of two runs."""
    note = run_dir / "recipe.json"
    if note.is_file() and recipe_from(json.loads(note.read_text(encoding="utf-8"))) != recipe:
        raise RecipeError(
            f"{run_dir} holds an unfinished run of another version of {recipe.name}; delete that folder, or give the "
            "recipe another name"
        )
    run_dir.mkdir(parents=True, exist_ok=True)
    note.write_text(json.dumps(as_values(recipe)), encoding="utf-8")


def _hardware(fabric: Fabric) -> str:
    if fabric.device.type == "cuda":
        return f"{fabric.world_size} x {torch.cuda.get_device_name(fabric.device)}"
    return f"CPU, {torch.get_num_threads()} threads of {os.cpu_count()} cores"


def _commit() -> str:
    """The commit the run was made from, or "unknown" outside a checkout."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"],
            capture_output=True,
            text=True,
            check=True,
            cwd=checkpoints.ROOT.parent,
        )
        return done.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
