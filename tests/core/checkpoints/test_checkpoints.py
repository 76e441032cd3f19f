import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from core.checkpoints import (
    CheckpointFolder,
    Latency,
    ModelCard,
    check_run_id,
    list_checkpoints,
    load_checkpoint,
    save_card,
)
from core.checkpoints.weights import save_weights
from core.data import read
from core.errors import CheckpointError
from core.files import sha256_of
from core.inference import evaluate
from tests.conftest import withhold_weights


@pytest.fixture
def copied(checkpoint, tmp_path):
    return shutil.copytree(checkpoint.path, tmp_path / "tiny_cnn")


@pytest.fixture
def root(checkpoint_root, tmp_path):
    return shutil.copytree(checkpoint_root, tmp_path / "checkpoints")


def run_ids(listing):
    return [c.card.run_id for c in listing.checkpoints]


def test_card_survives_a_round_trip_through_its_file(checkpoint):
    assert ModelCard.from_json(json.loads(json.dumps(checkpoint.card.to_json()))) == checkpoint.card


def test_latency_is_optional_and_stored_with_its_hardware(copied):
    checkpoint = load_checkpoint(copied)
    timed = dataclasses.replace(checkpoint.card, milliseconds=Latency(4.5, "two cores"))
    save_card(timed, copied)
    assert json.loads((copied / "card.json").read_text())["milliseconds"] == {"value": 4.5, "hardware": "two cores"}
    assert load_checkpoint(copied).card.milliseconds == Latency(4.5, "two cores")


def test_matrices_are_half_precision_on_disk_and_float32_in_use(checkpoint):
    on_disk = load_file(checkpoint.weights_path)
    assert {t.dtype for t in on_disk.values() if t.ndim > 1} == {torch.float16}
    network = checkpoint.network()
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    assert not network.training


def test_weights_can_be_read_by_other_users(copied):
    checkpoint = load_checkpoint(copied)
    save_weights(checkpoint.network(), checkpoint.weights_path)
    assert checkpoint.weights_path.stat().st_mode == checkpoint.card_path.stat().st_mode


def test_stored_predictions_are_those_of_the_shipped_weights(checkpoint, image_folder):
    stored = checkpoint.evaluation("val")
    card = checkpoint.card
    fresh = evaluate(checkpoint.network(), card.preprocessing, read(image_folder), "val", model_id=card.run_id)
    assert (stored.image_ids == fresh.image_ids).all()
    assert np.allclose(stored.logits, fresh.logits, atol=1e-5)


def test_edited_weights_are_refused(copied):
    weights = CheckpointFolder(copied).weights_path
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(CheckpointError, match=r"not the file that its card describes .*restore it"):
        load_checkpoint(copied).network()


def test_weights_of_another_shape_are_refused(copied):
    card = json.loads((copied / "card.json").read_text())
    card["model_options"]["widths"] = [8, 16, 32]
    (copied / "card.json").write_text(json.dumps(card))
    with pytest.raises(CheckpointError, match="does not fit cnn") as raised:
        load_checkpoint(copied).network()
    assert len(str(raised.value)) < 500  # a summary, not one line per tensor


def test_weights_with_other_names_are_reported_in_one_sentence(copied):
    folder = CheckpointFolder(copied)
    save_file({"fc.weight": torch.zeros(3, 16)}, folder.weights_path)
    card = json.loads(folder.card_path.read_text())
    folder.card_path.write_text(json.dumps(card | {"weights_sha256": sha256_of(folder.weights_path)}))
    with pytest.raises(CheckpointError, match=r"does not fit cnn: \d+ tensors are missing .*; 1 tensor is unknown"):
        load_checkpoint(copied).network()


@pytest.mark.parametrize("changes", [{"architecture": "other"}, {"model_options": {"depth": 3}}])
def test_a_network_that_cannot_be_built_is_named(copied, changes):
    card = json.loads((copied / "card.json").read_text())
    (copied / "card.json").write_text(json.dumps(card | changes))
    with pytest.raises(CheckpointError, match=r"tiny_cnn: card\.json describes a network that cannot be built"):
        load_checkpoint(copied).network()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"run_id": 1}', "not json", "null"])
def test_damaged_card_is_named(copied, text):
    (copied / "card.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"tiny_cnn: card\.json cannot be read"):
        load_checkpoint(copied)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"temperature": "warm"}, "temperature: "),
        ({"labels": {"name": "one", "classes": ["happy"]}}, "at least 2 classes"),
        ({"labels": {"name": "two"}}, r"labels\.classes: "),
        ({"preprocessing": {"equalize": "hist"}}, "preprocessing: equalize must be one of none, histogram, clahe"),
        ({"metrics": {"test": 0.7}}, r"metrics\.test: the scores of a split cannot be read"),
        ({"data": {"fingerprint": "abc"}}, r"data\.title: "),
        ({"added": 1}, "added: "),
    ],
)
def test_damaged_field_of_a_card_is_named(copied, changes, field):
    card = json.loads((copied / "card.json").read_text())
    (copied / "card.json").write_text(json.dumps(card | changes))
    with pytest.raises(CheckpointError, match=f"tiny_cnn: card.json cannot be read .*{field}"):
        load_checkpoint(copied)


def test_folder_without_a_card_is_listed_as_a_problem(copied):
    CheckpointFolder(copied).card_path.unlink()
    listing = list_checkpoints(copied.parent)
    assert listing.checkpoints == ()
    assert "card.json is missing" in listing.problems[0]


