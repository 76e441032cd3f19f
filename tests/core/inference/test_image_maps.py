from types import SimpleNamespace

import numpy as np
import pytest
import torch

from core.errors import ExplainError
from core.inference import Predictor, class_saliency, image_maps
from tests.conftest import CLASSES, draw


@pytest.fixture(scope="module")
def predictor(checkpoint):
    return Predictor.load(checkpoint)


@pytest.fixture(scope="module")
def faces():
    random = np.random.default_rng(5)
    return [draw(name, random) for name in CLASSES]


def test_each_image_gets_the_map_that_analyze_shows_for_its_class(predictor, faces):
    found = image_maps(predictor, faces, [2, 0, 1])
    for image, k, explanation in zip(faces, [2, 0, 1], found, strict=True):
        face = SimpleNamespace(predictions={predictor.model_id: predictor.predict([image])[0]})
        alone = class_saliency(predictor, face).explanation(k)
        assert explanation.class_index == k
        assert explanation.layer == "stage 3"
        assert np.allclose(explanation.heatmap, alone.heatmap, atol=1e-4)
        assert explanation.evidence == pytest.approx(alone.evidence, rel=1e-3, abs=1e-6)


def test_no_image_has_no_map(predictor):
    assert image_maps(predictor, [], []) == ()


def test_a_class_the_network_lacks_and_a_missing_class_are_refused(predictor, faces):
    with pytest.raises(IndexError, match="tiny_cnn has 3 classes, there is no class number 3"):
        image_maps(predictor, faces, [0, 1, 3])
    with pytest.raises(ValueError, match="every image needs one class, got 3 images and 2 classes"):
        image_maps(predictor, faces, [0, 1])


def test_weights_that_are_no_numbers_are_named(checkpoint, faces):
    broken = Predictor.load(checkpoint)
    with torch.no_grad():
        broken.network.head.weight[0, 0] = torch.nan
    with pytest.raises(ExplainError, match="returned NaN or infinity"):
        image_maps(broken, faces, [0, 1, 2])
