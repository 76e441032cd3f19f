"""Networks that users bring: what a file may contain, and the message about one that does not fit."""

import json
import math

import pytest
import torch
import torchvision
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from typer.testing import CliRunner

from core.checkpoints import list_checkpoints
from core.cli import app
from core.errors import CheckpointError
from core.importing import ImportOptions, import_weights, read_state_dict
from core.labels import FER7, FERPLUS8, LabelSet
from core.measurements import evaluate_checkpoint, save_scores
from core.models import build_network
from core.runtime import Runtime
from tests.core.test_card_samples import write_csv

TWO = LabelSet("custom", ("a", "b"))
SMALL = {"stem": 8, "widths": [8, 16, 16], "blocks": 1}


def options(**changes):
    values = {"name": "imported", "architecture": "cnn", "labels": TWO, "model_options": SMALL}
    return ImportOptions(**(values | changes))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return build_network("cnn", classes=2, channels=1, **SMALL).eval()


@pytest.fixture
def faces():
    return torch.rand(2, 1, 48, 48)


@pytest.mark.parametrize("wrapped", ["plain", "state_dict", "module", "safetensors", "compiled"])
def test_the_imported_network_predicts_what_the_original_predicts(network, faces, tmp_path, wrapped):
    state = network.state_dict()
    path = tmp_path / ("net.safetensors" if wrapped == "safetensors" else "net.pt")
    if wrapped == "safetensors":
        save_file(state, path)
    elif wrapped == "state_dict":
        torch.save({"epoch": 3, "state_dict": state}, path)
    elif wrapped == "module":
        torch.save({f"module.{name}": tensor for name, tensor in state.items()}, path)
    elif wrapped == "compiled":
        torch.save({"model": {f"_orig_mod.module.{name}": tensor for name, tensor in state.items()}}, path)
    else:
        torch.save(state, path)
    checkpoint = import_weights(path, options(), tmp_path / "checkpoints")
    with torch.inference_mode():
        assert torch.equal(checkpoint.network()(faces).logits, network(faces).logits)
    assert (checkpoint.card.metrics, checkpoint.card.data.title) == ({}, "Not stated")


@pytest.mark.parametrize(
    ("architecture", "build"),
    [("resnet50", torchvision.models.resnet50), ("mobilenet_v2", torchvision.models.mobilenet_v2)],
)
def test_torchvisions_own_layouts_are_mapped(tmp_path, architecture, build):
    torch.manual_seed(0)
    original = build(num_classes=7).eval()
    torch.save(original.state_dict(), tmp_path / "net.pth")
    wanted = options(architecture=architecture, labels=FER7, size_px=64, model_options={"stem": "imagenet"})
    checkpoint = import_weights(tmp_path / "net.pth", wanted, tmp_path / "checkpoints")
    assert checkpoint.card.preprocessing.channels == 3
    faces = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(checkpoint.network()(faces).logits, original(faces), rtol=1e-4, atol=1e-4)


def test_weights_that_do_not_fit_are_reported_in_one_sentence(network, tmp_path):
    state = dict(network.state_dict())
    torch.save(state, tmp_path / "net.pt")
    root = tmp_path / "checkpoints"
    with pytest.raises(CheckpointError, match=r"head.weight has the shape \(2, 16\) instead of \(3, 16\)"):
        import_weights(tmp_path / "net.pt", options(labels=LabelSet("custom", ("a", "b", "c"))), root)
    state["extra.weight"] = state.pop("head.weight")
    torch.save(state, tmp_path / "net.pt")
    with pytest.raises(CheckpointError) as raised:
        import_weights(tmp_path / "net.pt", options(), root)
    assert "1 tensor is missing (head.weight); 1 tensor is unknown (extra.weight)" in str(raised.value)
    with pytest.raises(CheckpointError, match=r"does not fit resnet50 with 2 classes: \d+ tensors are missing"):
        import_weights(tmp_path / "net.pt", options(architecture="resnet50", model_options={}), root)
    assert not list(root.glob("*"))


