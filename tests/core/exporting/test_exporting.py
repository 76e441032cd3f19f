"""Exported networks compute what PyTorch computes, explain themselves, and can be the backend of predictions."""

import io
import json
import shutil
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from pydantic import TypeAdapter

from core.checkpoints import ROOT, load_checkpoint
from core.data import read
from core.errors import ExportError, NotFiniteError
from core.explain import class_maps
from core.exporting.conversion import METADATA_FILE, TOLERANCE, export
from core.exporting.installation import install, onnx_over_torch
from core.exporting.quantization import quantize
from core.inference import Predictor
from core.inference.backends import OnnxBackend
from core.labels import FER7
from core.models import build_network
from core.preprocessing import Preprocessing
from core.runtime import Runtime


@pytest.fixture(scope="module")
def exported(checkpoint):
    return export(checkpoint)


@pytest.fixture(scope="module")
def archive(checkpoint):
    return export(checkpoint, "torch-export")


@pytest.fixture
def copied(checkpoint, tmp_path):
    """A checkpoint that a test may change."""
    shutil.copytree(checkpoint.path, tmp_path / checkpoint.path.name)
    return load_checkpoint(tmp_path / checkpoint.path.name)


def random_images(n, size_px=48):
    return np.random.default_rng(n).integers(0, 256, (n, size_px, size_px), dtype=np.uint8)


def test_an_onnx_file_gives_the_stored_logits_in_batches_of_any_size(checkpoint, exported, image_folder):
    stored, samples = checkpoint.evaluation("test"), read(image_folder).of("test")
    session = onnxruntime.InferenceSession(exported.data)
    assert session.get_inputs()[0].shape == ["faces", 48, 48]
    for images, expected in ((samples.images[:1], stored.logits[:1]), (samples.images, stored.logits)):
        (logits,) = session.run(["logits"], {"images": images})
        np.testing.assert_allclose(logits, expected, atol=TOLERANCE)
    assert exported.difference < TOLERANCE


def test_an_exported_file_holds_the_class_maps_of_its_own_predictions(checkpoint, exported):
    images, network = random_images(5), checkpoint.network()
    logits, maps, features = OnnxBackend(exported.data).outputs(images)
    expected = class_maps(torch.from_numpy(features), network.head.weight).numpy()
    np.testing.assert_allclose(maps, expected, atol=1e-4)
    weighted = np.einsum("kc,nchw->nk", network.head.weight.detach().numpy(), features) / np.prod(features.shape[2:])
    np.testing.assert_allclose(weighted + network.head.bias.detach().numpy(), logits, atol=1e-3)


def test_the_metadata_is_enough_to_use_the_file(checkpoint, exported):
    model = onnx.load_model_from_string(exported.data)
    entries = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(entries["labels"]) == list(checkpoint.card.labels.classes)
    assert TypeAdapter(Preprocessing).validate_json(entries["preprocessing"]) == checkpoint.card.preprocessing
    assert float(entries["temperature"]) == checkpoint.card.temperature
    assert entries["weights_sha256"] == checkpoint.card.weights_sha256
    assert "(N, 48, 48)" in entries["usage"]


def test_a_torch_export_file_is_read_without_ferscope(checkpoint, archive):
    extra = {METADATA_FILE: ""}
    module = torch.export.load(io.BytesIO(archive.data), extra_files=extra).module()
    images = random_images(1)
    logits, _, _ = module(torch.from_numpy(images))
    expected = Predictor.load(checkpoint).output(images).logits
    np.testing.assert_allclose(logits.detach(), expected, atol=TOLERANCE)
    assert json.loads(json.loads(extra[METADATA_FILE])["labels"]) == list(checkpoint.card.labels.classes)


def test_files_do_not_contain_paths_of_this_machine(exported, archive):
    for file in (exported, archive):
        assert str(ROOT.parent).encode() not in file.data


