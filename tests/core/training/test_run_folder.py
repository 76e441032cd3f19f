import dataclasses
import errno
import json
import os
import resource
import shutil
import signal

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from core.checkpoints import list_checkpoints
from core.data import read
from core.errors import RecipeError, TrainingError
from core.models import build_network, count_parameters
from core.training import RunFolder, train, train_on
from core.training.recipe import Augmentation
from tests.conftest import tiny_recipe, write_folder
from tests.core.training.conftest import SMALL
from tests.kills import kills_at_every_write

RECIPE = tiny_recipe(name="run", epochs=2, ema=0.9, batch_size=32, model=SMALL)


def weights(root):
    return load_file(root / "run" / "weights.safetensors")


def same(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


def stop_after_the_first(_recipe, row, _left):
    if row.epoch == 1:
        raise KeyboardInterrupt


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    return read(write_folder(tmp_path_factory.mktemp("few") / "few", {"train": 12, "val": 6, "test": 6}))


@pytest.fixture(scope="module")
def uninterrupted(samples, tmp_path_factory):
    """The weights and the history without seconds of a run that nothing interrupts."""
    folder = tmp_path_factory.mktemp("whole")
    checkpoint = train_on(RECIPE, samples, runs=folder / "runs", root=folder / "out")
    assert checkpoint is not None
    return weights(folder / "out"), checkpoint.history().drop(columns="seconds")


def test_interrupted_run_ends_with_the_weights_of_an_uninterrupted_one(samples, uninterrupted, tmp_path):
    folders = {"runs": tmp_path / "runs", "root": tmp_path / "out"}
    with pytest.raises(KeyboardInterrupt, match=r"^Stopped run after epoch 1 of 2; run .* again to resume\.$"):
        train_on(RECIPE, samples, progress=stop_after_the_first, **folders)
    assert not (tmp_path / "out" / "run").exists()
    train_on(RECIPE, samples, **folders)
    assert same(weights(tmp_path / "out"), uninterrupted[0])


def test_run_killed_at_any_write_resumes_to_the_same_weights(samples, uninterrupted, tmp_path):
    killed = 0
    for number in kills_at_every_write(
        lambda: train_on(RECIPE, samples, runs=tmp_path / "runs", root=tmp_path / "out"),
        tmp_path / "runs",
        tmp_path / "out",
    ):
        killed = number + 1
        listing = list_checkpoints(tmp_path / "out")
        assert not listing.problems
        checkpoint = train_on(RECIPE, samples, runs=tmp_path / "runs", root=tmp_path / "out")
        assert checkpoint is not None
        assert same(weights(tmp_path / "out"), uninterrupted[0])
        assert checkpoint.history().drop(columns="seconds").equals(uninterrupted[1])
        assert {p.suffix for p in (tmp_path / "runs" / "run").iterdir()} <= {"", ".json", ".csv", ".pt", ".safetensors"}
        assert len(list((tmp_path / "runs" / "run").glob("best-*"))) == 1
        shutil.rmtree(tmp_path / "runs")
        shutil.rmtree(tmp_path / "out")
    assert killed > 20


@pytest.mark.parametrize("damaged", ["history.csv", "run.json"])
@pytest.mark.parametrize("content", [None, ""])
def test_missing_or_emptied_file_is_rebuilt_from_the_state(samples, tmp_path, damaged, content):
    folders = {"runs": tmp_path / "runs", "root": tmp_path / "out"}
    with pytest.raises(KeyboardInterrupt, match="after epoch 1"):
        train_on(RECIPE, samples, progress=stop_after_the_first, **folders)
    path = tmp_path / "runs" / "run" / damaged
    path.unlink()
    if content is not None:
        path.write_text(content)
    checkpoint = train_on(RECIPE, samples, **folders)
    assert checkpoint is not None
    assert list(checkpoint.history()["epoch"]) == [1, 2]
    assert json.loads((tmp_path / "runs" / "run" / "run.json").read_text())["data"]["title"] == "few"


def test_damaged_state_is_reported_in_one_sentence_with_the_remedy(samples, tmp_path):
    folders = {"runs": tmp_path / "runs", "root": tmp_path / "out"}
    with pytest.raises(KeyboardInterrupt, match="after epoch 1"):
        train_on(RECIPE, samples, progress=stop_after_the_first, **folders)
    state = tmp_path / "runs" / "run" / "state.pt"
    for content in (state.read_bytes()[:1000], b"", b"not a state"):
        state.write_bytes(content)
        with pytest.raises(TrainingError, match=r"state\.pt cannot be read .*delete the folder"):
            train_on(RECIPE, samples, **folders)


def test_state_that_another_process_replaces_while_it_is_read_is_read_again(samples, tmp_path, monkeypatch):
    with pytest.raises(KeyboardInterrupt, match="after epoch 1"):
        train_on(RECIPE, samples, runs=tmp_path / "runs", root=tmp_path / "out", progress=stop_after_the_first)
    load, calls = torch.load, []

    def earlier_state(*args, **options):
        calls.append(args)
        return load(*args, **options) | ({"best_epoch": 9} if len(calls) == 1 else {})

    monkeypatch.setattr(torch, "load", earlier_state)
    assert RunFolder(tmp_path / "runs" / "run").load_state()["best_epoch"] == 1


def test_card_names_every_machine_that_trained_an_epoch(samples, tmp_path):
    folders = {"runs": tmp_path / "runs", "root": tmp_path / "out"}
    with pytest.raises(KeyboardInterrupt, match="after epoch 1"):
        train_on(RECIPE, samples, progress=stop_after_the_first, **folders)
    run = RunFolder(tmp_path / "runs" / "run")
    here = run.hardware()
    assert here.startswith("CPU")
    torch.save(torch.load(run.state_path, weights_only=True) | {"hardware": ["1 x NVIDIA H200"]}, run.state_path)
    assert train_on(RECIPE, samples, **folders).card.hardware == f"1 x NVIDIA H200 and {here}"


def test_resuming_needs_space_for_the_next_state_only(samples, tmp_path, monkeypatch):
    folders = {"runs": tmp_path / "runs", "root": tmp_path / "out"}
    with pytest.raises(KeyboardInterrupt, match="after epoch 1"):
        train_on(RECIPE, samples, progress=stop_after_the_first, **folders)
    usage = shutil.disk_usage(tmp_path)
    parameters = count_parameters(build_network(RECIPE.architecture, classes=3, channels=1, **SMALL))
    one_state = 4 * parameters * 5  # network, two moments, average, best weights
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=round(1.5 * one_state)))
    with pytest.raises(TrainingError, match="MB for its state"):
        train_on(dataclasses.replace(RECIPE, name="new"), samples, **folders)
    assert train_on(RECIPE, samples, **folders)