def test_code_in_a_file_of_weights_is_not_executed(tmp_path):
    torch.save(build_network("cnn", classes=2, channels=1, **SMALL), tmp_path / "whole.pt")
    with pytest.raises(CheckpointError, match=r"expected a safetensors file, or a file written by torch\.save"):
        read_state_dict(tmp_path / "whole.pt")
    for name, content in (("a.pt", b"no weights"), ("b.safetensors", b"no weights"), ("empty.pt", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CheckpointError, match="cannot be read"):
            read_state_dict(tmp_path / name)
    for content in ([1, 2], {}, {0: torch.zeros(1)}, {"a": 1}):
        torch.save(content, tmp_path / "other.pt")
        with pytest.raises(CheckpointError, match="contains no state dict"):
            read_state_dict(tmp_path / "other.pt")


@given(content=st.binary(max_size=60) | st.text(max_size=30).map(lambda text: f"e{text}".encode()))
def test_any_file_is_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.pt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"any\.pt"):
        read_state_dict(path)


@pytest.mark.parametrize("changes", [{"mean": math.nan}, {"std": math.inf}, {"size_px": 60_000}])
def test_properties_that_no_network_can_have_are_refused(network, tmp_path, changes):
    torch.save(network.state_dict(), tmp_path / "net.pt")
    with pytest.raises(CheckpointError, match=f"{next(iter(changes))} must be"):
        import_weights(tmp_path / "net.pt", options(**changes), tmp_path / "checkpoints")


@pytest.mark.parametrize("name", ["../outside", "UPPER", "ensemble", "imported"])
def test_a_name_that_is_invalid_or_used_is_refused(network, tmp_path, name):
    torch.save(network.state_dict(), tmp_path / "net.pt")
    root = tmp_path / "checkpoints"
    import_weights(tmp_path / "net.pt", options(), root)
    with pytest.raises(CheckpointError):
        import_weights(tmp_path / "net.pt", options(name=name), root)
    assert [p.name for p in root.glob("*")] == ["imported"]


def test_an_imported_network_is_listed_evaluated_and_stored(image_folder, checkpoint, tmp_path):
    """The command line from a file of weights to a card with scores."""
    original = checkpoint.network()
    torch.save(original.state_dict(), tmp_path / "My Net.pt")
    root = tmp_path / "checkpoints"
    wanted = options(name="my_net", labels=checkpoint.card.labels, model_options=dict(checkpoint.card.model_options))
    import_weights(tmp_path / "My Net.pt", wanted, root)
    assert [p.model_id for p in Runtime(root, "cpu").predictors()] == ["my_net"]
    for split in ("val", "test"):
        arguments = ["evaluate", "my_net", "--data", image_folder, "--split", split, "--save", "--json"]
        result = CliRunner().invoke(app, [*map(str, arguments), "--checkpoints", str(root)], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        accuracy = json.loads(result.stdout)["accuracy"]["value"]
        assert accuracy == pytest.approx(checkpoint.card.metrics[split].accuracy.value, abs=1e-6)
    card = list_checkpoints(root).get("my_net").card
    assert card.data.fingerprint == checkpoint.card.data.fingerprint
    assert card.temperature == pytest.approx(checkpoint.card.temperature, rel=1e-3)
    assert set(card.metrics) == {"val", "test"}
    assert len(list_checkpoints(root).get("my_net").evaluation("test")) == 36


def test_the_command_names_the_next_step(network, tmp_path):
    torch.manual_seed(0)
    torch.save(build_network("mobilenet_v2", classes=2, channels=1).state_dict(), tmp_path / "My Net.pt")
    arguments = ["import", tmp_path / "My Net.pt", "--architecture", "mobilenet_v2", "--labels", "happy, sad"]
    result = CliRunner().invoke(app, [*map(str, arguments), "--checkpoints", str(tmp_path / "root")])
    assert result.exit_code == 0, result.output
    assert "python -m core evaluate my_net --data DATA --split val --save" in " ".join(result.stdout.split())
    assert list_checkpoints(tmp_path / "root").get("my_net").card.labels.classes == ("happy", "sad")


def test_a_network_with_contempt_is_scored_on_the_ferplus_majority_in_any_order_of_its_classes(network, tmp_path):
    weights = tmp_path / b"r\xe9seau.pt".decode(errors="surrogateescape")  # no UTF-8
    torch.save(build_network("cnn", classes=8, channels=1).state_dict(), tmp_path / "net.pt")
    (tmp_path / "net.pt").rename(weights)
    labels = LabelSet("alphabetical", tuple(sorted(FERPLUS8.classes)))
    checkpoint = import_weights(weights, ImportOptions("eight", "cnn", labels), tmp_path / "checkpoints")
    assert checkpoint.card.recipe["summary"] == "imported from r\\udce9seau.pt"
    found = evaluate_checkpoint(checkpoint, write_csv(tmp_path / "voted"), "val")
    assert found.note == ""
    assert found.run.labels == labels
    save_scores(checkpoint, found)
