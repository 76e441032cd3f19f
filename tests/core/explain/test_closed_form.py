from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn

from core.explain import Contrast, class_maps, explain, normalize
from core.explain.gradcam import gradient_maps
from core.explain.private_copy import private_copy
from core.models import build_network, families
from core.models.network import Network

CLASSES = 7


class LogitsOnly(nn.Module):
    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, faces: Tensor) -> Tensor:
        return self.network(faces).logits


@pytest.fixture(scope="module", params=list(families()))
def family_network(request: pytest.FixtureRequest) -> Network:
    """Random weights with norms that fit the data, so that features and logits are as large as a trained network's."""
    torch.manual_seed(0)
    network = build_network(request.param, classes=CLASSES, channels=1)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
    nn.init.normal_(network.head.weight)
    with torch.no_grad():
        network.train()(torch.randn(4, 1, 48, 48))
    return network.eval()


@pytest.fixture(scope="module")
def faces() -> Tensor:
    return torch.randn(2, 1, 48, 48, generator=torch.Generator().manual_seed(1))


def as_the_package_scales(maps: Tensor) -> np.ndarray:
    """(N, h, w) raw -> (N, 48, 48) with the package's own normalization, which subtracts the lowest cell."""
    return np.asarray(scale_cam_image(scale_cam_image(maps.numpy(), (48, 48))))


def raw_maps(network: Network, faces: Tensor, stage: str) -> Tensor:
    """Every class's Grad-CAM by gradients, (N, K, h, w), not normalized."""
    network = private_copy(network)
    weights = torch.eye(CLASSES).expand(len(faces), -1, -1)
    return gradient_maps(network, faces, stage, weights)


def package_maps(network: Network, faces: Tensor, stage: str, class_index: int) -> np.ndarray:
    cam = GradCAM(LogitsOnly(network), [network.stage_module(stage)])
    try:
        return np.asarray(cam(faces, [ClassifierOutputTarget(class_index)] * len(faces)))
    finally:
        cam.activations_and_grads.release()


def test_the_closed_form_is_the_packages_grad_cam_on_every_family(family_network: Network, faces: Tensor) -> None:
    with torch.inference_mode():
        output = family_network(faces)
        maps = class_maps(output.features, family_network.head.weight)
    assert maps.shape == (2, CLASSES, *output.features.shape[2:])
    for k in (0, 4):
        expected = package_maps(family_network, faces, family_network.closed_form_stage, k)
        assert expected.max() > 0.99
        np.testing.assert_allclose(as_the_package_scales(maps[:, k]), expected, atol=1e-4)


def test_grad_cam_at_an_inner_stage_is_the_packages_on_every_family(family_network: Network, faces: Tensor) -> None:
    stage = list(family_network.stages)[-2]
    maps = raw_maps(family_network, faces, stage)
    found = explain(family_network, faces, stage=stage)
    assert maps.shape[:2] == (2, CLASSES)
    for k in (1, 6):
        expected = package_maps(family_network, faces, stage, k)
        np.testing.assert_allclose(as_the_package_scales(maps[:, k]), expected, atol=1e-4)
        for n in range(len(faces)):
            np.testing.assert_allclose(found[n * CLASSES + k].heatmap, normalize(maps)[n, k], atol=1e-5)


def test_the_closed_form_equals_the_maps_by_gradients(family_network: Network, faces: Tensor) -> None:
    with torch.no_grad():
        maps = class_maps(family_network(faces).features, family_network.head.weight)
    by_gradient = raw_maps(family_network, faces, family_network.closed_form_stage)
    torch.testing.assert_close(maps, by_gradient, atol=1e-5, rtol=1e-4)


def test_maps_are_the_hand_computed_ones(two_layers: Network, face: Tensor) -> None:
    with torch.no_grad():
        maps = class_maps(two_layers(face).features, two_layers.head.weight)
    torch.testing.assert_close(maps[0, 0], torch.tensor([[0.5, 0.875], [0.125, 0.375]]))
    torch.testing.assert_close(maps[0, 1], torch.tensor([[0.0, 0.0], [0.25, 0.75]]))


def test_a_contrast_is_evidence_for_one_class_rather_than_the_other(two_layers: Network, face: Tensor) -> None:
    # w_0 - w_1 = (2, -0.5)
    (contrast,) = explain(two_layers, face, stage="stage two", targets=Contrast(0, 1))
    np.testing.assert_allclose(contrast.heatmap * contrast.evidence, [[1.0, 1.375], [0.0, 0.0]], atol=1e-6)


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="must agree in C"):
        class_maps(torch.zeros(1, 4, 2, 2), torch.zeros(7, 5))


def test_terms_that_cancel_leave_no_evidence() -> None:
    generator = torch.Generator().manual_seed(0)
    half = torch.rand(1, 256, 6, 6, generator=generator)
    features = torch.cat([half, half / 3], dim=1)
    weight = torch.rand(1, 256, generator=generator)
    maps = class_maps(features, torch.cat([weight, -3 * weight], dim=1))
    assert not maps.any(), "rounding noise is not evidence"


def test_each_map_is_divided_by_its_own_maximum() -> None:
    maps = torch.tensor([[[[0.0, 2.0]], [[1.0, 4.0]]], [[[8.0, 4.0]], [[-1.0, -2.0]]]])
    normalized = normalize(maps)
    torch.testing.assert_close(normalized[0], torch.tensor([[[0.0, 1.0]], [[0.25, 1.0]]]))
    torch.testing.assert_close(normalized[1], torch.tensor([[[1.0, 0.5]], [[0.0, 0.0]]]))


def test_a_peak_of_rounding_noise_is_not_evidence_next_to_another_class() -> None:
    maps = torch.tensor([[[[1.0, 0.5]], [[1e-8, 0.0]]]])
    assert normalize(maps)[0, 1].tolist() == [[0.0, 0.0]]


wild_maps = arrays(
    np.float32,
    array_shapes(min_dims=4, max_dims=4, max_side=4),
    elements=st.floats(-(2.0**100), 2.0**100, width=32),
)


@settings(deadline=None)
@given(wild_maps)
def test_normalized_maps_lie_between_0_and_1_and_empty_ones_stay_empty(raw: np.ndarray) -> None:
    result = normalize(torch.from_numpy(raw)).numpy()
    assert np.isfinite(result).all()
    assert result.min() >= 0
    assert result.max() <= 1
    assert not result[raw.max(axis=(2, 3)) <= 0].any()
    strongest = raw.max(axis=(1, 2, 3)) > 1e-5 * np.abs(raw).max(axis=(1, 2, 3))
    assert (result.max(axis=(1, 2, 3))[strongest] == 1).all()
