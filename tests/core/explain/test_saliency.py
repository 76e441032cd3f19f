from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.errors import ExplainError
from core.explain import (
    Contrast,
    Explanation,
    Stopped,
    distinct_methods,
    explain,
    is_closed_form,
    method_named,
    on_common_scale,
    register_method,
    saliency_methods,
)
from core.models.network import Network

W1 = 1 / (1 + math.exp(0.7083333 - 1.3125))  # softmax of the scores of the face seen through each channel

# Class 0 at stage one, with gradients g1 = [[0.5, 0.5], [0, 0]] and g2 = [[-0.25, -0.125], [0.125, 0.125]].
BY_HAND = {
    "gradcam": [[0.25, 0.46875], [-0.03125, 0.15625]],  # mean gradients 0.25 and -0.03125
    "gradcam++": [[0.25, 0.595238], [0.095238, 0.535714]],  # 2 * 0.5 * 0.25 and 2 * 0.125 * 0.380952
    "hirescam": [[0.5, 0.875], [0.125, 0.375]],
    "xgradcam": [[0.375, 0.825], [0.075, 0.6]],  # 1.5 / 4 and 0.375 / 5
    "layercam": [[0.5, 1.0], [0.125, 0.375]],
    "eigencam": [[-1.25, -0.25], [-0.25, 1.75]],  # the centered channels do not covary; the second varies more
    "scorecam": [[W1, 2 * W1 + (1 - W1)], [1 - W1, W1 + 3 * (1 - W1)]],
    "ablationcam": [[1.25, 2.375], [-0.125, 0.875]],  # the logit loses 1.25 and -0.125
    "guided_backprop": [[0.5, 0.5], [0.125, 0.125]],
}


@pytest.mark.parametrize("method", BY_HAND)
def test_each_method_gives_the_hand_computed_map(two_layers: Network, face: Tensor, method: str) -> None:
    (found,) = explain(two_layers, face, method=method, stage="stage one", targets=0, model_id="two layers")
    by_hand = np.maximum(BY_HAND[method], 0)
    assert found.evidence == pytest.approx(by_hand.max(), rel=1e-4)
    np.testing.assert_allclose(found.heatmap, by_hand / by_hand.max(), atol=1e-4)
    assert (found.model_id, found.method, found.class_index, found.against) == ("two layers", method, 0, None)
    assert found.stage == ("input" if method_named(method).marks_pixels else "stage one")


@pytest.fixture
def bright_spot() -> Tensor:
    picture = torch.zeros(1, 1, 12, 12)
    picture[0, 0, 5, 5] = 4.0
    return picture


