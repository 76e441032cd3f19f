"""Loaded networks and cached results. The data set of a card is tested in tests/core/test_card_samples.py."""

import gc
import json
import os
import shutil
import weakref

import numpy as np
import pytest

from core import images
from core.errors import CheckpointError, DataError, DeviceError, UnknownDetectorError
from core.runtime import Runtime
from core.sample_photos import sample_photos
from tests.conftest import write_folder


@pytest.fixture
def root(checkpoint_root, tmp_path):
    """A copy of the networks that a test may change."""
    return shutil.copytree(checkpoint_root, tmp_path / "checkpoints")


@pytest.fixture
def portrait():
    return images.decode(next(iter(sample_photos().values())).data)


def touch(path):
    """Another modification time, whatever the resolution of the clock."""
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000_000))


def test_the_listing_is_read_again_after_a_card_has_changed(root):
    runtime = Runtime(root, "cpu")
    first = runtime.listing()
    assert runtime.listing() is first
    card = root / "tiny_cnn" / "card.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {"title": "Renamed"}))
    touch(card)
    assert runtime.listing().get("tiny_cnn").card.title == "Renamed"
    shutil.rmtree(root / "tiny_residual")
    assert [c.card.run_id for c in runtime.listing().checkpoints] == ["tiny_cnn"]


def test_a_network_is_loaded_once_until_its_weights_change(root):
    runtime = Runtime(root, "cpu")
    (first,) = runtime.predictors(["tiny_cnn"])
    assert runtime.predictors(["tiny_cnn"]) == [first]
    assert [p.model_id for p in runtime.predictors()] == ["tiny_cnn", "tiny_residual"]
    weights = root / "tiny_cnn" / "weights.safetensors"
    weights.write_bytes(b"other weights")
    touch(weights)
    with pytest.raises(CheckpointError, match="is not the file that its card describes"):
        runtime.predictors(["tiny_cnn"])


def test_unknown_networks_and_an_empty_folder_are_refused(root, tmp_path):
    with pytest.raises(CheckpointError, match="there is no network 'other'"):
        Runtime(root, "cpu").predictors(["other"])
    with pytest.raises(CheckpointError, match="python -m core train"):
        Runtime(tmp_path / "empty", "cpu").predictors()


def test_an_unknown_device_and_an_unknown_detector_are_refused(root):
    with pytest.raises(DeviceError, match="got 'gpu'"):
        Runtime(root, "gpu")
    with pytest.raises(UnknownDetectorError, match="'other'"):
        Runtime(root, "cpu").detector("other")


def test_detectors_are_shared(root):
    runtime = Runtime(root, "cpu")
    assert runtime.detector("haar") is runtime.detector("haar")
    automatic = runtime.detector("auto")
    assert automatic is runtime.detector("auto") is runtime.detector(automatic.name)


def test_no_array_of_a_photo_remains_after_its_analysis(root, portrait):
    runtime = Runtime(root, "cpu")
    analysis = runtime.analyze(portrait, runtime.predictors(), "haar")
    assert len(analysis.faces) == 1
    (face,) = analysis.faces
    arrays = [analysis.image, *face.inputs.values(), *(p.logits for p in face.predictions.values())]
    references = [weakref.ref(array) for array in arrays]
    del analysis, face, arrays, portrait
    gc.collect()
    # The image itself is still referred to by the test's fixture.
    assert [reference() for reference in references[1:]] == [None] * len(references[1:])


def test_evaluations_are_shared_and_read_again_after_a_change(root):
    runtime = Runtime(root, "cpu")
    checkpoint = runtime.listing().get("tiny_cnn")
    run = runtime.evaluation(checkpoint, "test")
    assert runtime.evaluation(checkpoint, "test") is run
    assert runtime.summary(run) is runtime.summary(run)
    touch(checkpoint.predictions_path("test"))
    assert runtime.evaluation(checkpoint, "test") is not run


def test_the_ensemble_depends_on_its_weights(root):
    runtime = Runtime(root, "cpu")
    runs = [runtime.evaluation(c, "test") for c in runtime.listing().checkpoints]
    equal = runtime.ensemble(runs)
    assert runtime.ensemble(runs, [1.0, 1.0]) is equal
    only_first = runtime.ensemble(runs, [1.0, 0.0])
    assert np.array_equal(only_first.logits.argmax(axis=1), runs[0].logits.argmax(axis=1))


def test_the_latency_is_measured(root):
    runtime = Runtime(root, "cpu")
    assert 0 < runtime.measure_latency(runtime.listing().get("tiny_cnn")) < 10_000


def test_a_new_image_in_a_folder_is_seen(root, tmp_path):
    folder = write_folder(tmp_path / "shapes", {"train": 2, "val": 2, "test": 2})
    runtime = Runtime(root, "cpu")
    samples, facts = runtime.data_set(folder)
    assert runtime.has_read(folder)
    assert len(samples) == len(facts) == 18
    assert runtime.data_set(folder)[0] is samples
    shutil.copy(folder / "train" / "dark" / "000.png", folder / "train" / "bright" / "new.png")
    assert not runtime.has_read(folder)
    assert len(runtime.data_set(folder)[0]) == 19


def test_a_data_set_that_cannot_be_read_is_not_read_again(root, tmp_path, monkeypatch):
    runtime, missing = Runtime(root, "cpu"), tmp_path / "missing.csv"
    for _ in range(2):
        with pytest.raises(DataError, match=r"missing\.csv"):
            runtime.data_set(missing)
    assert runtime.has_read(missing)


def test_maps_of_images_are_computed_once(root, image_folder):
    runtime = Runtime(root, "cpu")
    checkpoint = runtime.listing().get("tiny_cnn")
    samples = runtime.card_samples(checkpoint.card, image_folder)
    predictor = runtime.predictor(checkpoint)
    ids = tuple(int(i) for i in samples.ids[:2])
    maps = runtime.image_maps(predictor, samples, ids, (0, 1))
    assert [m.class_index for m in maps] == [0, 1]
    assert runtime.image_maps(predictor, samples, ids, (0, 1)) is maps


def test_average_faces_have_the_number_of_their_images(root, image_folder):
    faces = Runtime(root, "cpu").mean_faces(image_folder, "test")
    assert {name: n for name, (_, n) in faces.items()} == {"bright": 12, "dark": 12, "striped": 12}
