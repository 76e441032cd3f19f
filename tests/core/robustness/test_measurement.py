import copy
import shutil
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from core.checkpoints import load_checkpoint
from core.cli import app, main
from core.data import read
from core.errors import DataError
from core.inference import Predictor
from core.measurements import can_be_resumed, measure_robustness
from core.robustness import CLEAN, CONDITIONS, corrupt, load_robustness, measure
from tests.conftest import write_folder


@pytest.fixture(scope="module")
def predictor(checkpoint):
    return Predictor.load(checkpoint)


@pytest.fixture(scope="module")
def samples(image_folder):
    return read(image_folder, size_px=48, channels=1)


@pytest.fixture
def root(checkpoint_root, tmp_path):
    """A copy of the checkpoints that a test may change."""
    return shutil.copytree(checkpoint_root, tmp_path / "checkpoints")


def test_predictions_are_those_of_the_network_on_the_corrupted_images(predictor, samples, checkpoint):
    found = measure(predictor, samples, "test")
    assert np.array_equal(found.correct[CLEAN], checkpoint.evaluation("test").correct)
    assert set(found.correct) == set(CONDITIONS)
    chosen = samples.of("test")
    noisy = corrupt(chosen.images, "noise", 5, chosen.ids)
    predicted = np.array([p.top for p in predictor.predict_inputs(list(noisy))])
    assert np.array_equal(found.correct["noise", 5], predicted == chosen.truth)


def test_an_interrupted_measurement_is_continued(predictor, samples, tmp_path):
    partial, titles = tmp_path / "robustness.partial", []

    def stop(title, done, total):
        titles.append(title)
        if title == "Blur 3":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(predictor, samples, "test", partial=partial, progress=stop)
    assert titles == ["unchanged", "Blur 1", "Blur 2", "Blur 3"]
    again = []
    resumed = measure(
        predictor, samples, "test", partial=partial, progress=lambda title, *counts: again.append((title, *counts))
    )
    assert again[0] == ("Blur 3", 4 * 36, 46 * 36)
    assert again[-1] == ("Mouth hidden 5", 46 * 36, 46 * 36)
    whole = measure(predictor, samples, "test")
    assert all(np.array_equal(resumed.correct[c], whole.correct[c]) for c in CONDITIONS)


def test_a_measurement_of_other_images_is_not_continued(predictor, samples, tmp_path):
    partial, seen = tmp_path / "robustness.partial", []
    measure(predictor, samples.select(np.arange(len(samples)) % 2 == 0), "test", partial=partial)
    measure(predictor, samples, "test", partial=partial, progress=lambda title, *_: seen.append(title))
    assert len(seen) == 46


def test_a_measurement_in_another_precision_is_not_continued(predictor, samples, tmp_path):
    partial, seen = tmp_path / "robustness.partial", []
    measure(predictor, samples, "test", partial=partial)
    pd.read_parquet(partial).assign(precision="bfloat16").to_parquet(partial, index=False)
    measure(predictor, samples, "test", partial=partial, progress=lambda title, *_: seen.append(title))
    assert len(seen) == 46


def test_the_clean_accuracy_is_that_of_the_card_for_a_network_trained_in_bfloat16(predictor, samples, checkpoint):
    trained_in_half = copy.copy(predictor)
    trained_in_half.card = replace(predictor.card, recipe=predictor.card.recipe | {"precision": "bf16-mixed"})
    found = measure(trained_in_half, samples, "test")
    assert np.array_equal(found.correct[CLEAN], checkpoint.evaluation("test").correct)
    assert set(found.table()["precision"]) == {"float32"}


def test_other_classes_are_refused(predictor, tmp_path):
    from PIL import Image

    for name in ("angry", "happy", "sad"):
        (tmp_path / "test" / name).mkdir(parents=True)
        Image.new("L", (48, 48)).save(tmp_path / "test" / name / "0.png")
    with pytest.raises(DataError, match="classes angry, happy, sad, but tiny_cnn predicts bright, dark, striped"):
        measure(predictor, read(tmp_path, size_px=48, channels=1), "test")