def test_occlusion_gives_the_hand_computed_map(brightness: Network, bright_spot: Tensor) -> None:
    (found,) = explain(brightness, bright_spot, method="occlusion", targets=0)
    # Windows of 2 px moved by 1: all 4, 2 or 1 of the windows over a pixel hold the spot; gray adds 4 x 4/144.
    expected = np.zeros((12, 12))
    expected[4:7, 4:7] = [[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]
    expected = np.maximum(expected - 4 * 4 / 144, 0) / 144
    assert found.evidence == pytest.approx(expected.max(), rel=1e-4)
    np.testing.assert_allclose(found.heatmap, expected / expected.max(), atol=1e-4)


def test_integrated_gradients_give_the_hand_computed_map(brightness: Network, bright_spot: Tensor) -> None:
    (found,) = explain(brightness, bright_spot, method="integrated_gradients", targets=0)
    # The network is linear there, so a pixel's share is (pixel - mean) / 144.
    assert found.evidence == pytest.approx((4 - 4 / 144) / 144, rel=1e-4)
    assert found.heatmap[5, 5] == 1
    assert found.heatmap.sum() == 1


def test_guided_backpropagation_guides_relu6_too(brightness: Network) -> None:
    picture = torch.full((1, 1, 2, 2), 3.0)
    picture[0, 0, 0, 0] = 7.0  # cut off at 6: no gradient
    raises, lowers = explain(brightness, picture, method="guided_backprop")
    assert raises.heatmap.tolist() == [[0, 1], [1, 1]]
    assert not lowers.has_evidence, "an unguided ReLU would propagate the negative gradient of class 1"


def test_maps_of_all_classes_are_ordered_by_face(two_layers: Network, face: Tensor) -> None:
    faces = torch.cat([face, face.flip(3)])
    for method in saliency_methods():
        found = explain(two_layers, faces, method=method)
        assert [e.class_index for e in found] == [0, 1, 0, 1]
        if method != "eigencam":
            one = explain(two_layers, faces[1:], method=method, targets=1)[0]
            np.testing.assert_allclose(found[3].heatmap, one.heatmap, atol=1e-5)


def test_a_class_without_support_has_no_evidence_and_an_empty_map(two_layers: Network) -> None:
    only_second_channel = torch.zeros(1, 2, 2, 2)
    only_second_channel[0, 0] = 1.0
    _, second = explain(two_layers, only_second_channel, stage="stage two")
    assert not second.has_evidence
    assert second.evidence == 0
    assert not second.heatmap.any()


@pytest.mark.parametrize("stage", ["stage one", "stage two"])
@pytest.mark.parametrize("method", list(saliency_methods()))
def test_a_contrast_is_the_map_of_the_difference_of_logits(
    two_layers: Network, face: Tensor, method: str, stage: str
) -> None:
    (found,) = explain(two_layers, face, method=method, stage=stage, targets=Contrast(0, 1))
    assert (found.class_index, found.against) == (0, 1)
    two_layers.head.weight.data[0] -= two_layers.head.weight.data[1]
    (expected,) = explain(two_layers, face, method=method, stage=stage, targets=0)
    np.testing.assert_allclose(found.heatmap, expected.heatmap, atol=1e-4)


def test_three_methods_coincide_before_the_pooling_and_are_grouped(two_layers: Network, face: Tensor) -> None:
    same = [
        explain(two_layers, face, method=m, stage="stage two", targets=0)[0]
        for m in ("gradcam", "hirescam", "xgradcam")
    ]
    for other in same[1:]:
        np.testing.assert_allclose(other.heatmap, same[0].heatmap, atol=1e-5)
    names = ("layercam", "hirescam", "gradcam", "xgradcam")
    assert distinct_methods(names, two_layers, "stage two") == (("layercam",), ("hirescam", "gradcam", "xgradcam"))
    assert distinct_methods(names, two_layers, "stage one") == tuple((name,) for name in names)


@pytest.mark.parametrize("targets", [None, 1, Contrast(0, 1), [1, Contrast(1, 0)]])
def test_stored_features_give_the_closed_form_without_another_pass(
    two_layers: Network, face: Tensor, targets: int | Contrast | list[int | Contrast] | None
) -> None:
    faces = torch.cat([face, face.flip(3)])
    with torch.inference_mode():
        features = two_layers(faces).features
    expected = explain(two_layers, faces, stage="stage two", targets=targets)
    passes: list[int] = []

    def count(done: int, _total: int) -> None:
        passes.append(done)

    found = explain(two_layers, faces, stage="stage two", targets=targets, features=features, progress=count)
    assert not passes
    assert [(e.target, e.stage, e.method) for e in found] == [(e.target, e.stage, e.method) for e in expected]
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a.heatmap, b.heatmap, atol=1e-6)
        assert a.evidence == pytest.approx(b.evidence, rel=1e-5)


def test_features_are_ignored_where_the_map_has_no_closed_form(two_layers: Network, face: Tensor) -> None:
    wrong = torch.full((1, 2, 2, 2), torch.nan)
    for method, stage in (("gradcam", "stage one"), ("layercam", "stage two")):
        assert not is_closed_form(two_layers, method, stage)
        (expected,) = explain(two_layers, face, method=method, stage=stage, targets=0)
        (found,) = explain(two_layers, face, method=method, stage=stage, targets=0, features=wrong)
        np.testing.assert_array_equal(found.heatmap, expected.heatmap)


