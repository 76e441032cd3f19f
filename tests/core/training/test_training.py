import dataclasses
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from core.checkpoints import list_checkpoints, load_checkpoint
from core.data import FERPLUS_COLUMNS, Samples, read
from core.errors import DataError, RecipeError
from core.labels import FER7, FERPLUS8
from core.models import build_network
from core.preprocessing import Preprocessing
from core.training import Interrupted, train
from core.training.loop import finished_epochs, make_fabric
from core.training.recipe import RECIPES, load_recipe
from core.training.runs import assert_needs_fit, mean_answer, resident_data, training_samples, vote_distribution
from tests.conftest import CLASSES, tiny_recipe

ROOT = Path(__file__).resolve().parents[3]


def test_a_tiny_network_learns_a_generated_folder(checkpoint_root):
    for checkpoint in list_checkpoints(checkpoint_root).checkpoints:
        accuracy = checkpoint.card.metrics["test"].accuracy
        assert accuracy.low > 1 / len(CLASSES)


def test_a_run_leaves_everything_the_pages_need(checkpoint_root):
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
    card = json.loads((folder / "card.json").read_text())
    assert card["labels"]["classes"] == list(CLASSES)
    assert card["chosen_epoch"] == int(history.loc[history["val_accuracy"].idxmax(), "epoch"])


def test_an_interrupted_run_ends_with_the_weights_of_an_uninterrupted_one(image_folder, tmp_path):
    recipe = tiny_recipe(name="run", epochs=3, ema=0.9, model={"stem": 4, "widths": [8], "blocks": 1})
    train(recipe, image_folder, runs=tmp_path / "whole", root=tmp_path / "a", val_only=True)

    def stop_after_the_first(row, _left):
        if row.epoch == 1:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="stopped after epoch 1 of 3"):
        train(recipe, image_folder, runs=tmp_path / "cut", root=tmp_path / "b", progress=stop_after_the_first)
    assert not (tmp_path / "b" / "run").exists()
    train(recipe, image_folder, runs=tmp_path / "cut", root=tmp_path / "b", val_only=True)

    whole = load_file(tmp_path / "a" / "run" / "weights.safetensors")
    resumed = load_file(tmp_path / "b" / "run" / "weights.safetensors")
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_a_run_that_only_chooses_does_not_read_the_test_split(image_folder, tmp_path):
    recipe = tiny_recipe(epochs=1, model={"stem": 4, "widths": [4], "blocks": 1})
    checkpoint = train(recipe, image_folder, runs=tmp_path / "runs", root=tmp_path / "out", val_only=True)
    assert checkpoint is not None
    assert set(checkpoint.card.metrics) == {"val"}
    assert not (checkpoint.path / "predictions-test.parquet").exists()


def test_a_run_folder_belongs_to_one_recipe(image_folder, tmp_path):
    recipe = tiny_recipe(epochs=1, model={"stem": 4, "widths": [4], "blocks": 1})
    train(recipe, image_folder, runs=tmp_path / "runs", root=tmp_path / "out", val_only=True)
    other = dataclasses.replace(recipe, learning_rate=1e-4)
    with pytest.raises(RecipeError, match="another version of tiny"):
        train(other, image_folder, runs=tmp_path / "runs", root=tmp_path / "out")


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize(
    "knobs",
    [
        {"mixup": 0.4, "cutmix": 1.0},
        {"class_weights": "balanced", "schedule": "plateau", "clip_norm": 1.0},
        {"small_px": 16, "small_part": 0.5},
    ],
)
def test_every_knob_runs(image_folder, tmp_path, optimizer, knobs):
    recipe = tiny_recipe(
        epochs=2, optimizer=optimizer, learning_rate=1e-2, model={"stem": 4, "widths": [4], "blocks": 1}, **knobs
    )
    checkpoint = train(recipe, image_folder, runs=tmp_path / "runs", root=tmp_path / "out", val_only=True)
    assert checkpoint is not None
    assert np.isfinite(checkpoint.history()["train_loss"]).all()


def test_a_teacher_is_trained_first_and_once(image_folder, tmp_path):
    teacher = tmp_path / "teacher.toml"
    teacher.write_text(
        'architecture = "cnn"\nlabels = "data"\nepochs = 1\nbatch_size = 16\n'
        "[model]\nstem = 4\nwidths = [8, 8]\nblocks = 1\n"
    )
    student = tiny_recipe(
        name="student",
        epochs=1,
        model={"stem": 4, "widths": [4], "blocks": 1},
        teachers=(str(teacher),),
        teachers_weight=0.5,
    )
    arguments = {"runs": tmp_path / "runs", "root": tmp_path / "out", "val_only": True}
    train(student, image_folder, **arguments)
    weights = tmp_path / "runs" / "teacher" / "best.safetensors"
    first = weights.stat().st_mtime_ns
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"student"}
    assert finished_epochs(tmp_path / "runs" / "student") == 1
    weights.rename(weights.with_suffix(".away"))  # a finished student is not taught again
    train(student, image_folder, **arguments)
    weights.with_suffix(".away").rename(weights)
    train(dataclasses.replace(student, name="other", seed=1), image_folder, **arguments)
    assert weights.stat().st_mtime_ns == first


