import shutil
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from core.checkpoints import load_checkpoint
from core.cli import app, main
from core.data import read
from core.errors import DataError
from core.inference import Predictor
from core.robustness import CLEAN, CONDITIONS, load_robustness, measure, perturb
from tests.conftest import write_folder


@pytest.fixture(scope="module")
def predictor(checkpoint):
    return Predictor.load(checkpoint)


@pytest.fixture(scope="module")
def samples(image_folder):
    return read(image_folder, size_px=48, channels=1)


@pytest.fixture
def root(checkpoint_root, tmp_path):
    """A copy of the networks that may be written to."""
    return shutil.copytree(checkpoint_root, tmp_path / "checkpoints")


def test_answers_are_those_of_the_network_on_the_perturbed_images(predictor, samples, checkpoint):
    found = measure(predictor, samples, "test")
    assert np.array_equal(found.right[CLEAN], checkpoint.evaluation("test").correct)
    assert set(found.right) == set(CONDITIONS)
    chosen = samples.of("test")
    darker = perturb(chosen.images, "noise", 5, chosen.ids)
    says = np.array([p.top for p in predictor.predict_inputs(list(darker))])
    assert np.array_equal(found.right["noise", 5], says == chosen.truth)


def test_an_interrupted_run_goes_on_where_it_stopped(predictor, samples, tmp_path):
    kept, asked = tmp_path / "kept.partial", []

    def stop(title, answered, total):
        asked.append(title)
        if title == "Blur 3":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(predictor, samples, "test", kept=kept, progress=stop)
    assert asked == ["as they are", "Blur 1", "Blur 2", "Blur 3"]
    again = []
    resumed = measure(
        predictor, samples, "test", kept=kept, progress=lambda title, *counts: again.append((title, *counts))
    )
    assert again[0] == ("Blur 3", 4 * 36, 46 * 36)
    assert again[-1] == ("Mouth hidden 5", 46 * 36, 46 * 36)
    whole = measure(predictor, samples, "test")
    assert all(np.array_equal(resumed.right[c], whole.right[c]) for c in CONDITIONS)


def test_what_an_interrupted_run_of_other_images_left_is_not_used(predictor, samples, tmp_path):
    kept, seen = tmp_path / "kept.partial", []
    measure(predictor, samples.select(np.arange(len(samples)) % 2 == 0), "test", kept=kept)
    measure(predictor, samples, "test", kept=kept, progress=lambda title, *_: seen.append(title))
    assert len(seen) == 46


def test_other_classes_are_refused(predictor, tmp_path):
    from PIL import Image

    for name in ("angry", "happy", "sad"):
        (tmp_path / "test" / name).mkdir(parents=True)
        Image.new("L", (48, 48)).save(tmp_path / "test" / name / "0.png")
    with pytest.raises(DataError, match="classes angry, happy, sad, but tiny_cnn answers bright, dark, striped"):
        measure(predictor, read(tmp_path, size_px=48, channels=1), "test")


def test_the_command_measures_once_and_prints_what_it_found(root, image_folder):
    command = ["robustness", "tiny_cnn", "--data", str(image_folder), "--checkpoints", str(root)]
    first = CliRunner().invoke(app, command, catch_exceptions=False)
    assert first.exit_code == 0, first.output
    assert "mean relative drop" in " ".join(first.stdout.split())
    assert "Mouth hidden" in first.stdout
    checkpoint = load_checkpoint(root / "tiny_cnn")
    path = checkpoint.robustness_path("test")
    assert load_robustness(checkpoint, "test").n == 36
    assert not path.with_suffix(".partial").exists()
    written = path.stat().st_mtime_ns
    CliRunner().invoke(app, command, catch_exceptions=False)
    assert path.stat().st_mtime_ns == written
    CliRunner().invoke(app, [*command, "--again"], catch_exceptions=False)
    assert path.stat().st_mtime_ns > written


@pytest.mark.parametrize(
    ("run", "split", "sentence", "status"),
    [
        ("tiny_cnn", "test", "is not the data set of tiny_cnn", 1),
        ("nobody", "test", "There is no network 'nobody'", 1),
        ("tiny_cnn", "train", "expected one of val, test", 2),
    ],
)
def test_what_a_user_can_mend_is_one_sentence(root, tmp_path, monkeypatch, capsys, run, split, sentence, status):
    other = write_folder(tmp_path / "other", {"train": 2, "val": 2, "test": 2}, seed=5)
    command = ["robustness", run, "--data", other, "--checkpoints", root, "--split", split]
    monkeypatch.setattr(sys, "argv", ["core", *map(str, command)])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == status
    said = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert sentence in said
    assert "Traceback" not in said