@pytest.mark.parametrize("stage", ["stage one", "stage two"])
@pytest.mark.parametrize("method", list(saliency_methods()))
def test_each_face_can_have_its_own_target(two_layers: Network, face: Tensor, method: str, stage: str) -> None:
    faces, targets = torch.cat([face, face.flip(3), face.flip(2)]), [1, Contrast(0, 1), 0]
    found = explain(two_layers, faces, method=method, stage=stage, targets=targets)
    assert [e.target for e in found] == targets
    for n, target in enumerate(targets):
        (alone,) = explain(two_layers, faces[n : n + 1], method=method, stage=stage, targets=target)
        np.testing.assert_allclose(found[n].heatmap, alone.heatmap, atol=1e-5)
    with pytest.raises(ExplainError, match="expected one target per face, got 2 targets for 3 faces"):
        explain(two_layers, faces, targets=[0, 1])


def test_a_common_scale_keeps_the_ratio_between_classes(two_layers: Network, face: Tensor) -> None:
    own = explain(two_layers, face, stage="stage two")
    strong, weak = explain(two_layers, face, stage="stage two", scale="common")
    assert strong.heatmap.max() == 1
    assert weak.heatmap.max() == pytest.approx(0.75 / 0.875)
    for a, b in zip(on_common_scale(own), (strong, weak), strict=True):
        np.testing.assert_array_equal(a.heatmap, b.heatmap)
    with pytest.raises(ExplainError, match='"own" or "common"'):
        explain(two_layers, face, scale="log")  # type: ignore[arg-type]


def test_an_unknown_class_stage_or_method_is_refused(two_layers: Network, face: Tensor) -> None:
    with pytest.raises(ExplainError, match="no class 2; it has 2, numbered 0 to 1"):
        explain(two_layers, face, targets=2)
    with pytest.raises(ExplainError, match="no class -1"):
        explain(two_layers, face, method="layercam", targets=Contrast(0, -1))
    with pytest.raises(ExplainError, match="no stage 'stage 9'; it has stage one, stage two"):
        explain(two_layers, face, stage="stage 9")
    with pytest.raises(ExplainError, match="unknown saliency method 'tarot'; available: gradcam"):
        explain(two_layers, face, method="tarot")
    with pytest.raises(ExplainError, match="two different classes"):
        Contrast(1, 1)
    with pytest.raises(ExplainError, match="shape"):
        explain(two_layers, face[0])
    assert explain(two_layers, face[:0]) == ()


@pytest.mark.parametrize("method", list(saliency_methods()))
def test_a_map_with_nan_is_refused(two_layers: Network, face: Tensor, method: str) -> None:
    two_layers.trunk.two[0].weight.data[0, 0] = torch.nan
    with pytest.raises(ExplainError, match="returned NaN or infinity"):
        explain(two_layers, face, method=method, stage="stage two")


def test_a_face_that_is_not_finite_is_refused(two_layers: Network, face: Tensor) -> None:
    face[0, 0, 0, 0] = torch.inf
    with pytest.raises(ExplainError, match="a face contains NaN or infinity"):
        explain(two_layers, face)


@pytest.mark.parametrize("method", list(saliency_methods()))
def test_progress_rises_to_its_total(
    two_layers: Network, face: Tensor, method: str, capfd: pytest.CaptureFixture[str]
) -> None:
    seen: list[tuple[int, int]] = []
    explain(two_layers, torch.cat([face, face]), method=method, progress=lambda done, total: seen.append((done, total)))
    assert len({total for _, total in seen}) == 1
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == seen[-1][1]
    assert "it/s" not in capfd.readouterr().err, "the package prints no progress bars"