def test_teachers_answer_for_their_part_of_the_target(image_folder):
    recipe = tiny_recipe(teachers=("teacher_cnn",), teachers_weight=0.7)
    samples = training_samples(recipe, read(image_folder, size_px=recipe.size_px, channels=recipe.channels))
    preprocessing = Preprocessing(size_px=recipe.size_px, channels=recipe.channels)
    teachers = [build_network("cnn", classes=3, channels=1, stem=4, widths=[8, 8], blocks=1) for _ in range(2)]
    answers = mean_answer(teachers, samples, preprocessing, make_fabric(recipe))
    data = resident_data(recipe, samples, preprocessing)
    assert torch.allclose(answers.sum(1), torch.ones(len(answers)), atol=1e-5)
    assert torch.allclose(data.targets.sum(1), torch.full((len(answers),), 0.3), atol=1e-5)
    flipped = dataclasses.replace(samples, images=np.ascontiguousarray(samples.images[:, :, ::-1]))
    again = mean_answer(teachers, flipped, preprocessing, make_fabric(recipe))
    assert torch.allclose(answers, again, atol=1e-5)  # the mean over an image and its mirror image


def write_recipe(path, **knobs):
    """A recipe file for a network of a few weights."""
    lines = {"architecture": "cnn", "labels": "data", "epochs": 1, "batch_size": 16} | knobs
    model = "[model]\nstem = 4\nwidths = [8, 8]\nblocks = 1\n"
    path.write_text("\n".join(f"{k} = {json.dumps(v)}" for k, v in lines.items()) + "\n" + model)
    return str(path)


def test_a_run_starts_from_the_weights_of_another(image_folder, tmp_path):
    first = write_recipe(tmp_path / "first.toml")
    second = write_recipe(tmp_path / "second.toml", start=first, learning_rate=1e-12)
    arguments = {"runs": tmp_path / "runs", "root": tmp_path / "out", "val_only": True}
    train(load_recipe(second), image_folder, **arguments)
    old, new = (load_file(tmp_path / "runs" / run / "best.safetensors") for run in ("first", "second"))
    assert all(torch.allclose(old[k], new[k], atol=1e-6) for k in old if "running" not in k and "num_" not in k)


def test_a_recipe_that_waits_for_itself_is_refused(image_folder, tmp_path):
    write_recipe(tmp_path / "a.toml", start=str(tmp_path / "b.toml"))
    write_recipe(tmp_path / "b.toml", teachers=[str(tmp_path / "a.toml")], teachers_weight=0.5)
    with pytest.raises(RecipeError, match="a needs b needs a: a recipe cannot learn from its own result"):
        train(load_recipe(tmp_path / "a.toml"), image_folder, runs=tmp_path / "runs", root=tmp_path / "out")


def test_a_teacher_that_sees_other_images_is_refused(image_folder, tmp_path):
    teacher = write_recipe(tmp_path / "teacher.toml", size_px=32)
    student = write_recipe(tmp_path / "student.toml", teachers=[teacher], teachers_weight=0.5)
    with pytest.raises(RecipeError, match=r"student and teacher must see the same images.*, but size_px is 48"):
        train(load_recipe(student), image_folder, runs=tmp_path / "runs", root=tmp_path / "out")
    # What was refused leaves nothing behind that would stand in the way of the mended recipe.
    write_recipe(tmp_path / "teacher.toml")
    train(load_recipe(student), image_folder, runs=tmp_path / "runs", root=tmp_path / "out", val_only=True)


@pytest.mark.parametrize("recipe", [p.stem for p in RECIPES.glob("*.toml")])
def test_what_a_shipped_recipe_stands_on_fits_it(recipe):
    assert_needs_fit(load_recipe(recipe))


def test_a_run_starts_from_the_same_network_only(image_folder, tmp_path):
    first = write_recipe(tmp_path / "first.toml", architecture="residual_cnn")
    second = write_recipe(tmp_path / "second.toml", start=first)
    with pytest.raises(RecipeError, match=r"second can start from a run of the same network only: cnn .* residual_cnn"):
        train(load_recipe(second), image_folder, runs=tmp_path / "runs", root=tmp_path / "out")


