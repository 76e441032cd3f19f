import json
import shutil

import numpy as np
import pytest
import torch

from core.checkpoints import ModelCard, list_checkpoints, load_checkpoint
from core.errors import CheckpointError


@pytest.fixture
def copied(checkpoint, tmp_path):
    shutil.copytree(checkpoint.path, tmp_path / "tiny_cnn")
    return tmp_path / "tiny_cnn"


def test_a_card_survives_its_file(checkpoint):
    assert ModelCard.from_json(json.loads(json.dumps(checkpoint.card.to_json()))) == checkpoint.card


def test_matrices_are_half_precision_on_disk_and_float32_in_use(checkpoint):
    from safetensors.torch import load_file

    on_disk = load_file(checkpoint.path / "weights.safetensors")
    assert {t.dtype for t in on_disk.values() if t.ndim > 1} == {torch.float16}
    network = checkpoint.network()
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    assert not network.training


def test_stored_answers_are_those_of_the_shipped_weights(checkpoint, image_folder):
    from core.data import read
    from core.inference import evaluate

    stored = checkpoint.evaluation("val")
    card = checkpoint.card
    fresh = evaluate(checkpoint.network(), card.preprocessing, read(image_folder), "val", model_id=card.run_id)
    assert (stored.image_ids == fresh.image_ids).all()
    assert np.allclose(stored.logits, fresh.logits, atol=1e-5)


def test_edited_weights_are_refused(copied):
    weights = copied / "weights.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(CheckpointError, match=r"not the file its card describes .*restore it"):
        load_checkpoint(copied).network()


def test_weights_of_another_shape_are_refused(copied):
    card = json.loads((copied / "card.json").read_text())
    card["model_options"]["widths"] = [8, 16, 32]
    (copied / "card.json").write_text(json.dumps(card))
    with pytest.raises(CheckpointError, match="does not fit cnn"):
        load_checkpoint(copied).network()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"run_id": 1}', "not json"])
def test_a_broken_card_is_named(copied, text):
    (copied / "card.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"tiny_cnn: card.json cannot be read"):
        load_checkpoint(copied)


def test_without_a_card_there_is_no_checkpoint(copied):
    (copied / "card.json").unlink()
    listing = list_checkpoints(copied.parent)
    assert listing.checkpoints == ()
    assert "card.json is missing" in listing.problems[0]


def test_missing_weights_are_listed_as_a_problem_and_the_others_stay(checkpoint_root, tmp_path):
    root = tmp_path / "all"
    shutil.copytree(checkpoint_root, root)
    (root / "tiny_cnn" / "weights.safetensors").unlink()
    listing = list_checkpoints(root)
    assert [c.card.run_id for c in listing.checkpoints] == ["tiny_residual"]
    assert "weights.safetensors is missing" in listing.problems[0]


def test_an_unknown_network_is_named_with_those_there_are(checkpoint_root):
    with pytest.raises(CheckpointError, match="no network 'nobody'; installed: tiny_cnn, tiny_residual"):
        list_checkpoints(checkpoint_root).get("nobody")


def test_a_split_without_stored_answers_is_named(copied):
    (copied / "predictions-val.parquet").unlink()
    with pytest.raises(CheckpointError, match="no stored answers for the val split"):
        load_checkpoint(copied).evaluation("val")
