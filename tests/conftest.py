"""Fixtures shared by the tests: generated faces, and networks trained on them."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, settings
from PIL import Image

from core.checkpoints import Checkpoint, save_card
from core.training import Recipe, train
from core.training.recipe import Augmentation

torch.set_num_threads(1)
# A shell that starts the tests in the background lets them, and every program that they start, ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
# A slow machine is not a failure.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

CLASSES = ("bright", "dark", "striped")


def draw(class_name: str, random: np.random.Generator, size: int = 48) -> np.ndarray:
    """A noisy picture whose class a small network can learn within seconds."""
    noise = random.normal(0, 20, (size, size))
    level = {"bright": 190.0, "dark": 60.0, "striped": 125.0}[class_name]
    stripes = 70 * np.sin(np.arange(size) / 2)[:, None] if class_name == "striped" else 0
    return np.clip(level + stripes + noise, 0, 255).astype(np.uint8)


def write_folder(root: Path, per_class: dict[str, int], seed: int = 0) -> Path:
    """An image folder ``split/class/*.png`` with that many pictures per class and split."""
    random = np.random.default_rng(seed)
    for split, count in per_class.items():
        for name in CLASSES:
            folder = root / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                Image.fromarray(draw(name, random)).save(folder / f"{number:03}.png")
    return root


def tiny_recipe(**changes: object) -> Recipe:
    """A recipe that runs in a second or two."""
    defaults: dict[str, object] = {
        "name": "tiny",
        "architecture": "cnn",
        "summary": "a test's network",
        "model": {"stem": 8, "widths": [8, 16, 16], "blocks": 1},
        "labels": "data",
        "epochs": 3,
        "batch_size": 16,
        "learning_rate": 5e-3,
        "augmentation": Augmentation(brightness=0.05, contrast=0.1),
    }
    return Recipe(**{**defaults, **changes})  # type: ignore[arg-type]


def withhold_weights(checkpoint: Checkpoint) -> None:
    """Turn a checkpoint into one whose card, history and predictions are distributed without its weights."""
    save_card(dataclasses.replace(checkpoint.card, weights_shipped=False), checkpoint.path)
    checkpoint.weights_path.unlink()


@pytest.fixture(autouse=True)
def _own_main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit makes a page's script the main module, which processes started by a later test would run."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture(scope="session")
def image_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated data set of three classes."""
    return write_folder(tmp_path_factory.mktemp("data") / "shapes", {"train": 32, "val": 12, "test": 12})


@pytest.fixture(scope="session")
def checkpoint_root(tmp_path_factory: pytest.TempPathFactory, image_folder: Path) -> Path:
    """A folder with two networks that were really trained, on generated pictures."""
    root = tmp_path_factory.mktemp("networks") / "checkpoints"
    runs = tmp_path_factory.mktemp("runs")
    train(tiny_recipe(name="tiny_cnn"), image_folder, runs=runs, root=root)
    train(tiny_recipe(name="tiny_residual", architecture="residual_cnn", ema=0.9), image_folder, runs=runs, root=root)
    return root


@pytest.fixture(scope="session")
def checkpoint(checkpoint_root: Path) -> Checkpoint:
    """One of those networks."""
    from core.checkpoints import load_checkpoint

    return load_checkpoint(checkpoint_root / "tiny_cnn")


@pytest.fixture(scope="session")
def fer2013() -> Path:
    """The real data, where its path is in FERSCOPE_DATA."""
    path = Path(os.environ.get("FERSCOPE_DATA", ""))
    if not path.is_file():
        pytest.skip("FERSCOPE_DATA does not name a file with FER2013")
    return path
