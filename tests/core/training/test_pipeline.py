import dataclasses
import os
import shutil
import socket
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from core.checkpoints import list_checkpoints, load_checkpoint
from core.errors import CheckpointError, DataError, RecipeError, TrainingError
from core.importing import ImportOptions, import_weights
from core.labels import PAIN6
from core.measurements import evaluate_checkpoint
from core.training import load_recipe, train
from tests.conftest import CLASSES, tiny_recipe, write_folder
from tests.core.training.conftest import SMALL, write_recipe

ROOT = Path(__file__).resolve().parents[3]


def test_tiny_network_learns_a_generated_folder(checkpoint_root):
    for checkpoint in list_checkpoints(checkpoint_root).checkpoints:
        accuracy = checkpoint.card.metrics["test"].accuracy
        assert accuracy.low > 1 / len(CLASSES)


def test_checkpoint_has_every_file_and_a_complete_card(checkpoint_root):
    folder = checkpoint_root / "tiny_cnn"
    assert {p.name for p in folder.iterdir()} == {
        "weights.safetensors",
        "card.json",
        "history.csv",
        "predictions-val.parquet",
        "predictions-test.parquet",
        "embeddings-val.parquet",
        "embeddings-test.parquet",
    }
    history = pd.read_csv(folder / "history.csv")
    assert list(history["epoch"]) == [1, 2, 3]
    card = load_checkpoint(folder).card
    assert card.labels.classes == CLASSES
    assert card.chosen_epoch == int(history.loc[history["val_accuracy"].idxmax(), "epoch"])
    assert card.data.images == {"train": 96, "val": 36, "test": 36}
    assert card.data.split_name("test") == "test"
    assert card.data.license == "Not stated."
    assert card.milliseconds is not None
    assert card.milliseconds.value > 0
    assert "CPU" in card.milliseconds.hardware


def test_card_has_the_scores_of_the_shipped_file(checkpoint_root, image_folder):
    checkpoint = load_checkpoint(checkpoint_root / "tiny_residual")
    again = evaluate_checkpoint(checkpoint, image_folder, "test").summary
    assert again.accuracy == checkpoint.card.metrics["test"].accuracy


def test_run_with_val_only_does_not_read_the_test_split(image_folder, tmp_path):
    recipe = tiny_recipe(epochs=1, model=SMALL)
    checkpoint = train(recipe, image_folder, runs=tmp_path / "runs", root=tmp_path / "out", val_only=True)
    assert checkpoint is not None
    assert set(checkpoint.card.metrics) == {"val"}
    assert not checkpoint.predictions_path("test").exists()


def test_checkpoint_can_be_published_without_weights(image_folder, tmp_path):
    recipe = tiny_recipe(epochs=1, model=SMALL)
    checkpoint = train(recipe, image_folder, runs=tmp_path / "runs", root=tmp_path / "out", ship_weights=False)
    assert checkpoint is not None
    assert not checkpoint.weights_path.exists()
    assert len(checkpoint.evaluation("test")) == 36
    with pytest.raises(CheckpointError, match="python -m core train tiny"):
        checkpoint.network()


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize(
    "options",
    [
        {"mixup": 0.4, "cutmix": 1.0},
        {"class_weights": "balanced", "schedule": "plateau", "clip_norm": 1.0},
        {"small_px": 16, "small_part": 0.5},
        {"channels": 3, "equalize": "histogram", "momentum": 0.0},
    ],
)
def test_every_option_runs(image_folder, tmp_path, optimizer, options):
    recipe = tiny_recipe(epochs=2, optimizer=optimizer, learning_rate=1e-2, model=SMALL, **options)
    checkpoint = train(recipe, image_folder, runs=tmp_path / "runs", root=tmp_path / "out", val_only=True)
    assert checkpoint is not None
    assert np.isfinite(checkpoint.history()["train_loss"]).all()


def test_pain_recipe_trains_on_a_generated_folder_of_its_six_classes(tmp_path):
    random = np.random.default_rng(0)
    for split, class_name, number in product(("train", "val", "test"), PAIN6.classes, range(3)):
        folder = tmp_path / "pain" / split / class_name
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    recipe = load_recipe("pain6_resnet50")
    # Without the download, and small enough for a test; everything else is the recipe's.
    recipe = dataclasses.replace(recipe, model={**recipe.model, "imagenet": False}, size_px=32, batch_size=6, epochs=1)
    checkpoint = train(recipe, tmp_path / "pain", runs=tmp_path / "runs", root=tmp_path / "out")
    assert checkpoint is not None
    assert len(checkpoint.evaluation("test")) == 18
    assert checkpoint.card.labels == PAIN6
    assert checkpoint.card.preprocessing.channels == 3


