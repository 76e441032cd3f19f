import dataclasses
import re
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from core.cli import app
from core.errors import DataError, RecipeError
from core.models import build_network
from core.preprocessing import Preprocessing
from core.training import RunFolder, load_recipe, train
from core.training.fabric import make_fabric
from core.training.loop import fit
from core.training.recipe import shipped_recipes
from core.training.teachers import check_prerequisites, mean_probabilities
from tests.conftest import tiny_recipe, write_folder
from tests.core.test_card_samples import write_csv
from tests.core.training.conftest import SMALL, write_recipe


@pytest.fixture
def folders(tmp_path):
    return {"runs": tmp_path / "runs", "root": tmp_path / "out", "val_only": True}


def best(run):
    (path,) = run.glob("best-*.safetensors")
    return path


@pytest.mark.parametrize("name", shipped_recipes())
def test_prerequisites_of_a_shipped_recipe_fit_it(name):
    check_prerequisites(load_recipe(name))


def test_teacher_is_trained_first_and_once(image_folder, tmp_path, folders):
    teacher = write_recipe(tmp_path / "teacher.toml")
    student = tiny_recipe(name="student", epochs=1, model=SMALL, teachers=(teacher,), teachers_weight=0.5)
    train(student, image_folder, **folders)
    weights = best(tmp_path / "runs" / "teacher")
    first = weights.stat().st_mtime_ns
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"student"}
    assert RunFolder(tmp_path / "runs" / "student").finished_epochs() == 1
    weights.rename(weights.with_suffix(".away"))  # a finished student is not trained again
    train(student, image_folder, **folders)
    weights.with_suffix(".away").rename(weights)
    train(dataclasses.replace(student, name="other", seed=1), image_folder, **folders)
    assert weights.stat().st_mtime_ns == first


def test_teacher_is_trained_where_a_checkpoint_of_its_name_is_of_other_data(image_folder, checkpoint_root, tmp_path):
    """Nothing is written to that checkpoint, so it does not matter."""
    root = Path(shutil.copytree(checkpoint_root, tmp_path / "out"))
    before = {p.name: p.read_bytes() for p in (root / "tiny_cnn").iterdir()}
    other = write_folder(tmp_path / "other", {"train": 24, "val": 12, "test": 12})
    teacher = write_recipe(tmp_path / "tiny_cnn.toml")
    student = tiny_recipe(name="student", epochs=1, model=SMALL, teachers=(teacher,), teachers_weight=0.5)
    train(student, other, runs=tmp_path / "runs", root=root, val_only=True)
    assert RunFolder(tmp_path / "runs" / "tiny_cnn").finished_epochs() == 1
    assert {p.name: p.read_bytes() for p in (root / "tiny_cnn").iterdir()} == before


def test_teacher_is_trained_in_its_own_precision(image_folder, folders, tmp_path, monkeypatch):
    used = {}

    def recorded(recipe, *args, fabric, **options):
        with fabric.autocast():
            used[recipe.name] = torch.is_autocast_enabled("cpu")
        return fit(recipe, *args, fabric=fabric, **options)

    monkeypatch.setattr("core.training.pipeline.fit", recorded)
    teacher = write_recipe(tmp_path / "teacher.toml", precision="bf16-mixed")
    student = tiny_recipe(name="student", epochs=1, model=SMALL, teachers=(teacher,), teachers_weight=0.5)
    train(student, image_folder, **folders)
    assert used == {"teacher": True, "student": False}


def test_epochs_are_shown_with_the_recipe_that_they_are_of(image_folder, tmp_path):
    teacher = write_recipe(tmp_path / "teacher.toml", epochs=2)
    student = write_recipe(tmp_path / "student.toml", teachers=[teacher], teachers_weight=0.5)
    arguments = [
        "train",
        student,
        "--data",
        image_folder,
        "--runs",
        tmp_path / "runs",
        "--checkpoints",
        tmp_path / "out",
    ]
    result = CliRunner().invoke(app, [*map(str, arguments), "--val-only"], catch_exceptions=False)
    shown = dict.fromkeys(re.findall(r"\w+: epoch \d/\d", result.stderr))
    assert list(shown) == ["teacher: epoch 1/2", "teacher: epoch 2/2", "student: epoch 1/1"]


def test_a_checkpoint_stands_for_a_teacher_whose_run_is_gone(image_folder, tmp_path, folders):
    teacher = write_recipe(tmp_path / "teacher.toml")
    trained = train(load_recipe(teacher), image_folder, **folders)
    shutil.rmtree(tmp_path / "runs")
    student = tiny_recipe(name="student", epochs=1, model=SMALL, teachers=(teacher,), teachers_weight=0.5)
    card = train(student, image_folder, **folders).card
    assert {p.name for p in (tmp_path / "runs").iterdir()} == {"student"}  # the teacher is not trained again
    assert card.prerequisite_seconds == {"teacher": trained.card.training_seconds}


def test_a_checkpoint_of_another_version_of_the_recipe_is_no_teacher(image_folder, tmp_path, folders):
    teacher = write_recipe(tmp_path / "teacher.toml")
    train(load_recipe(teacher), image_folder, **folders)
    shutil.rmtree(tmp_path / "runs")
    write_recipe(tmp_path / "teacher.toml", learning_rate=1e-4)
    student = tiny_recipe(name="student", epochs=1, model=SMALL, teachers=(teacher,), teachers_weight=0.5)
    train(student, image_folder, **folders)
    assert {p.name for p in (tmp_path / "runs").iterdir()} == {"student", "teacher"}


