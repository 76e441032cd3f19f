import re
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.checkpoints import load_checkpoint
from core.cli import app
from core.data import SplitShares
from core.errors import OutputError, RecipeError, TrainingError
from core.training import RunFolder, load_recipe
from core.training.plan import PART_BYTES, load_plan, pack, run_plan
from tests.conftest import write_folder
from tests.core.training.conftest import write_recipe

ROOT = Path(__file__).resolve().parents[3]
GPU = ROOT / "core" / "training" / "plans" / "gpu.toml"


@pytest.fixture
def plan(tmp_path):
    for name in ("first", "second", "third"):
        write_recipe(tmp_path / f"{name}.toml", epochs=2)
    path = tmp_path / "plan.toml"
    path.write_text(
        "publish_s = 1.0\nstore_every_s = 30.0\n"
        '[[run]]\nrecipe = "first.toml"\n'
        '[[run]]\nrecipe = "second.toml"\noptions = { epochs = 100000 }\n'
        '[[run]]\nrecipe = "third.toml"\noptions = { epochs = 1, learning_rate = 1e-3 }\nship_weights = false\n'
    )
    return path


def test_shipped_plan_is_valid_and_begins_with_the_compared_networks():
    _, recipes = load_plan(GPU)
    assert {r.name for r in recipes[:3]} == {"cnn", "residual_cnn", "resnet50"}
    assert len({(r.epochs, r.votes_weight, r.weight_decay, r.augmentation) for r in recipes[:3]}) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a valid plan: run"),
        ('[[run]]\nrecipe = "nothing"', "there is no recipe 'nothing'"),
        ('[[run]]\nrecipe = "cnn"\noptions = { epoch = 1 }', "unknown recipe key epoch;"),
        ('[[run]]\nrecipe = "cnn"\nweights = false', "is not a valid plan"),
        ('[[run]]\nrecipe = "cnn"\noptions = { model = { dropouts = 0.3 } }', "cnn cannot be built with the options"),
        (
            '[[run]]\nrecipe = "cnn"\noptions = { epochs = 120 }\n[[run]]\nrecipe = "fer_best"',
            "changes the options of cnn, but fer_best builds on cnn with the options of its recipe; remove",
        ),
        ("[[run", "is not valid TOML"),
    ],
)
def test_wrong_plan_is_reported_in_one_sentence(tmp_path, text, message):
    path = tmp_path / "plan.toml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=message):
        load_plan(path)


def test_plan_skips_what_does_not_fit_and_finishes_the_rest(plan, image_folder, tmp_path):
    folders = {"out": tmp_path / "out", "runs": tmp_path / "runs", "root": tmp_path / "checkpoints"}
    outcomes = run_plan(plan, image_folder, budget_s=120, **folders)
    assert [o.name for o in outcomes] == ["first", "second", "third"]
    assert [o.checkpoint is not None for o in outcomes] == [True, False, True]
    assert "does not fit into the budget of 120 s" in outcomes[1].reason
    assert RunFolder(tmp_path / "runs" / "second").finished_epochs() == 4  # stored, so it can be resumed
    readme = (tmp_path / "out" / "README").read_text()
    assert "cat first.tar | tar -x -C checkpoints" in readme
    assert "second: stopped" in readme
    third = load_checkpoint(tmp_path / "checkpoints" / "third").card
    assert third.recipe["learning_rate"] == 1e-3
    assert not third.weights_shipped
    with tarfile.open(tmp_path / "out" / "first.tar") as tar:
        assert "first/weights.safetensors" in tar.getnames()
    # The same command does not train what is finished, and resumes the rest.
    again = run_plan(plan, image_folder, budget_s=120, **folders)
    assert [o.checkpoint is not None for o in again] == [True, False, True]
    assert len(load_checkpoint(tmp_path / "checkpoints" / "first").history()) == 2
    assert RunFolder(tmp_path / "runs" / "second").finished_epochs() == 8