def test_missing_test_split_is_named_before_anything_is_trained_or_replaced(image_folder, checkpoint_root, tmp_path):
    root = shutil.copytree(checkpoint_root, tmp_path / "out")
    data = shutil.copytree(image_folder, tmp_path / "shapes")
    shutil.rmtree(data / "test")
    before = {p.name: p.read_bytes() for p in (root / "tiny_cnn").iterdir()}
    with pytest.raises(DataError, match="add --val-only"):
        train(tiny_recipe(name="tiny_cnn"), data, runs=tmp_path / "runs", root=root)
    assert not (tmp_path / "runs").exists()
    assert {p.name: p.read_bytes() for p in (root / "tiny_cnn").iterdir()} == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architecture": "nope"}, "there is no network family 'nope'; known families: cnn"),
        ({"model": SMALL | {"dropouts": 0.3}}, "cnn cannot be built with the options .*'dropouts'"),
        ({"model": SMALL | {"imagenet": True}}, "cnn cannot be built with the options"),
        ({"model": SMALL | {"dropout": 5}}, "cnn cannot be built with the options .*dropout"),
        ({"model": {"widths": "wide"}}, "cnn cannot be built with the options"),
        ({"small_px": 2, "small_part": 0.5}, r"cnn cannot process images of 2 px \(.*too small\)"),
    ],
)
def test_a_network_that_cannot_be_trained_is_refused_before_the_data_are_read(tmp_path, changes, message):
    with pytest.raises(RecipeError, match=message) as raised:
        train(tiny_recipe(**changes), tmp_path / "nowhere.csv", runs=tmp_path / "runs", root=tmp_path / "out")
    assert "\n" not in str(raised.value)


def test_a_folder_of_runs_that_cannot_be_written_is_named(image_folder, tmp_path):
    (tmp_path / "file").write_text("")
    for runs in (tmp_path / "file", tmp_path / "file" / "runs"):
        with pytest.raises(TrainingError, match=r"tiny cannot be written .*; give another folder with --runs"):
            train(tiny_recipe(), image_folder, runs=runs, root=tmp_path / "out")


def test_missing_disk_space_is_named_before_the_first_epoch(image_folder, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(TrainingError, match=r"needs \d+ MB for its state in .*free some disk space"):
        train(tiny_recipe(), image_folder, runs=tmp_path / "runs", root=tmp_path / "out")


def test_folder_that_cannot_hold_the_checkpoint_is_named_before_the_first_epoch(image_folder, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match=r"file cannot be written .*choose another folder with --checkpoints"):
        train(tiny_recipe(), image_folder, runs=tmp_path / "runs", root=tmp_path / "file")
    assert not list((tmp_path / "runs").rglob("history.csv"))


def test_two_processes_train_one_network(image_folder, tmp_path):
    recipe = write_recipe(tmp_path / "pair.toml", epochs=2, learning_rate=5e-3)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
    command += ["--master_port", str(free_port()), "-m", "core", "train", recipe, "--data", str(image_folder)]
    command += ["--val-only", "--runs", str(tmp_path / "runs"), "--checkpoints", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    checkpoint = load_checkpoint(tmp_path / "out" / "pair")
    assert len(checkpoint.history()) == 2
    assert checkpoint.card.metrics["val"].n == 36


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_a_network_that_was_trained_on_other_data_is_not_replaced(image_folder, checkpoint_root, tmp_path):
    root = tmp_path / "checkpoints"
    shutil.copytree(checkpoint_root / "tiny_cnn", root / "tiny_cnn")
    before = {p.name: p.read_bytes() for p in (root / "tiny_cnn").iterdir()}
    other = write_folder(tmp_path / "other", {"train": 24, "val": 12, "test": 12})
    with pytest.raises(TrainingError, match=r"trained on other images, .*\(shapes\); copy the recipe to a TOML file"):
        train(tiny_recipe(name="tiny_cnn"), other, runs=tmp_path / "runs", root=root)
    assert not list((tmp_path / "runs").rglob("state.pt"))
    assert {p.name: p.read_bytes() for p in (root / "tiny_cnn").iterdir()} == before


def test_several_machines_are_refused(image_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(TrainingError, match="torchrun started 1 of 2 on this one; start it on one machine"):
        train(tiny_recipe(), image_folder, runs=tmp_path / "runs", root=tmp_path / "out")


def test_an_imported_network_is_not_replaced(image_folder, checkpoint, tmp_path):
    torch.save(checkpoint.network().state_dict(), tmp_path / "net.pt")
    options = ImportOptions("tiny", "cnn", checkpoint.card.labels, model_options=dict(checkpoint.card.model_options))
    import_weights(tmp_path / "net.pt", options, tmp_path / "out")
    with pytest.raises(TrainingError, match="tiny is an imported network; copy the recipe to a TOML file"):
        train(tiny_recipe(), image_folder, runs=tmp_path / "runs", root=tmp_path / "out")


@pytest.mark.parametrize("step", ["fit", "publish"])
def test_too_little_memory_of_a_gpu_is_one_sentence(image_folder, tmp_path, monkeypatch, step):
    def full(*_args, **_options):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(f"core.training.pipeline.{step}", full)
    with pytest.raises(TrainingError, match="too little free memory for batches of"):
        train(tiny_recipe(), image_folder, runs=tmp_path / "runs", root=tmp_path / "checkpoints")