def test_mean_probabilities_are_those_of_an_image_and_its_mirror_image():
    teachers = [build_network("cnn", classes=3, channels=1, **SMALL) for _ in range(2)]
    images = torch.randint(256, (20, 48, 48), dtype=torch.uint8)
    fabric = make_fabric("32-true")
    mean = mean_probabilities(teachers, images, Preprocessing(), fabric)
    assert torch.allclose(mean.sum(1), torch.ones(20), atol=1e-5)
    assert torch.allclose(mean, mean_probabilities(teachers, images.flip(2), Preprocessing(), fabric), atol=1e-5)


def test_run_starts_from_the_weights_of_another(image_folder, tmp_path, folders):
    first = write_recipe(tmp_path / "first.toml")
    second = write_recipe(tmp_path / "second.toml", start=first, learning_rate=1e-12)
    train(load_recipe(second), image_folder, **folders)
    old, new = (load_file(best(tmp_path / "runs" / run)) for run in ("first", "second"))
    assert all(torch.allclose(old[k], new[k], atol=1e-6) for k in old if "running" not in k and "num_" not in k)


def test_recipe_that_depends_on_itself_is_refused(image_folder, tmp_path, folders):
    write_recipe(tmp_path / "a.toml", start=str(tmp_path / "b.toml"))
    write_recipe(tmp_path / "b.toml", teachers=[str(tmp_path / "a.toml")], teachers_weight=0.5)
    with pytest.raises(RecipeError, match="a builds on b builds on a: a recipe cannot learn from its own result"):
        train(load_recipe(tmp_path / "a.toml"), image_folder, **folders)


def test_teacher_with_other_images_is_refused_before_anything_is_written(image_folder, tmp_path, folders):
    teacher = write_recipe(tmp_path / "teacher.toml", size_px=32)
    student = write_recipe(tmp_path / "student.toml", teachers=[teacher], teachers_weight=0.5)
    with pytest.raises(RecipeError, match=r"student and teacher must use the same images.*, but size_px is 48"):
        train(load_recipe(student), image_folder, **folders)
    assert not (tmp_path / "runs").exists()


def test_votes_that_a_teacher_needs_are_required_before_the_first_epoch(tmp_path, folders):
    voted, unvoted = write_csv(tmp_path / "voted"), write_csv(tmp_path / "unvoted", votes=False)
    plain = write_recipe(tmp_path / "plain.toml", labels="FER7")
    voting = write_recipe(tmp_path / "voting.toml", labels="FER7", votes_weight=0.4, epochs=2)
    through = write_recipe(tmp_path / "through.toml", labels="FER7", start=voting)
    student = tiny_recipe(
        name="student", labels="FER7", epochs=1, model=SMALL, teachers=(plain, through), teachers_weight=0.5
    )

    def refused():
        with pytest.raises(DataError, match=r"voting mixes FER\+ votes .* put fer2013new\.csv next to"):
            train(student, unvoted, **folders)
        assert not (tmp_path / "runs" / "plain").exists()

    def stop(_recipe, _row, _left):
        raise KeyboardInterrupt

    refused()
    with pytest.raises(KeyboardInterrupt):
        train(load_recipe(voting), voted, progress=stop, **folders)
    refused()
    train(load_recipe(voting), voted, **folders)
    assert train(student, unvoted, **folders)  # the run is finished
    for name in ("student", "through", "plain", "voting"):
        shutil.rmtree(tmp_path / "runs" / name)
    assert train(student, unvoted, **folders)  # its checkpoint stands for the run
    assert not (tmp_path / "runs" / "voting").exists()


def test_a_teacher_that_cannot_be_built_is_refused_before_the_data_are_read(tmp_path, folders):
    teacher = write_recipe(tmp_path / "teacher.toml", architecture="nope")
    student = tiny_recipe(teachers=(teacher,), teachers_weight=0.5)
    with pytest.raises(RecipeError, match="teacher: there is no network family 'nope'"):
        train(student, tmp_path / "nowhere.csv", **folders)


def test_run_starts_from_the_same_network_only(image_folder, tmp_path, folders):
    first = write_recipe(tmp_path / "first.toml", architecture="residual_cnn")
    second = write_recipe(tmp_path / "second.toml", start=first)
    with pytest.raises(RecipeError, match=r"second can only start from a run of the same network: cnn .* residual_cnn"):
        train(load_recipe(second), image_folder, **folders)


def test_interrupted_run_does_not_need_its_start_again(image_folder, tmp_path, folders):
    first = write_recipe(tmp_path / "first.toml")
    second = write_recipe(tmp_path / "second.toml", start=first, epochs=2)

    def stop_in_the_second(recipe, _row, _left):
        if recipe.name == "second":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="Stopped second after epoch 1 of 2"):
        train(load_recipe(second), image_folder, progress=stop_in_the_second, **folders)
    best(tmp_path / "runs" / "first").unlink()
    checkpoint = train(load_recipe(second), image_folder, **folders)
    assert checkpoint is not None
    assert list(checkpoint.history()["epoch"]) == [1, 2]
    # The card names what the run builds on, and how long that took.
    assert list(checkpoint.card.prerequisite_seconds) == ["first"]
    assert checkpoint.card.training_time.endswith(" for first")
    # A finished run is published again without the runs it was built on.
    shutil.rmtree(tmp_path / "runs" / "first")
    again = train(load_recipe(second), image_folder, **folders)
    assert again is not None
    assert not again.card.prerequisite_seconds