def test_a_color_network_is_exported(checkpoint, monkeypatch):
    torch.manual_seed(0)
    network = build_network("residual_cnn", classes=7, channels=3, stem=8, widths=(8, 16), blocks=1).eval()
    card = replace(checkpoint.card, labels=FER7, preprocessing=Preprocessing(channels=3, size_px=32))
    monkeypatch.setattr(type(checkpoint), "network", lambda _: network)
    found = export(replace(checkpoint, card=card))
    logits, maps, _ = OnnxBackend(found.data).outputs(np.zeros((2, 32, 32, 3), np.uint8))
    assert logits.shape == (2, 7)
    assert maps.shape[:2] == (2, 7)


def test_a_network_that_returns_nan_is_not_exported(checkpoint, monkeypatch):
    network = checkpoint.network()
    with torch.no_grad():
        network.head.weight.fill_(torch.nan)
    monkeypatch.setattr(type(checkpoint), "network", lambda _: network)
    with pytest.raises(NotFiniteError, match="tiny_cnn"):
        export(checkpoint)


def test_an_unknown_format_is_refused(checkpoint):
    with pytest.raises(ExportError, match="onnx, torch-export, got 'pickle'"):
        export(checkpoint, "pickle")


def test_a_quantized_network_is_smaller_and_its_accuracy_is_measured(checkpoint, exported, image_folder):
    samples = read(image_folder)
    found = quantize(exported, samples)
    assert len(found.exported.data) < len(exported.data)
    assert found.accuracy.n == found.accuracy_before.n == 36
    assert found.accuracy_before.value == checkpoint.card.metrics["val"].accuracy.value
    assert found.floor == pytest.approx(found.accuracy_before.value - 0.01)
    validation = samples.of("val")
    predicted = OnnxBackend(found.exported.data).outputs(validation.images)[0].argmax(axis=1)
    assert (predicted == validation.truth).mean() == found.accuracy.value
    assert not quantize(exported, samples, floor=1.01).accepted


def test_an_installed_file_is_the_backend_of_the_same_predictions(copied, exported):
    install(copied, exported, 0.5)
    images = random_images(9)
    runtime = Runtime(copied.path.parent, "cpu")
    (by_onnx,), by_torch = runtime.predictors(), Predictor.load(copied)
    assert (by_onnx.backend.name, by_torch.backend.name) == ("onnx", "torch")
    for a, b in zip(by_onnx.predict(images), by_torch.predict(images), strict=True):
        np.testing.assert_allclose(a.logits, b.logits, atol=1e-4)
        np.testing.assert_allclose(a.features, b.features, atol=1e-4)
    np.testing.assert_allclose(by_onnx.predict(images[:1])[0].logits, by_onnx.predict(images)[0].logits, atol=1e-5)

    copied.onnx_path.unlink()
    assert runtime.predictors()[0].backend.name == "torch"


def test_a_file_that_does_not_fit_is_not_used(copied, exported):
    with pytest.raises(ExportError, match=r"tiny_cnn has no network\.onnx; export it with"):
        Predictor.load(copied, backend="onnx")
    install(copied, exported, 0.5)
    with pytest.raises(ExportError, match="computes on the CPU, got the device meta"):
        Predictor.load(copied, "meta", "onnx")
    copied.onnx_path.write_bytes(exported.data[:1000])
    with pytest.raises(ExportError, match="is not an ONNX file that FERscope exported"):
        Predictor.load(copied, backend="onnx")
    assert Predictor.load(copied, backend="auto").backend.name == "torch"


def test_a_file_of_other_weights_is_not_used(copied, exported, checkpoint_root):
    other = load_checkpoint(checkpoint_root / "tiny_residual")
    copied.onnx_path.write_bytes(export(other).data)
    with pytest.raises(ExportError, match="belongs to other weights"):
        Predictor.load(copied, backend="onnx")
    assert Predictor.load(copied, backend="auto").backend.name == "torch"


def test_a_slower_backend_is_installed_on_request_only(copied, exported):
    with pytest.raises(ExportError, match=r"takes 1\.50 times as long as PyTorch"):
        install(copied, exported, 1.5)
    assert not copied.onnx_path.exists()
    install(copied, exported, 1.5, force=True)
    assert copied.onnx_path.read_bytes() == exported.data


def test_the_time_of_onnx_runtime_is_measured_against_pytorch(checkpoint, exported):
    assert 0 < onnx_over_torch(checkpoint, exported) < 100