def test_plan_without_time_starts_nothing(plan, image_folder, tmp_path):
    folders = {"out": tmp_path / "out", "runs": tmp_path / "runs", "root": tmp_path / "checkpoints"}
    outcomes = run_plan(plan, image_folder, budget_s=0.5, **folders)
    assert {o.reason for o in outcomes} == {"not started: the budget is spent"}
    assert not (tmp_path / "runs").exists()


def test_shipped_plan_runs_from_the_command_line_with_one_tiny_epoch(image_folder, tmp_path):
    """The command for a GPU, with six of its runs: small networks, one epoch, few images."""
    head, *runs = GPU.read_text().split("[[run]]")
    text = "[[run]]".join((head, *runs[:3], *runs[5:8]))
    names = re.findall(r'recipe = "(\w+)"', text)
    files = {name: str(tmp_path / f"{name}.toml") for name in names}
    for name, file in files.items():
        recipe = load_recipe(name)
        start = {"start": files[recipe.start]} if recipe.start else {}
        taught = {"teachers": [files[t] for t in recipe.teachers], "teachers_weight": recipe.teachers_weight}
        write_recipe(Path(file), epochs=1, **start, **(taught if recipe.teachers else {}))
    text = re.sub(r'recipe = "(\w+)"', r'recipe = "\1.toml"', text)
    (tmp_path / "gpu.toml").write_text(text)
    arguments = ["train", "--plan", tmp_path / "gpu.toml", "--budget-s", 540, "--out", tmp_path / "out"]
    arguments += ["--data", image_folder, "--runs", tmp_path / "runs", "--checkpoints", tmp_path / "checkpoints"]
    result = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert len(names) == 6
    assert {p.name for p in (tmp_path / "checkpoints").iterdir()} == set(names)
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"README", *(f"{name}.tar" for name in names)}
    cards = {name: load_checkpoint(tmp_path / "checkpoints" / name).card for name in names}
    assert cards["fer_best"].recipe["teachers"] == [files[t] for t in load_recipe("fer_best").teachers]
    assert set(cards["fer_best"].prerequisite_seconds) == {"cnn", "residual_cnn", "resnet50"}
    assert {name for name, card in cards.items() if not card.weights_shipped} == {"scratch_resnet50"}


