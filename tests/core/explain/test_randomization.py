from __future__ import annotations

import pytest
import torch
from scipy.stats import spearmanr
from torch import Tensor

from core.errors import ExplainError
from core.explain import Contrast, cascading_randomization, explain, saliency_methods
from core.models import build_network
from core.models.network import Network


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(0)
    return build_network("cnn", classes=4, channels=1, stem=8, widths=(8, 16), blocks=1).eval()


@pytest.fixture(scope="module")
def faces() -> Tensor:
    return torch.randn(8, 1, 32, 32, generator=torch.Generator().manual_seed(0))


def test_layers_are_randomized_from_the_head_downward_and_the_map_changes(network: Network, faces: Tensor) -> None:
    result = cascading_randomization(network, faces, 1, "stage 1")
    assert [name for name, _ in result] == ["head", "stage2", "stage1", "stem"]
    assert all(-1 <= correlation <= 1 for _, correlation in result)
    assert abs(result[-1][1]) < 0.5
    assert result == cascading_randomization(network, faces, 1, "stage 1")


def test_a_map_that_does_not_depend_on_the_weights_is_unchanged(patch_network: Network, patch_face: Tensor) -> None:
    # This network uses only its window, for any weights; its map is that window, or empty.
    *_, last = cascading_randomization(patch_network, patch_face[None], 0, "stage two")
    assert last.layer == "one"
    assert not last.has_map or last.correlation == pytest.approx(1.0)


def test_a_face_without_a_map_is_left_out_of_the_mean(patch_network: Network, patch_face: Tensor) -> None:
    # The patch of the second face is dark, so that nothing supports class 0 in it.
    dark = torch.zeros_like(patch_face)
    (both, alone) = (
        cascading_randomization(patch_network, faces, 0, "stage two", seed=seed)
        for faces, seed in ((torch.stack([patch_face, dark]), 0), (patch_face[None], 0))
    )
    assert str(both) == str(alone)  # NaN included


def test_without_any_map_there_is_nothing_to_compare(patch_network: Network, patch_face: Tensor) -> None:
    steps = cascading_randomization(patch_network, torch.zeros_like(patch_face)[None], 0, "stage two")
    assert [step.layer for step in steps] == ["head", "two", "one"]
    assert not any(step.has_map for step in steps)


@pytest.mark.parametrize("method", list(saliency_methods()))
@pytest.mark.parametrize("target", [1, Contrast(1, 2)])
def test_the_map_of_the_chosen_method_and_target_is_the_one_compared(
    network: Network, faces: Tensor, method: str, target: int | Contrast
) -> None:
    # Randomizing only the head by hand gives both maps without the check.
    found = cascading_randomization(network, faces[:1], target, "stage 1", method=method)
    randomized = build_network("cnn", classes=4, channels=1, stem=8, widths=(8, 16), blocks=1).eval()
    randomized.load_state_dict(network.state_dict())
    generator = torch.Generator().manual_seed(0)
    weight, bias = randomized.head.weight.data, randomized.head.bias.data
    weight.normal_(0.0, float(weight.square().mean().sqrt()), generator=generator)
    bias.copy_(bias[torch.randperm(4, generator=generator)])
    (before,), (after,) = (
        explain(n, faces[:1], method=method, stage="stage 1", targets=target) for n in (network, randomized)
    )
    expected = spearmanr(before.heatmap.ravel(), after.heatmap.ravel()).statistic
    assert found[0].correlation == pytest.approx(expected, abs=1e-6, nan_ok=True)


def test_the_result_depends_on_the_method_and_the_target(network: Network, faces: Tensor) -> None:
    asked = [
        cascading_randomization(network, faces, target, "stage 1", method=method)
        for method in ("gradcam", "occlusion")
        for target in (1, Contrast(1, 2))
    ]
    assert len(set(asked)) == 4


def test_progress_counts_every_map(network: Network, faces: Tensor) -> None:
    shown: list[tuple[int, int]] = []
    cascading_randomization(network, faces[:1], 0, "stage 1", method="occlusion", progress=lambda *at: shown.append(at))
    assert shown == sorted(shown)
    assert shown[-1][0] == shown[-1][1]
    assert len({total for _, total in shown}) == 1


@pytest.mark.parametrize("method", ["gradcam", "gradcam++", "scorecam", "ablationcam", "guided_backprop", "occlusion"])
@pytest.mark.parametrize("fault", ["not a number", "interrupted"])
def test_the_network_is_unchanged_after_a_failure(faces: Tensor, method: str, fault: str) -> None:
    network = build_network("cnn", classes=4, channels=1, stem=8, widths=(8, 16), blocks=1).train()
    network.head.weight.requires_grad_(False)
    network.head.bias.grad = torch.ones(4)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    state = [(m.training, len(m._forward_hooks), len(m._backward_hooks)) for m in network.modules()]
    flags = [p.requires_grad for p in network.parameters()]
    modules = [type(m) for m in network.modules()]
    face, calls = faces[:1].clone(), []
    if fault == "not a number":
        face[0, 0, 0, 0] = torch.nan

    def progress(_done: int, _total: int) -> None:
        calls.append(1)
        if fault == "interrupted" and len(calls) > 3:
            raise KeyboardInterrupt  # as when a page that is left ends its script

    with pytest.raises((ExplainError, KeyboardInterrupt)):
        cascading_randomization(network, face, 0, "stage 1", method=method, progress=progress)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert state == [(m.training, len(m._forward_hooks), len(m._backward_hooks)) for m in network.modules()]
    assert flags == [p.requires_grad for p in network.parameters()]
    assert modules == [type(m) for m in network.modules()]
    assert torch.equal(network.head.bias.grad, torch.ones(4))
    assert all(p.grad is None for p in network.trunk.parameters())
    assert torch.is_grad_enabled()


def test_an_unknown_method_is_refused(network: Network, faces: Tensor) -> None:
    with pytest.raises(ExplainError, match="unknown saliency method 'voodoo'; available: gradcam, "):
        cascading_randomization(network, faces, 0, "stage 1", method="voodoo")


def test_the_network_keeps_its_weights(network: Network, faces: Tensor) -> None:
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    global_random = torch.get_rng_state()
    cascading_randomization(network, faces[:1], 0, "stage 2")
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), global_random)
    assert not network.training


def test_an_unknown_stage_or_class_is_refused(network: Network, faces: Tensor) -> None:
    with pytest.raises(ExplainError, match="no stage 'stage 7'; it has stage 1, stage 2"):
        cascading_randomization(network, faces, 0, "stage 7")
    with pytest.raises(ExplainError, match="no class 4; it has 4"):
        cascading_randomization(network, faces, 4, "stage 1")
