import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from rich.console import Console
from typer.main import get_command
from typer.testing import CliRunner

from core.checkpoints import Checkpoint, list_checkpoints
from core.cli import app, main
from core.data import ImageFacts
from core.records import SCHEMA_VERSION
from core.sample_photos import sample_photos
from tests.conftest import write_folder

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


def lines_of(text):
    return " ".join(text.split())


def analyze_json(*arguments, status=0):
    """The document that ``analyze --json`` prints, and standard error."""
    result = CliRunner().invoke(app, ["analyze", *map(str, arguments), "--json"], catch_exceptions=False)
    assert result.exit_code == status, result.output
    return json.loads(result.stdout), lines_of(result.stderr)


def test_analyze_leaves_out_a_network_that_returns_nan(portrait, checkpoint_root, monkeypatch):
    def broken(self):
        network = real(self)
        if self.card.run_id in damaged:
            with torch.no_grad():
                network.head.weight.fill_(torch.nan)
        return network

    real, damaged = Checkpoint.network, {"tiny_cnn"}
    monkeypatch.setattr(Checkpoint, "network", broken)
    maps = portrait.parent / "maps"
    document, errors = analyze_json(portrait, "--checkpoints", checkpoint_root, "--explain", maps)
    photo = document["photos"][0]
    assert photo["left_out"] == ["tiny_cnn"]
    assert set(photo["faces"][0]["groups"][0]["predictions"]) == {"tiny_residual"}
    assert "tiny_cnn returned NaN or infinity" in errors
    assert "continuing with the other networks" in errors
    assert not list(maps.glob("*tiny_cnn*.png"))
    damaged.add("tiny_residual")
    document, errors = analyze_json(portrait, "--checkpoints", checkpoint_root, status=1)
    assert "tiny_cnn, tiny_residual returned NaN or infinity" in document["photos"][0]["error"]
    assert document["photos"][0]["faces"] == []