def test_options_of_a_table_change_that_table_only(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text('[[run]]\nrecipe = "cnn"\n[run.options.augmentation]\nerase = 0.5\n')
    (changed,) = load_plan(path)[1]
    recipe = load_recipe("cnn")
    assert changed == replace(recipe, augmentation=replace(recipe.augmentation, erase=0.5))


def test_plan_divides_the_data_and_reports_a_run_that_failed(tmp_path):
    """On the command line, with a folder that has no splits."""
    folder = write_folder(tmp_path / "few", {"train": 20}) / "train"
    write_recipe(tmp_path / "first.toml")
    write_recipe(tmp_path / "second.toml", labels="FER7")  # other classes than those of the folder
    (tmp_path / "plan.toml").write_text('[[run]]\nrecipe = "second.toml"\n[[run]]\nrecipe = "first.toml"\n')
    arguments = ["train", "--plan", tmp_path / "plan.toml", "--out", tmp_path / "out", "--data", folder, "--no-weights"]
    arguments += ["--split", "60/20/20", "--seed", 3]
    arguments += ["--runs", tmp_path / "runs", "--checkpoints", tmp_path / "checkpoints"]
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    assert result.exit_code == 1
    assert "second: failed: second is for FER7" in result.output
    card = load_checkpoint(tmp_path / "checkpoints" / "first").card
    assert card.data.shares == SplitShares(60, 20, 20, seed=3)
    assert not card.weights_shipped


def test_output_folder_that_cannot_be_written_is_named_before_anything_is_trained(plan, image_folder, tmp_path):
    (tmp_path / "file").write_text("")
    arguments = ["train", "--plan", plan, "--out", tmp_path / "file", "--data", image_folder]
    result = CliRunner().invoke(app, [str(a) for a in (*arguments, "--runs", tmp_path / "runs")])
    assert isinstance(result.exception, OutputError)
    assert not (tmp_path / "runs").exists()


def test_options_of_a_plan_are_refused_without_one(image_folder, tmp_path):
    result = CliRunner().invoke(app, ["train", "cnn", "--data", str(image_folder), "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "they need --plan" in result.output


def test_recipe_or_plan_is_required(image_folder):
    result = CliRunner().invoke(app, ["train", "--data", str(image_folder)])
    assert result.exit_code == 2
    assert "got neither" in result.output
    result = CliRunner().invoke(app, ["train", "cnn", "--plan", str(GPU), "--data", str(image_folder)])
    assert result.exit_code == 2
    assert "got both" in result.output


def test_large_folder_is_packed_in_parts_that_join_again(tmp_path):
    folder = tmp_path / "network"
    folder.mkdir()
    content = bytes(range(256)) * (PART_BYTES // 256 + 1)
    (folder / "weights").write_bytes(content)
    (tmp_path / "out").mkdir()
    parts = pack(folder, tmp_path / "out")
    assert [p.name for p in parts] == ["network.tar.part-00", "network.tar.part-01"]
    assert all(p.stat().st_size <= PART_BYTES for p in parts)
    (tmp_path / "checkpoints").mkdir()
    command = "cat network.tar.part-* | tar -x -C ../checkpoints"
    subprocess.run(command, shell=True, check=True, cwd=tmp_path / "out")
    assert (tmp_path / "checkpoints" / "network" / "weights").read_bytes() == content


def test_archive_that_fills_the_disk_is_removed(tmp_path, monkeypatch):
    (tmp_path / "network").mkdir()
    (tmp_path / "network" / "weights").write_bytes(bytes(2 * PART_BYTES))
    write_bytes = Path.write_bytes

    def full(path, data):
        if path.name.endswith("part-01"):
            raise OSError(28, "No space left on device")
        return write_bytes(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        pack(tmp_path / "network", tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_training_command_imports_without_the_dashboard_and_saliency_packages():
    """A machine for training may have PyTorch and little else."""
    script = (
        "import sys\n"
        "blocked = ('streamlit', 'plotly', 'captum', 'pytorch_grad_cam', 'cachetools', 'pi_heif',"
        "           'av', 'fastapi', 'mtcnn', 'pooch')\n"
        "class Blocked:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in blocked:\n"
        "            raise ModuleNotFoundError(f'{name} is blocked', name=name)\n"
        "sys.meta_path.insert(0, Blocked())\n"
        "import core.training.plan\n"
        "from core.cli import app\n"
        "from typer.testing import CliRunner\n"
        "assert CliRunner().invoke(app, ['train', '--help']).exit_code == 0\n"
        "import io\n"
        "from PIL import Image\n"
        "from core import images\n"
        "for name in ('PPM', 'TIFF', 'GIF'):\n"
        "    file = io.BytesIO()\n"
        "    Image.new('L', (16, 16)).save(file, name)\n"
        "    assert images.decode(file.getvalue()).shape == (16, 16, 3), name\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_plan_is_refused_in_several_processes(plan, image_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    folders = {"out": tmp_path / "out", "runs": tmp_path / "runs", "root": tmp_path / "checkpoints"}
    with pytest.raises(TrainingError, match="a plan needs one process, but torchrun started 2"):
        run_plan(plan, image_folder, budget_s=120, **folders)


def test_full_disk_while_a_checkpoint_is_packed_does_not_stop_the_other_runs(plan, image_folder, tmp_path, monkeypatch):
    def full(folder, out):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.training.plan.pack", full)
    folders = {"out": tmp_path / "out", "runs": tmp_path / "runs", "root": tmp_path / "checkpoints"}
    (tmp_path / "out").mkdir()
    outcomes = run_plan(plan, image_folder, budget_s=120, **folders)
    assert [o.failed for o in outcomes] == [True, False, True]
    assert "No space left on device" in outcomes[0].reason