def test_the_command_measures_once_and_prints_the_result(root, image_folder):
    command = ["robustness", "tiny_cnn", "--data", str(image_folder), "--checkpoints", str(root)]
    first = CliRunner().invoke(app, command, catch_exceptions=False)
    assert first.exit_code == 0, first.output
    assert "mean relative drop" in " ".join(first.stdout.split())
    assert "Mouth hidden" in first.stdout
    assert "same prediction" in " ".join(first.stdout.split())
    checkpoint = load_checkpoint(root / "tiny_cnn")
    path = checkpoint.robustness_path("test")
    assert load_robustness(checkpoint, "test").n == 36
    assert not path.with_suffix(".partial").exists()
    written = path.stat().st_mtime_ns
    CliRunner().invoke(app, command, catch_exceptions=False)
    assert path.stat().st_mtime_ns == written
    CliRunner().invoke(app, [*command, "--again"], catch_exceptions=False)
    assert path.stat().st_mtime_ns > written


def test_the_stored_measurement_remains_until_a_new_one_is_complete(root, image_folder, tmp_path, capsys, monkeypatch):
    checkpoint = load_checkpoint(root / "tiny_cnn")
    stored = measure_robustness(checkpoint, image_folder, "test")
    path = checkpoint.robustness_path("test")
    written = path.read_bytes()
    other = write_folder(tmp_path / "other", {"train": 2, "val": 2, "test": 2}, seed=5)
    for arguments in (["--data", tmp_path / "nothing.csv", "--again"], ["--data", other, "--again"], ["--data", other]):
        command = ["core", "robustness", "tiny_cnn", "--checkpoints", root, *arguments]
        monkeypatch.setattr(sys, "argv", [*map(str, command)])
        with pytest.raises(SystemExit):
            main()
        assert "Error" in capsys.readouterr().err
        assert path.read_bytes() == written

    def stop_at_once(*_):
        raise KeyboardInterrupt

    def stop(title, *_):
        if title == "Blur 2":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_robustness(checkpoint, image_folder, "test", again=True, progress=stop_at_once)
    assert not can_be_resumed(checkpoint, "test")
    with pytest.raises(KeyboardInterrupt):
        measure_robustness(checkpoint, image_folder, "test", again=True, progress=stop)
    assert path.read_bytes() == written
    assert can_be_resumed(checkpoint, "test")
    interrupted = path.with_suffix(".partial").read_bytes()
    with pytest.raises(KeyboardInterrupt):
        measure_robustness(checkpoint, image_folder, "test", again=True, progress=stop_at_once)
    assert path.with_suffix(".partial").read_bytes() == interrupted  # nothing newer was finished
    titles = []
    again = measure_robustness(checkpoint, image_folder, "test", progress=lambda title, *_: titles.append(title))
    assert titles[0] == "Blur 2"  # resumed, although a measurement is stored
    assert all(np.array_equal(again.correct[c], stored.correct[c]) for c in CONDITIONS)
    assert not path.with_suffix(".partial").exists()


@pytest.mark.parametrize(
    ("run", "split", "sentence", "status"),
    [
        ("tiny_cnn", "test", "is not the data set of tiny_cnn", 1),
        ("nobody", "test", "There is no network 'nobody'", 1),
        ("tiny_cnn", "train", "expected one of val, test", 2),
    ],
)
def test_an_error_of_the_user_is_reported_in_one_sentence(
    root, tmp_path, monkeypatch, capsys, run, split, sentence, status
):
    other = write_folder(tmp_path / "other", {"train": 2, "val": 2, "test": 2}, seed=5)
    command = ["robustness", run, "--data", other, "--checkpoints", root, "--split", split]
    monkeypatch.setattr(sys, "argv", ["core", *map(str, command)])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == status
    stderr = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert sentence in stderr
    assert "Traceback" not in stderr
