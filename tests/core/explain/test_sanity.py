from __future__ import annotations

import pytest
import torch
from torch import Tensor

from core.explain import ExplainError, randomisation_check
from core.models import build_network
from core.models.network import Network


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(0)
    return build_network("cnn", classes=4, channels=1, stem=8, widths=(8, 16), blocks=1).eval()


@pytest.fixture(scope="module")
def faces() -> Tensor:
    return torch.randn(8, 1, 32, 32, generator=torch.Generator().manual_seed(0))


def test_layers_are_randomised_from_the_head_downwards_and_the_map_forgets(network: Network, faces: Tensor) -> None:
    result = randomisation_check(network, faces, 1, "stage 1")
    assert [name for name, _ in result] == ["head", "stage2", "stage1", "stem"]
    assert all(-1 <= correlation <= 1 for _, correlation in result)
    assert abs(result[-1][1]) < 0.5
    assert result == randomisation_check(network, faces, 1, "stage 1")


def test_a_map_that_does_not_depend_on_the_weights_stays(patch_network: Network, patch_face: Tensor) -> None:
    # Whatever the weights, this network can only look at its window; with a positive head its map cannot change.
    result = dict(randomisation_check(patch_network, patch_face[None], 0, "stage two"))
    assert result["one"] in (0.0, pytest.approx(1.0))


def test_the_network_keeps_its_weights(network: Network, faces: Tensor) -> None:
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    global_random = torch.get_rng_state()
    randomisation_check(network, faces[:1], 0, "stage 2")
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), global_random)
    assert not network.training


def test_a_stage_or_class_the_network_lacks_is_named(network: Network, faces: Tensor) -> None:
    with pytest.raises(ExplainError, match="no stage 'stage 7'; it has stage 1, stage 2"):
        randomisation_check(network, faces, 0, "stage 7")
    with pytest.raises(ExplainError, match="no class 4; it has 4"):
        randomisation_check(network, faces, 4, "stage 1")