def test_missing_weights_are_listed_as_a_problem_and_the_other_networks_remain(root):
    CheckpointFolder(root / "tiny_cnn").weights_path.unlink()
    listing = list_checkpoints(root)
    assert run_ids(listing) == ["tiny_residual"]
    assert "weights.safetensors is missing" in listing.problems[0]


def test_copied_folder_is_named_and_skipped(root):
    shutil.copytree(root / "tiny_cnn", root / "tiny_cnn_backup")
    listing = list_checkpoints(root)
    assert run_ids(listing) == ["tiny_cnn", "tiny_residual"]
    assert listing.problems == (
        "tiny_cnn_backup: card.json describes the network 'tiny_cnn'; rename the folder to 'tiny_cnn', or remove it "
        "if it is a copy",
    )


def test_network_without_shipped_weights_is_listed_with_its_predictions(root):
    withhold_weights(load_checkpoint(root / "tiny_cnn"))
    listing = list_checkpoints(root)
    assert not listing.problems
    assert run_ids(listing) == ["tiny_cnn", "tiny_residual"]
    assert [c.card.run_id for c in listing.with_weights] == ["tiny_residual"]
    checkpoint = listing.get("tiny_cnn")
    assert len(checkpoint.evaluation("test")) == 36
    with pytest.raises(CheckpointError, match=r"weights are not shipped; train the network with: python -m core train"):
        checkpoint.network()


@pytest.mark.parametrize("content", [b"", b"\n", b"epoch\n1,2\n3,4,5\n", b"\xff\xfe\x00", b"epoch\n1\n"])
def test_a_damaged_history_is_named(copied, content):
    CheckpointFolder(copied).history_path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"tiny_cnn: history.csv cannot be used \(.*\); restore the file"):
        load_checkpoint(copied).history()


def test_a_history_without_the_chosen_epoch_is_named(copied):
    checkpoint = load_checkpoint(copied)
    history = checkpoint.history()
    history[history["epoch"] != checkpoint.card.chosen_epoch].to_csv(checkpoint.history_path, index=False)
    with pytest.raises(CheckpointError, match=f"it lacks the chosen epoch, {checkpoint.card.chosen_epoch}"):
        checkpoint.history()


@pytest.mark.parametrize(("chosen_epoch", "remedy"), [(2, "train the network again"), (0, "import the network again")])
def test_missing_weights_are_named_with_the_remedy(root, chosen_epoch, remedy):
    checkpoint = load_checkpoint(root / "tiny_cnn")
    save_card(dataclasses.replace(checkpoint.card, chosen_epoch=chosen_epoch), checkpoint.path)
    checkpoint.weights_path.unlink()
    (problem,) = list_checkpoints(root).problems
    assert problem.endswith(f"weights.safetensors is missing; restore it or {remedy}")
    with pytest.raises(CheckpointError, match=remedy):
        load_checkpoint(checkpoint.path).network()


def test_compared_networks_are_first_and_the_default(root):
    assert [c.card.run_id for c in list_checkpoints(root).default] == ["tiny_cnn", "tiny_residual"]  # no roles: all
    for run_id, role in (("tiny_cnn", "reference"), ("tiny_residual", "compared")):
        card = load_checkpoint(root / run_id).card
        save_card(dataclasses.replace(card, recipe={**card.recipe, "role": role}), root / run_id)
    listing = list_checkpoints(root)
    assert run_ids(listing) == ["tiny_residual", "tiny_cnn"]
    assert [c.card.run_id for c in listing.default] == ["tiny_residual"]
    withhold_weights(load_checkpoint(root / "tiny_residual"))
    assert [c.card.run_id for c in list_checkpoints(root).default] == ["tiny_cnn"]  # of those that can predict


def test_unknown_network_is_named_with_the_installed_ones(checkpoint_root):
    with pytest.raises(CheckpointError, match="no network 'nobody'; installed: tiny_cnn, tiny_residual"):
        list_checkpoints(checkpoint_root).get("nobody")


def test_split_without_stored_predictions_is_named(copied):
    CheckpointFolder(copied).predictions_path("val").unlink()
    with pytest.raises(CheckpointError, match="no stored predictions for the val split"):
        load_checkpoint(copied).evaluation("val")


def test_damaged_predictions_are_named_with_the_remedy(copied):
    CheckpointFolder(copied).predictions_path("val").write_bytes(b"cut")
    remedy = "restore the file, or create it with: python -m core evaluate tiny_cnn --data PATH --split val --save"
    with pytest.raises(
        CheckpointError, match=rf"of tiny_cnn .* \(predictions-val\.parquet cannot be read .*\); {remedy}$"
    ):
        load_checkpoint(copied).evaluation("val")


@pytest.mark.parametrize("name", ["ensemble", "con", "../../data", "a/b", ".", "", "-rf", "Größe", "a\n"])
def test_name_that_could_leave_its_folder_is_refused(name):
    with pytest.raises(ValueError, match="name"):
        check_run_id(name)


@given(st.text(max_size=12))
def test_accepted_name_is_a_direct_child_of_its_folder(tmp_path_factory, name):
    root = tmp_path_factory.getbasetemp()
    try:
        check_run_id(name)
    except ValueError:
        return
    assert (root / name).resolve().parent == root.resolve()