@pytest.mark.parametrize("method", [m.name for m in saliency_methods().values() if m.slow])
def test_a_slow_method_stops_midway(two_layers: Network, face: Tensor, method: str) -> None:
    done: list[int] = []
    with pytest.raises(Stopped):
        explain(two_layers, face, method=method, progress=stopping_at_third_call(done))
    assert len(done) == 3, "nothing is computed after the request to stop"


def stopping_at_third_call(done: list[int]) -> Callable[[int, int], None]:
    def progress(passed: int, _: int) -> None:
        done.append(passed)
        if len(done) == 3:
            raise Stopped

    return progress


def test_a_method_cannot_be_registered_twice() -> None:
    with pytest.raises(ValueError, match="registered twice"):
        register_method("gradcam", title="Grad-CAM", needs="forward", source="")(lambda request: request.inputs)


def test_an_invalid_heatmap_is_refused() -> None:
    for wrong in (np.zeros((2, 2)), np.full((2, 2), 2, np.float32), np.full((2, 2), np.nan, np.float32)):
        with pytest.raises(ExplainError, match="heatmap"):
            Explanation("m", "gradcam", 0, "stage one", wrong, 1.0)


class Breaks(nn.Module):
    def forward(self, _: Tensor) -> Tensor:
        raise RuntimeError("out of order")


class BreaksAnIndex(nn.Module):
    def forward(self, _: Tensor) -> Tensor:
        raise IndexError("out of range")


def state_of(network: Network) -> dict[str, object]:
    return {
        "modules": [(name, type(module), module.training) for name, module in network.named_modules()],
        "hooks": [
            len(hooks)
            for module in network.modules()
            for hooks in (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks)
        ],
        "requires_grad": [p.requires_grad for p in network.parameters()],
        "grad": [None if p.grad is None else p.grad.tolist() for p in network.parameters()],
        "weights": {name: tensor.tolist() for name, tensor in network.state_dict().items()},
        "inplace": [getattr(module, "inplace", None) for module in network.modules()],
    }


@pytest.fixture
def in_use(two_layers: Network) -> Network:
    """In training mode with gradients, one frozen weight and a norm whose statistics would change."""
    two_layers.trunk.two.append(nn.BatchNorm2d(2))
    for parameter in two_layers.parameters():
        parameter.grad = torch.ones_like(parameter)
    two_layers.head.bias.requires_grad_(False)
    return two_layers.train()


@pytest.mark.parametrize("method", list(saliency_methods()))
def test_the_network_is_unchanged_after_a_map(in_use: Network, face: Tensor, method: str) -> None:
    before = state_of(in_use)
    explain(in_use, face, method=method)
    assert state_of(in_use) == before


@pytest.mark.parametrize("broken", [Breaks, BreaksAnIndex])
@pytest.mark.parametrize("method", list(saliency_methods()))
def test_the_network_is_unchanged_when_it_raises(
    in_use: Network, face: Tensor, method: str, broken: type[nn.Module]
) -> None:
    in_use.trunk.two.append(broken())
    before = state_of(in_use)
    with pytest.raises((RuntimeError, IndexError), match="out of"):
        explain(in_use, face, method=method, stage="stage one")
    assert state_of(in_use) == before


def test_the_network_is_unchanged_after_a_stop(in_use: Network, face: Tensor) -> None:
    before = state_of(in_use)
    with pytest.raises(Stopped):
        explain(in_use, face, method="ablationcam", progress=stopping_at_third_call([]))
    assert state_of(in_use) == before


@pytest.mark.parametrize("method", list(saliency_methods()))
def test_maps_are_available_inside_inference_mode_and_for_half_precision_networks(
    two_layers: Network, face: Tensor, method: str
) -> None:
    (expected,) = explain(two_layers, face, method=method, targets=0)
    with torch.inference_mode():
        half = two_layers.to(torch.bfloat16)
        (found,) = explain(half, face.clone(), method=method, targets=0)
    np.testing.assert_allclose(found.heatmap, expected.heatmap, atol=1e-4)
