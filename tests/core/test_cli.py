import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from typer.main import get_command
from typer.testing import CliRunner

from core.checkpoints import Checkpoint
from core.cli import app, main
from core.data import ImageFacts
from core.sample_photos import sample_photos

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def portrait(tmp_path):
    path = tmp_path / "portrait.jpg"
    path.write_bytes(next(iter(sample_photos().values())).data)
    return path


def run(*arguments):
    result = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def fails(capsys, monkeypatch, *arguments):
    """Exit status and standard error of a command line that goes wrong."""
    monkeypatch.setattr(sys, "argv", ["core", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code, " ".join(capsys.readouterr().err.split())


def test_analyze_names_a_network_that_meets_a_value_that_is_no_number(portrait, checkpoint_root, capsys, monkeypatch):
    def broken(self):
        network = real(self)
        if self.card.run_id in silent:
            with torch.no_grad():
                network.head.weight.fill_(torch.nan)
        return network

    real, silent = Checkpoint.network, {"tiny_cnn"}
    monkeypatch.setattr(Checkpoint, "network", broken)
    result = CliRunner().invoke(
        app,
        ["analyze", str(portrait), "--json", "--checkpoints", str(checkpoint_root), "--explain", str(portrait.parent)],
    )
    assert result.exit_code == 0, result.output
    photo = json.loads(result.stdout)["photos"][0]
    assert photo["left_out"] == ["tiny_cnn"]
    assert set(photo["faces"][0]["predictions"]) == {"tiny_residual"}
    assert not list(portrait.parent.glob("*tiny_cnn*.png"))
    silent.add("tiny_residual")
    status, said = fails(capsys, monkeypatch, "analyze", portrait, "--checkpoints", checkpoint_root)
    assert status == 1
    assert "tiny_cnn, tiny_residual returned NaN or infinity" in said


def test_analyze_prints_the_documented_json_and_nothing_else(portrait, checkpoint_root):
    values = json.loads(run("analyze", portrait, "--json", "--checkpoints", checkpoint_root))
    photo = values["photos"][0]
    assert photo["path"] == str(portrait)
    face = photo["faces"][0]
    assert len(face["box"]) == 4
    assert 0 <= face["score"] <= 1
    assert set(face["predictions"]) == {"tiny_cnn", "tiny_residual", "ensemble"}


def test_analyze_writes_overlays(portrait, checkpoint_root, tmp_path):
    run("analyze", portrait, "--model", "tiny_cnn", "--explain", tmp_path / "maps", "--checkpoints", checkpoint_root)
    written = list((tmp_path / "maps").glob("portrait-face1-tiny_cnn-*.png"))
    assert len(written) == 1
    assert written[0].read_bytes().startswith(b"\x89PNG")


def test_models_lists_the_cards(checkpoint_root):
    cards = json.loads(run("models", "--json", "--checkpoints", checkpoint_root))
    assert [c["run_id"] for c in cards] == ["tiny_cnn", "tiny_residual"]
    assert "tiny_cnn" in run("models", "--checkpoints", checkpoint_root)


def test_evaluate_reproduces_the_card(checkpoint, checkpoint_root, image_folder):
    values = json.loads(run("evaluate", "tiny_cnn", "--data", image_folder, "--json", "--checkpoints", checkpoint_root))
    assert set(values) == {
        "run",
        "split",
        "n",
        "accuracy",
        "accuracy_low",
        "accuracy_high",
        "macro_f1",
        "balanced_accuracy",
        "accuracy_without_copies",
    }
    assert values["accuracy"] == checkpoint.card.metrics["test"].accuracy.value
    assert "accuracy" in run("evaluate", "tiny_cnn", "--data", image_folder, "--checkpoints", checkpoint_root)


def test_audit_has_the_documented_keys(image_folder):
    values = json.loads(run("data", "audit", image_folder, "--json"))
    assert {"rows", "blank", "identical_groups", "identical_images", "conflicting_groups", "copies_in_train"} <= set(
        values
    )
    assert values["rows"] == 3 * (32 + 12 + 12)
    assert "bright" in run("data", "audit", image_folder)


def test_describe_writes_the_table_of_image_facts(image_folder, tmp_path):
    out = tmp_path / "tables" / "shapes.parquet"
    values = json.loads(run("data", "describe", image_folder, out, "--json"))
    assert (values["path"], values["rows"]) == (str(out), 3 * (32 + 12 + 12))
    assert values["bytes"] == out.stat().st_size
    assert values["fingerprints"] == list(ImageFacts.load(out).fingerprints)
    assert "168 rows in" in run("data", "describe", image_folder, out)


def test_a_table_that_cannot_be_written_is_one_sentence(image_folder, tmp_path, capsys, monkeypatch):
    (tmp_path / "file").write_text("")
    code, message = fails(capsys, monkeypatch, "data", "describe", image_folder, tmp_path / "file" / "out.parquet")
    assert code == 1
    assert "cannot be written" in message


def every_command(group, above=()):
    """The words after ``python -m core`` of each command, those of groups included."""
    found = []
    for name, command in group.commands.items():
        own = (*above, name)
        found += every_command(command, own) if hasattr(command, "commands") else [own]
    return found


def test_every_help_has_an_example():
    commands = every_command(get_command(app))
    assert {("embed",), ("robustness",), ("train",), ("data", "describe")} <= set(commands)
    for command in commands:
        assert "Example: python -m core" in " ".join(run(*command, "--help").replace("│", " ").split()).replace("`", "")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["evaluate", "nobody", "--data", "x.csv"], "There is no network 'nobody'"),
        (["train", "nothing", "--data", "x.csv"], "There is no recipe 'nothing'"),
        (["data", "audit", "nowhere.csv"], "nowhere.csv"),
        (["analyze", "nowhere.jpg"], "nowhere.jpg cannot be read"),
    ],
)
def test_what_a_user_can_mend_is_one_sentence_and_status_1(capsys, monkeypatch, checkpoint_root, arguments, sentence):
    if arguments[0] in ("evaluate", "analyze"):
        arguments = [*arguments, "--checkpoints", checkpoint_root]
    code, message = fails(capsys, monkeypatch, *arguments)
    assert code == 1
    assert sentence in message
    assert "Traceback" not in message


def test_a_wrong_option_is_status_2(capsys, monkeypatch):
    code, _ = fails(capsys, monkeypatch, "analyze", "--sideways")
    assert code == 2


def test_the_module_runs_as_a_program(checkpoint_root):
    done = subprocess.run(
        [sys.executable, "-m", "core", "models", "--json", "--checkpoints", str(checkpoint_root)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    assert len(json.loads(done.stdout)) == 2