def test_what_other_commands_added_stays_when_the_same_weights_are_published_again(samples, tmp_path):
    folders = {"runs": tmp_path / "runs", "root": tmp_path / "out"}
    checkpoint = train_on(RECIPE, samples, **folders)
    added = [checkpoint.tsne_path("val"), checkpoint.robustness_path("test").with_suffix(".partial")]
    for path in (*added, checkpoint.onnx_path):
        path.write_text(path.name)
    train_on(RECIPE, samples, **folders)
    assert all(path.read_text() == path.name for path in (*added, checkpoint.onnx_path))
    train_on(RECIPE, samples, ship_weights=False, val_only=True, **folders)
    assert added[0].is_file()
    assert not added[1].exists()  # of a split that is no longer scored
    assert not checkpoint.onnx_path.exists()  # it contains the weights


def test_run_folder_belongs_to_one_recipe(samples, tmp_path):
    folders = {"runs": tmp_path / "runs", "root": tmp_path / "out"}
    train_on(RECIPE, samples, **folders)
    with pytest.raises(RecipeError, match="another version of run"):
        train_on(dataclasses.replace(RECIPE, learning_rate=1e-4), samples, **folders)


@pytest.mark.parametrize("epochs", [1, 2])
def test_run_folder_belongs_to_one_data_set(samples, tmp_path, epochs):
    folders = {"runs": tmp_path / "runs", "root": tmp_path / "out"}
    if epochs == 1:
        with pytest.raises(KeyboardInterrupt, match="after epoch 1"):
            train_on(RECIPE, samples, progress=stop_after_the_first, **folders)
    else:
        train_on(RECIPE, samples, **folders)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    other = dataclasses.replace(samples, name="other", images=255 - samples.images)
    with pytest.raises(TrainingError, match=r"holds a run on few .*but the data set given is other .*delete"):
        train_on(RECIPE, other, **folders)
    relabeled = dataclasses.replace(samples, truth=(samples.truth + 1) % 3)
    with pytest.raises(TrainingError, match="holds a run on few"):
        train_on(RECIPE, relabeled, **folders)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_second_process_in_the_same_folder_is_refused(samples, tmp_path):
    locked = RunFolder(tmp_path / "runs" / "run").lock()
    with locked, pytest.raises(TrainingError, match="another process is training"):
        train_on(RECIPE, samples, runs=tmp_path / "runs", root=tmp_path / "out")