def test_analyze_prints_the_documented_json_and_nothing_else(portrait, checkpoint_root):
    document, _ = analyze_json(portrait, "--checkpoints", checkpoint_root)
    assert document["schema_version"] == SCHEMA_VERSION
    assert set(document["networks"]) == {"tiny_cnn", "tiny_residual"}
    photo = document["photos"][0]
    assert (photo["path"], photo["error"]) == (str(portrait), None)
    face = photo["faces"][0]
    assert set(face["box"]) == {"left", "top", "width", "height"}
    assert 0 <= face["score"] <= 1
    (group,) = face["groups"]
    assert set(group["predictions"]) == {"tiny_cnn", "tiny_residual"}
    assert sum(group["ensemble"]["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_analyze_prints_a_table_per_photo(portrait, checkpoint_root):
    printed = run("analyze", portrait, "--checkpoints", checkpoint_root)
    assert "tiny_residual" in printed
    assert "ensemble of 2" in printed


def test_analyze_finds_every_face_of_a_group_photo_without_a_network_connection(checkpoint_root, tmp_path, monkeypatch):
    monkeypatch.delenv("FERSCOPE_YUNET", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    face = Image.open(io.BytesIO(sample_photos()["grace_hopper"].data)).convert("RGB").resize((324, 380))
    group = Image.new("RGB", (4032, 3024), "gray")
    for k in range(24):
        group.paste(face, (k % 8 * 504 + 90, k // 8 * 1008 + 300))
    group.save(tmp_path / "group.jpg")
    document, _ = analyze_json(tmp_path / "group.jpg", "--model", "tiny_cnn", "--checkpoints", checkpoint_root)
    (photo,) = document["photos"]
    assert (photo["detector"], len(photo["faces"])) == ("mtcnn", 24)


def test_analyze_continues_after_files_that_cannot_be_read(portrait, checkpoint_root, tmp_path):
    text, empty, missing = tmp_path / "text.jpg", tmp_path / "empty", tmp_path / "missing.png"
    text.write_text("no image")
    empty.mkdir()
    document, errors = analyze_json(text, empty, missing, portrait, "--checkpoints", checkpoint_root, status=1)
    assert [p["path"] for p in document["photos"]] == [str(p) for p in (text, empty, missing, portrait)]
    unreadable, without_images, absent, analyzed = document["photos"]
    assert unreadable["error"]
    assert "contains no image file" in without_images["error"]
    assert absent["error"] == "The file cannot be read: No such file or directory."
    assert analyzed["error"] is None
    assert len(analyzed["faces"]) == 1
    assert "3 of 4 photos could not be analyzed." in errors


def test_analyze_names_networks_that_cannot_be_loaded_and_continues_with_the_others(
    portrait, checkpoint_root, tmp_path
):
    root = tmp_path / "checkpoints"
    shutil.copytree(checkpoint_root, root)
    (root / "tiny_cnn" / "weights.safetensors").write_bytes(b"damaged")
    (root / "downloaded").mkdir()
    (root / "downloaded" / "net.pth").write_bytes(b"weights")
    document, errors = analyze_json(portrait, "--checkpoints", root)
    assert list(document["networks"]) == ["tiny_residual"]
    assert "tiny_cnn: weights.safetensors is not the file that its card describes" in errors
    assert "downloaded: card.json is missing" in errors
    assert "python -m core import" in errors
    shutil.rmtree(root / "tiny_residual")
    result = CliRunner().invoke(app, ["analyze", str(portrait), "--checkpoints", str(root)])
    assert "tiny_cnn: weights.safetensors is not the file" in str(result.exception)


def test_analyze_searches_folders_for_photos(portrait, checkpoint_root, tmp_path):
    folder = tmp_path / "photos"
    for name in ("b/1.JPG", "a/1.jpg", ".hidden/1.jpg", "a/.hidden.jpg", "a/notes.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(portrait, folder / name)
    document, _ = analyze_json(folder, folder / "a" / "1.jpg", "--checkpoints", checkpoint_root)
    assert [p["path"] for p in document["photos"]] == [str(folder / "a" / "1.jpg"), str(folder / "b" / "1.JPG")]


def test_analyze_takes_each_photo_once_by_the_rule_of_a_batch(portrait, checkpoint_root, tmp_path):
    folder = tmp_path / "photos"
    for name in ("a.jpg", "__MACOSX/b.jpg", "dir.jpg/c.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(portrait, folder / name)
    (folder / "link.jpg").symlink_to(folder / "a.jpg")
    os.mkfifo(folder / "pipe.jpg")
    with (folder / "huge.jpg").open("wb") as file:
        file.truncate(10_000_000_000)
    again = folder / ".." / "photos"
    document, _ = analyze_json(
        folder / "a.jpg", folder, again, again / "a.jpg", "--checkpoints", checkpoint_root, status=1
    )
    assert {Path(p["path"]).relative_to(folder).as_posix(): p["error"] for p in document["photos"]} == {
        "a.jpg": None,
        "dir.jpg/c.jpg": None,
        "huge.jpg": "A photo may be at most 30 MB; this file is 10000.0 MB; save a smaller version.",
        "pipe.jpg": "Expected a file, found a folder or a device.",
    }


def test_maps_of_photos_with_the_same_name_do_not_overwrite_each_other(portrait, checkpoint_root, tmp_path):
    other = tmp_path / "other" / portrait.name
    other.parent.mkdir()
    Image.open(portrait).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(other)
    arguments = ("--model", "tiny_cnn", "--explain", tmp_path / "maps", "--checkpoints", checkpoint_root)
    analyze_json(portrait, *arguments)
    document, _ = analyze_json(other, *arguments)
    inputs, photos = (
        sorted((tmp_path / "maps").glob(f"portrait-*-face1-tiny_cnn-*-{k}.png")) for k in ("input", "photo")
    )
    assert len(inputs) == len(photos) == 2
    assert {Image.open(p).size for p in inputs} == {(48, 48)}
    face = document["photos"][0]["faces"][0]
    assert min(Image.open(p).width for p in photos) > 0.9 * face["box"]["width"]  # the resolution of the photo
    assert face["maps"]["tiny_cnn"]["method"] == "gradcam"


def test_analyze_without_a_face_names_the_other_detectors(checkpoint_root, tmp_path):
    Image.new("RGB", (200, 200), "gray").save(tmp_path / "gray.png")
    printed = lines_of(run("analyze", tmp_path / "gray.png", "--checkpoints", checkpoint_root))
    assert "found no face; try --detector" in printed
    assert "--whole-image" in printed


def test_any_file_name_is_printed_on_any_terminal(portrait, checkpoint_root, tmp_path):
    names = [os.fsdecode(b"caf\xe9.jpg"), "\u7b11\u9854.jpg"]
    for name in names:
        shutil.copy(portrait, tmp_path / name)
    command = [sys.executable, "-m", "core", "analyze", *(str(tmp_path / name) for name in names)]
    for options in (["--json"], []):
        done = subprocess.run(
            [*command, "--checkpoints", str(checkpoint_root), *options],
            capture_output=True,
            cwd=ROOT,
            check=True,
            env=os.environ | {"PYTHONIOENCODING": "cp1252"},
        )
        assert b"Traceback" not in done.stderr
        if options:
            assert done.stdout.isascii()
            photos = json.loads(done.stdout)["photos"]
            assert [Path(p["path"]).name for p in photos] == ["caf\\xe9.jpg", names[1]]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--detector", "foo"], "No face detector 'foo'"),
        (["--device", "gpu"], "Expected one of the devices auto, cpu, cuda, mps, got 'gpu'."),
        (["--explain", "FILE/maps"], "maps cannot be written"),
        (["--model", "nobody"], "There is no network 'nobody'"),
    ],
)
def test_an_option_that_cannot_be_used_is_reported_in_one_sentence(
    portrait, checkpoint_root, tmp_path, capsys, monkeypatch, options, sentence
):
    (tmp_path / "file").write_text("")
    options = [o.replace("FILE", str(tmp_path / "file")) for o in options]
    code, message = fails(capsys, monkeypatch, "analyze", portrait, "--checkpoints", checkpoint_root, *options)
    assert code == 1
    assert sentence in message
    assert "Traceback" not in message


def test_models_lists_the_cards(checkpoint_root):
    cards = json.loads(run("models", "--json", "--checkpoints", checkpoint_root))
    assert [c["run_id"] for c in cards] == ["tiny_cnn", "tiny_residual"]
    assert "tiny_cnn" in run("models", "--checkpoints", checkpoint_root)


def test_models_shows_whole_names_in_a_narrow_terminal(checkpoint_root, tmp_path, monkeypatch):
    name = "residual_cnn"
    root = tmp_path / "checkpoints"
    shutil.copytree(checkpoint_root / "tiny_cnn", root / name)
    path = root / name / "card.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"run_id": name}))
    monkeypatch.setattr("core.cli.networks.console", Console(width=80))
    assert name in run("models", "--checkpoints", root)


def test_models_says_where_no_network_is_installed(tmp_path):
    result = CliRunner().invoke(app, ["models", "--checkpoints", str(tmp_path)], catch_exceptions=False)
    assert not result.stdout
    assert "There is no trained network in" in lines_of(result.stderr)
    assert json.loads(run("models", "--json", "--checkpoints", tmp_path)) == []


def test_models_shows_no_latency_until_it_is_measured(checkpoint_root, tmp_path):
    root = shutil.copytree(checkpoint_root, tmp_path / "checkpoints")
    for path in root.glob("*/card.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"milliseconds": None}))
    cards = json.loads(run("models", "--json", "--checkpoints", root))
    assert [c["milliseconds"] for c in cards] == [None, None]
    assert " –" in run("models", "--checkpoints", root)
    measured = json.loads(run("models", "--measure", "--device", "cpu", "--json", "--checkpoints", root))
    for card in measured:
        assert 0 < card["milliseconds"]["value"] < 10_000
        assert card["milliseconds"]["hardware"].startswith("CPU, ")
    assert json.loads(run("models", "--json", "--checkpoints", root)) == measured
    assert all(c.network() for c in list_checkpoints(root).checkpoints)


def evaluated(root, data, *options):
    """The JSON that ``evaluate`` prints, and standard error."""
    arguments = ["evaluate", "tiny_cnn", "--data", data, "--json", "--checkpoints", root, *options]
    result = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout), lines_of(result.stderr)


def test_evaluate_reproduces_the_card(checkpoint, checkpoint_root, image_folder):
    values, errors = evaluated(checkpoint_root, image_folder)
    assert values["accuracy"]["value"] == pytest.approx(checkpoint.card.metrics["test"].accuracy.value, abs=1e-6)
    assert values["fingerprint"] == checkpoint.card.data.fingerprint
    assert (values["note"], errors) == ("", "")
    assert "accuracy" in run("evaluate", "tiny_cnn", "--data", image_folder, "--checkpoints", checkpoint_root)


def test_evaluate_on_another_data_set_reports_the_difference(checkpoint, checkpoint_root, tmp_path):
    other = write_folder(tmp_path / "other", {"train": 2, "val": 2, "test": 4}, seed=5)
    values, errors = evaluated(checkpoint_root, other)
    assert values["n"] == 12
    assert values["data"] == "other"
    assert "other is not the data set of tiny_cnn (expected shapes with the fingerprint" in values["note"]
    assert checkpoint.card.data.fingerprint[:12] in errors
    assert values["fingerprint"][:12] in errors
    assert values["fingerprint"] != checkpoint.card.data.fingerprint


def test_evaluate_scores_the_classes_that_the_data_set_shares(checkpoint_root, tmp_path):
    other = write_folder(tmp_path / "other", {"train": 2, "val": 2, "test": 4})
    for split in ("train", "val", "test"):
        (other / split / "dark").rename(other / split / "purple")
    values, errors = evaluated(checkpoint_root, other)
    assert values["n"] == 8
    assert values["labels"]["classes"] == ["bright", "striped"]
    assert "Only the shared classes are scored: bright, striped." in errors


def test_evaluate_refuses_a_data_set_without_shared_classes(checkpoint_root, tmp_path, capsys, monkeypatch):
    other = write_folder(tmp_path / "other", {"train": 2, "val": 2, "test": 4})
    for split in ("train", "val", "test"):
        for name in ("dark", "bright"):
            (other / split / name).rename(other / split / f"not_{name}")
    code, message = fails(
        capsys, monkeypatch, "evaluate", "tiny_cnn", "--data", other, "--checkpoints", checkpoint_root
    )
    assert code == 1
    assert "must share at least 2 classes" in message


def test_evaluate_scores_all_images_of_a_folder_without_splits(checkpoint_root, tmp_path):
    folder = write_folder(tmp_path / "mine", {"test": 5}) / "test"
    values, _ = evaluated(checkpoint_root, folder, "--split", "all")
    assert values["n"] == 15


def test_audit_of_a_folder_without_splits_takes_a_chosen_split(tmp_path):
    folder = write_folder(tmp_path / "mine", {"test": 10}) / "test"
    values = json.loads(run("data", "audit", folder, "--split", "80/10/10", "--seed", "4", "--json"))
    assert {split: sum(of.values()) for split, of in values["counts"].items()} == {"train": 24, "val": 3, "test": 3}
    assert values["split_rule"] == "80/10/10, seed 4, by image"
    assert "split rule: 80/10/10, seed 4" in run("data", "audit", folder, "--split", "80/10/10", "--seed", "4")


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


def test_a_packed_file_that_cannot_be_written_is_reported_in_one_sentence(tmp_path, capsys, monkeypatch):
    (tmp_path / "file").write_text("")
    pixels = " ".join(["7"] * 48 * 48)
    (tmp_path / "fer2013.csv").write_text(f"emotion,pixels,Usage\n3,{pixels},Training\n")
    code, message = fails(
        capsys, monkeypatch, "data", "pack", tmp_path / "fer2013.csv", tmp_path / "file" / "out.parquet"
    )
    assert code == 1
    assert "out.parquet cannot be written" in message
    assert "Traceback" not in message


def test_a_table_that_cannot_be_written_is_reported_in_one_sentence(image_folder, tmp_path, capsys, monkeypatch):
    (tmp_path / "file").write_text("")
    code, message = fails(capsys, monkeypatch, "data", "describe", image_folder, tmp_path / "file" / "out.parquet")
    assert code == 1
    assert "cannot be written" in message


def test_tables_replace_neither_their_data_set_nor_a_file_of_another_kind(tmp_path, capsys, monkeypatch):
    data_set = tmp_path / "mine.csv"
    data_set.write_text("path,label,split\nx.png,happy,train\n")
    packed = shutil.copy(data_set, tmp_path / "mine.parquet")
    folder = write_folder(tmp_path / "mine", {"test": 1})
    inside = shutil.copy(data_set, folder / "mine.parquet")
    for arguments, reason in (
        (("describe", data_set, data_set), "ends in .parquet, got mine.csv"),
        (("describe", folder, data_set), "ends in .parquet, got mine.csv"),
        (("describe", packed, tmp_path / "x" / ".." / "mine.parquet"), "would replace a file that this command reads"),
        (("describe", folder, inside), "would replace a file that this command reads"),
        (("pack", data_set, data_set), "ends in .parquet, got mine.csv"),
        (("pack", packed, packed), "would replace a file that this command reads"),
    ):
        code, message = fails(capsys, monkeypatch, "data", *arguments)
        assert code == (2 if "ends in" in reason else 1)
        assert reason in message.replace("│ ", "")
    assert data_set.read_bytes() == packed.read_bytes() == inside.read_bytes()


def test_names_with_brackets_are_printed_as_they_are_and_on_one_line(tmp_path):
    rows = []
    for number, label in enumerate(3 * ["[bold]", "[/angry]"]):
        Image.new("L", (9, 9), number).save(tmp_path / f"{number}.png")
        rows.append(f"{number}.png,{label},{('train', 'val', 'test')[number // 2]}")
    (tmp_path / "mine.csv").write_text("\n".join(["path,label,split", *rows]))
    out = tmp_path / ("o[" + "long" * 40) / "b]:smile:.parquet"
    assert f"6 rows in {out} (" in run("data", "describe", tmp_path / "mine.csv", out)
    audited = run("data", "audit", tmp_path / "mine.csv")
    assert "[bold]" in audited
    assert "[/angry]" in audited


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
    ],
)
def test_an_error_of_the_user_is_reported_in_one_sentence_and_status_1(
    capsys, monkeypatch, checkpoint_root, arguments, sentence
):
    if arguments[0] == "evaluate":
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
