from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import Tensor

from core.errors import ExplainError
from core.explain import Contrast, Stopped, cascading_randomization, explain, saliency_methods
from core.models import build_network
from core.models.network import Network


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(0)
    return build_network("cnn", classes=4, channels=1, stem=8, widths=(8, 16), blocks=1).eval()


@pytest.fixture(scope="module")
def faces() -> Tensor:
    return torch.randn(8, 1, 32, 32, generator=torch.Generator().manual_seed(0))


def test_layers_are_randomized_from_the_head_downwards_and_the_map_forgets(network: Network, faces: Tensor) -> None:
    result = cascading_randomization(network, faces, 1, "stage 1")
    assert [name for name, _ in result] == ["head", "stage2", "stage1", "stem"]
    assert all(-1 <= correlation <= 1 for _, correlation in result)
    assert abs(result[-1][1]) < 0.5
    assert result == cascading_randomization(network, faces, 1, "stage 1")


def test_a_map_that_does_not_depend_on_the_weights_stays(patch_network: Network, patch_face: Tensor) -> None:
    # Whatever the weights, this network can only look at its window; with a positive head its map cannot change.
    result = dict(cascading_randomization(patch_network, patch_face[None], 0, "stage two"))
    assert result["one"] in (0.0, pytest.approx(1.0))


@pytest.mark.parametrize("method", list(saliency_methods()))
@pytest.mark.parametrize("target", [1, Contrast(1, 2)])
def test_the_map_of_the_chosen_method_and_target_is_the_one_compared(
    network: Network, faces: Tensor, method: str, target: int | Contrast
) -> None:
    # With only the head made random, as here by hand, both maps can be had without the check.
    found = cascading_randomization(network, faces[:1], target, "stage 1", method=method)
    victim = build_network("cnn", classes=4, channels=1, stem=8, widths=(8, 16), blocks=1).eval()
    victim.load_state_dict(network.state_dict())
    generator = torch.Generator().manual_seed(0)
    weight, bias = victim.head.weight.data, victim.head.bias.data
    weight.normal_(0.0, float(weight.square().mean().sqrt()), generator=generator)
    bias.copy_(bias[torch.randperm(4, generator=generator)])
    (before,), (after,) = (
        explain(n, faces[:1], method=method, stage="stage 1", classes=target) for n in (network, victim)
    )
    expected = spearmanr(before.heatmap.ravel(), after.heatmap.ravel()).statistic
    assert found[0][1] == pytest.approx(float(np.nan_to_num(expected)), abs=1e-6)


def test_what_the_method_and_the_target_are_makes_a_difference(network: Network, faces: Tensor) -> None:
    asked = [
        cascading_randomization(network, faces, target, "stage 1", method=method)
        for method in ("gradcam", "occlusion")
        for target in (1, Contrast(1, 2))
    ]
    assert len(set(asked)) == 4


def test_progress_counts_every_map_and_a_stop_ends_it(network: Network, faces: Tensor) -> None:
    shown: list[tuple[int, int]] = []
    cascading_randomization(network, faces[:1], 0, "stage 1", method="occlusion", progress=lambda *at: shown.append(at))
    assert shown == sorted(shown)
    assert shown[-1][0] == shown[-1][1]
    assert len({total for _, total in shown}) == 1
    with pytest.raises(Stopped):
        cascading_randomization(network, faces[:1], 0, "stage 1", should_stop=lambda: True)


@pytest.mark.parametrize("method", ["gradcam", "gradcam++", "scorecam", "ablationcam", "guided_backprop", "occlusion"])
@pytest.mark.parametrize("fault", ["stopped", "not a number", "interrupted"])
def test_after_a_failure_the_network_is_as_it_was(faces: Tensor, method: str, fault: str) -> None:
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
            raise KeyboardInterrupt  # as a page that is left ends its script: no error of ours

    stop = (lambda: len(calls) > 3) if fault == "stopped" else None
    with pytest.raises((Stopped, ExplainError, KeyboardInterrupt)):
        cascading_randomization(network, face, 0, "stage 1", method=method, progress=progress, should_stop=stop)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert state == [(m.training, len(m._forward_hooks), len(m._backward_hooks)) for m in network.modules()]
    assert flags == [p.requires_grad for p in network.parameters()]
    assert modules == [type(m) for m in network.modules()]
    assert torch.equal(network.head.bias.grad, torch.ones(4))
    assert all(p.grad is None for p in network.trunk.parameters())
    assert torch.is_grad_enabled()


def test_a_method_there_is_not_is_named(network: Network, faces: Tensor) -> None:
    with pytest.raises(ExplainError, match="there is no saliency method 'voodoo'; there are gradcam, "):
        cascading_randomization(network, faces, 0, "stage 1", method="voodoo")


def test_the_network_keeps_its_weights(network: Network, faces: Tensor) -> None:
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    global_random = torch.get_rng_state()
    cascading_randomization(network, faces[:1], 0, "stage 2")
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), global_random)
    assert not network.training


def test_a_stage_or_class_the_network_lacks_is_named(network: Network, faces: Tensor) -> None:
    with pytest.raises(ExplainError, match="no stage 'stage 7'; it has stage 1, stage 2"):
        cascading_randomization(network, faces, 0, "stage 7")
    with pytest.raises(ExplainError, match="no class 4; it has 4"):
        cascading_randomization(network, faces, 4, "stage 1")