def test_an_interrupted_run_does_not_need_its_start_again(image_folder, tmp_path):
    first = write_recipe(tmp_path / "first.toml")
    second = write_recipe(tmp_path / "second.toml", start=first, epochs=2)
    arguments = {"runs": tmp_path / "runs", "root": tmp_path / "out", "val_only": True}

    def stop_in_the_second(row, _left):
        if (tmp_path / "runs" / "second" / "history.csv").is_file():
            raise KeyboardInterrupt

    with pytest.raises(Interrupted):
        train(load_recipe(second), image_folder, progress=stop_in_the_second, **arguments)
    (tmp_path / "runs" / "first" / "best.safetensors").unlink()
    checkpoint = train(load_recipe(second), image_folder, **arguments)
    assert checkpoint is not None
    assert list(checkpoint.history()["epoch"]) == [1, 2]
    # The card says what it stands on, and what that took.
    assert list(checkpoint.card.prerequisite_seconds) == ["first"]
    assert checkpoint.card.training_time.endswith(" for first")
    # A finished run is judged again without the runs it stood on.
    shutil.rmtree(tmp_path / "runs" / "first")
    again = train(load_recipe(second), image_folder, **arguments)
    assert again is not None
    assert not again.card.prerequisite_seconds


def test_other_classes_than_the_recipe_expects_are_named(image_folder):
    with pytest.raises(RecipeError, match=r"fer_cnn is for FER7 .* but shapes has bright, dark, striped"):
        training_samples(load_recipe("fer_cnn"), read(image_folder))


def fer_rows(n, labels=FER7, votes=None):
    return Samples(
        "rows",
        labels,
        np.zeros((n, 48, 48), np.uint8),
        np.arange(n) % len(labels),
        np.array(["train", "val"] * (n // 2)),
        np.arange(n),
        votes,
    )


def test_the_same_classes_in_another_order_are_put_into_the_recipes_order():
    alphabetical = dataclasses.replace(FER7, name="custom", classes=tuple(sorted(FER7.classes)))
    samples = training_samples(load_recipe("fer_cnn"), fer_rows(14, alphabetical))
    assert samples.labels == FER7
    assert [FER7.classes[t] for t in samples.truth[:7]] == sorted(FER7.classes)


def test_votes_become_shares_over_the_classes():
    votes = np.zeros((2, 10), np.int16)
    votes[0, FERPLUS_COLUMNS.index("happiness")] = 6
    votes[0, FERPLUS_COLUMNS.index("surprise")] = 2
    votes[0, FERPLUS_COLUMNS.index("contempt")] = 2  # FER7 has no contempt: left out, the rest adds to 1
    shares, voted = vote_distribution(votes, FER7)
    assert shares[0, FER7.index("happy")] == pytest.approx(0.75)
    assert shares[0, FER7.index("surprise")] == pytest.approx(0.25)
    assert list(voted) == [True, False]
    assert vote_distribution(votes, FERPLUS8)[0][0, FERPLUS8.index("contempt")] == pytest.approx(0.2)


def test_votes_are_mixed_into_the_targets_where_there_are_any():
    votes = np.zeros((4, 10), np.int16)
    votes[0, FERPLUS_COLUMNS.index("happiness")] = 10
    recipe = dataclasses.replace(load_recipe("teacher_cnn"), votes_weight=0.5)
    data = resident_data(recipe, fer_rows(4, votes=votes), Preprocessing())
    assert data.targets[0, FER7.index("angry")] == pytest.approx(0.5)
    assert data.targets[0, FER7.index("happy")] == pytest.approx(0.5)
    assert data.targets[1].max() == 1.0
    with pytest.raises(DataError, match="has none"):
        resident_data(recipe, fer_rows(4), Preprocessing())


def test_the_card_fits_the_shipped_file(checkpoint_root, image_folder):
    from core.measurements import evaluate_checkpoint

    checkpoint = load_checkpoint(checkpoint_root / "tiny_residual")
    again = evaluate_checkpoint(checkpoint, image_folder, "test", skip_bad=False)
    assert again.accuracy == checkpoint.card.metrics["test"].accuracy


def test_two_processes_train_one_network(image_folder, tmp_path):
    recipe = tmp_path / "pair.toml"
    recipe.write_text(
        'architecture = "cnn"\nlabels = "data"\nepochs = 2\nbatch_size = 16\nlearning_rate = 5e-3\n'
        "[model]\nstem = 4\nwidths = [8, 8]\nblocks = 1\n"
    )
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc_per_node",
        "2",
        "--master_port",
        str(free_port()),
    ]
    command += ["-m", "core", "train", str(recipe), "--data", str(image_folder), "--val-only"]
    command += ["--runs", str(tmp_path / "runs"), "--checkpoints", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    checkpoint = load_checkpoint(tmp_path / "out" / "pair")
    assert len(checkpoint.history()) == 2
    assert checkpoint.card.metrics["val"].n == 36


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
