"""The measures for a network whose prediction depends on one known patch."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from core.errors import ExplainError
from core.explain import Contrast, Explanation
from core.faces import Box, Face
from core.inference import FaceAnalysis, Predictor, explain_face
from core.labels import LabelSet
from core.models import Network
from core.preprocessing import Preprocessing
from core.probes import (
    compare_with_chance,
    explained_probability,
    measure_faithfulness,
    method_agreement,
    probability_of,
    randomization_check,
    trust,
)

SIZE = 24


class Patch(nn.Module):
    """Keeps the upper left quarter and sets the rest to zero."""

    def __init__(self):
        super().__init__()
        mask = torch.zeros(1, 1, SIZE, SIZE)
        mask[..., : SIZE // 2, : SIZE // 2] = 1
        self.register_buffer("mask", mask)

    def forward(self, x):
        return x * self.mask


@pytest.fixture
def predictor(checkpoint):
    """The logit of "patch" rises with the brightness of the upper left quarter."""
    conv = nn.Conv2d(1, 1, 1, bias=False)
    conv.weight.data.fill_(1.0)
    trunk = nn.Sequential()
    trunk.add_module("one", nn.Sequential(Patch(), conv, nn.ReLU()))
    trunk.add_module("two", nn.AvgPool2d(2))
    stages = {"stage one": "trunk.one", "stage two": "trunk.two"}
    network = Network(trunk, 1, 2, stages=stages, default_stage="stage one")
    network.head.weight.data = torch.tensor([[12.0], [-12.0]])
    network.head.bias.data = torch.tensor([-2.0, 2.0])
    card = replace(
        checkpoint.card,
        labels=LabelSet("two", ("patch", "none")),
        preprocessing=Preprocessing(size_px=SIZE, mean=0.0, std=1.0),
        temperature=1.0,
        cam_layer="stage one",
    )
    return Predictor(network, card)


@pytest.fixture
def face(predictor):
    picture = np.zeros((SIZE, SIZE), np.uint8)
    picture[: SIZE // 2, : SIZE // 2] = 255
    return FaceAnalysis(
        Face(Box(0, 0, SIZE, SIZE), 1.0),
        {predictor.model_id: picture},
        {predictor.model_id: predictor.predict_inputs([picture])[0]},
    )


def pointing(heatmap) -> Explanation:
    return Explanation("m", "gradcam", 0, "stage one", np.asarray(heatmap, np.float32), 1.0)


def test_only_the_right_map_is_better_than_chance(predictor, face):
    right, wrong = np.zeros((6, 6)), np.zeros((6, 6))
    right[:3, :3] = np.linspace(0.5, 1, 9).reshape(3, 3)
    wrong[3:, 3:] = np.linspace(0.5, 1, 9).reshape(3, 3)
    counted = []
    assert compare_with_chance(
        predictor, face, pointing(right), progress=lambda done, total: counted.append((done, total))
    ).better_than_chance
    assert not compare_with_chance(predictor, face, pointing(wrong)).better_than_chance
    good = measure_faithfulness(predictor, face, pointing(right))
    bad = measure_faithfulness(predictor, face, pointing(wrong))
    assert good.curves.score > 0.1 > bad.curves.score
    assert good.drop.drop > bad.drop.drop == pytest.approx(0, abs=1e-6)
    assert good.road.score > bad.road.score
    assert counted[-1] == (100, 100)


def test_a_constant_map_is_refused(predictor, face):
    with pytest.raises(ExplainError, match="all cells of this map are equal"):
        measure_faithfulness(predictor, face, pointing(np.ones((6, 6))))
    with pytest.raises(ExplainError, match="all cells of this map are equal"):
        compare_with_chance(predictor, face, pointing(np.ones((6, 6))))


def test_methods_with_the_same_map_are_counted_once(predictor, face):
    names = ("gradcam", "hirescam", "xgradcam", "eigencam")
    before_pooling = method_agreement(predictor, face, 0, "stage two", names)
    assert before_pooling.methods == ("Grad-CAM = HiResCAM = XGrad-CAM", "Eigen-CAM")
    assert before_pooling.correlation.shape == (2, 2)
    assert before_pooling.correlation[0, 1] == pytest.approx(1)
    assert len(method_agreement(predictor, face, 0, "stage one", names).methods) == 4


def test_a_known_map_is_compared_without_being_computed_again(predictor, face, monkeypatch):
    (made,) = explain_face(predictor, face, method="occlusion", stage="stage one", targets=0)
    asked = []
    monkeypatch.setattr(trust, "explain_face", lambda *a, **o: asked.append(o["method"]) or explain_face(*a, **o))
    found = method_agreement(predictor, face, 0, "stage one", ("gradcam", "eigencam", "occlusion"), known=made)
    assert found.methods == ("Grad-CAM", "Eigen-CAM", "Occlusion")
    assert asked == ["gradcam", "eigencam"]
    assert found.correlation[0, 2] > 0.5  # both mark the patch


def test_the_randomization_check_supports_contrasts_and_slow_methods(predictor, face):
    counted = []
    found = randomization_check(
        predictor,
        face,
        Contrast(0, 1),
        "stage one",
        "occlusion",
        progress=lambda done, total: counted.append((done, total)),
    )
    assert [name for name, _ in found] == ["head", "two", "one"]
    assert counted[-1][0] == counted[-1][1] > 4
    with pytest.raises(ExplainError, match="no class 7"):
        randomization_check(predictor, face, Contrast(0, 7), "stage one")
    assert not predictor.lock.locked()


@pytest.fixture
def three_classes(checkpoint):
    """ "dark" is far ahead of "left" and "right", whose logits follow the brightness of that half of the face."""
    left, right = torch.zeros(1, 1, SIZE, SIZE), torch.zeros(1, 1, SIZE, SIZE)
    left[..., : SIZE // 2] = right[..., SIZE // 2 :] = 1

    class Halves(nn.Module):
        def forward(self, x):
            return torch.cat([x * left, x * right], dim=1)

    trunk = nn.Sequential()
    trunk.add_module("one", Halves())
    trunk.add_module("two", nn.AvgPool2d(2))
    network = Network(trunk, 2, 3, stages={"one": "trunk.one", "two": "trunk.two"}, default_stage="one")
    network.head.weight.data = torch.tensor([[8.0, 0.0], [0.0, 8.0], [0.0, 0.0]])
    network.head.bias.data = torch.tensor([0.0, 0.0, 20.0])
    card = replace(
        checkpoint.card,
        labels=LabelSet("three", ("left", "right", "dark")),
        preprocessing=Preprocessing(size_px=SIZE, mean=0.0, std=1.0),
        temperature=2.0,
        cam_layer="one",
    )
    return Predictor(network, card)


def test_measures_of_a_contrast_follow_the_difference_of_logits(three_classes):
    picture = np.zeros((SIZE, SIZE), np.uint8)
    picture[4:20, 4:10] = 255  # in the left half only
    prediction = three_classes.predict_inputs([picture])[0]
    model_id = three_classes.model_id
    face = FaceAnalysis(Face(Box(0, 0, SIZE, SIZE), 1.0), {model_id: picture}, {model_id: prediction})
    (contrast,) = explain_face(three_classes, face, method="gradcam", stage="two", targets=Contrast(0, 1))
    found = measure_faithfulness(three_classes, face, contrast)
    a, b = prediction.logits[:2]
    two_sided = 1 / (1 + np.exp(-(a - b) / 2.0))
    assert found.drop.before == found.curves.deletion[0] == pytest.approx(two_sided, abs=1e-5)
    assert found.curves.score > 0.05
    (alone,) = explain_face(three_classes, face, method="gradcam", stage="two", targets=0)
    assert abs(measure_faithfulness(three_classes, face, alone).curves.score) < 1e-3


def test_the_probabilities_of_a_contrast_and_of_its_opposite_add_up_to_one(three_classes):
    faces = torch.rand(4, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(0))

    def measured(a, b):
        map_ = Explanation("m", "gradcam", a if b is None else Contrast(a, b), "one", np.ones((2, 2), np.float32), 1.0)
        predict, column = explained_probability(three_classes, map_)
        return predict(faces)[:, column]

    torch.testing.assert_close(measured(0, 1) + measured(1, 0), torch.ones(4))
    torch.testing.assert_close(measured(2, None), probability_of(three_classes)(faces)[:, 2])


def test_the_randomization_check_does_not_change_the_network(predictor, face):
    weights = predictor.network.head.weight.clone()
    layers = randomization_check(predictor, face, 0, "stage one")
    assert [name for name, _ in layers] == ["head", "two", "one"]
    assert torch.equal(predictor.network.head.weight, weights)
    assert not predictor.lock.locked()


def test_the_lock_is_released_after_a_failure(predictor, face):
    with pytest.raises(ExplainError, match="no class 5"):
        explain_face(predictor, face, method="gradcam", stage="stage one", targets=5)
    assert not predictor.lock.locked()