def test_loss_that_is_not_finite_ends_with_a_sentence_and_the_last_good_epoch(samples, tmp_path):
    folders = {"runs": tmp_path / "runs", "root": tmp_path / "out"}
    recipe = dataclasses.replace(
        RECIPE, optimizer="sgd", momentum=0.0, learning_rate=1e30, schedule="warmup_cosine", warmup=0.9, ema=0.0
    )
    for clip_norm in (0.0, 1e20):
        changed = dataclasses.replace(recipe, name=f"norm{clip_norm:.0f}", clip_norm=clip_norm)
        with pytest.raises(TrainingError, match=r"loss became NaN or infinite in epoch \d"):
            train_on(changed, samples, **folders)
    with pytest.raises(KeyboardInterrupt, match="after epoch 1"):
        train_on(RECIPE, samples, runs=tmp_path / "good", root=tmp_path / "out", progress=stop_after_the_first)
    good = RunFolder(tmp_path / "good" / "run")
    state = torch.load(good.state_path, weights_only=True)
    state["network"]["head.weight"] = torch.full_like(state["network"]["head.weight"], torch.nan)
    torch.save(state, good.state_path)
    best = good.weights_path(1).read_bytes()
    with pytest.raises(TrainingError, match=r"infinite in epoch 2; 1 epochs are stored .*lower learning_rate"):
        train_on(RECIPE, samples, runs=tmp_path / "good", root=tmp_path / "out")
    assert good.finished_epochs() == 1
    assert good.weights_path(1).read_bytes() == best


def test_full_disk_ends_with_a_sentence_and_resumes_after_space_is_freed(samples, uninterrupted, tmp_path):
    folders = {"runs": tmp_path / "runs", "root": tmp_path / "out"}
    with pytest.raises(KeyboardInterrupt, match="after epoch 1"):
        train_on(RECIPE, samples, progress=stop_after_the_first, **folders)
    process = os.fork()
    if process == 0:  # a limit on the size of files fails writes as a full disk does
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
        try:
            train_on(RECIPE, samples, **folders)
        except TrainingError as error:
            os._exit(0 if "epoch 1 is stored. Free some disk space" in str(error) else 3)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    train_on(RECIPE, samples, **folders)
    assert same(weights(tmp_path / "out"), uninterrupted[0])


def test_full_disk_while_publishing_keeps_the_previous_checkpoint(samples, tmp_path, monkeypatch):
    folders = {"runs": tmp_path / "runs", "root": tmp_path / "out"}
    train_on(RECIPE, samples, **folders)
    before = {p.name: p.read_bytes() for p in (tmp_path / "out" / "run").iterdir()}

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Exception, match="No space left on device"):
        train_on(RECIPE, samples, **folders)
    monkeypatch.undo()
    assert {p.name: p.read_bytes() for p in (tmp_path / "out" / "run").iterdir()} == before


def test_augmentation_and_module_are_restored_by_the_state_alone(samples, tmp_path, image_folder):
    """A state is loaded without unpickling code: it holds tensors and plain values only."""
    with pytest.raises(KeyboardInterrupt, match="after epoch 1"):
        train(RECIPE, image_folder, runs=tmp_path / "runs", root=tmp_path / "out", progress=stop_after_the_first)
    state = torch.load(tmp_path / "runs" / "run" / "state.pt", weights_only=True)
    assert state["data"]["fingerprint"] == read(image_folder).fingerprint()
    assert not any(isinstance(value, nn.Module | Augmentation) for value in state.values())
