"""Small real networks whose maps can be worked out by hand."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.models.network import Network


class FunctionalReLU(nn.Module):
    """A ReLU that is not a module of type nn.ReLU, as in many networks."""

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x)


def conv_1x1(weight: list[list[float]]) -> nn.Conv2d:
    conv = nn.Conv2d(len(weight[0]), len(weight), 1, bias=False)
    conv.weight.data = torch.tensor(weight)[:, :, None, None]
    return conv


def network_of(one: nn.Module, two: nn.Module, head: list[list[float]], bias: list[float] | None = None) -> Network:
    trunk = nn.Sequential()
    trunk.add_module("one", one)
    trunk.add_module("two", two)
    stages = {"stage one": "trunk.one", "stage two": "trunk.two"}
    network = Network(trunk, len(head[0]), len(head), stages=stages, default_stage="stage one")
    network.head.weight.data = torch.tensor(head)
    network.head.bias.data = torch.tensor(bias or [0.0] * len(head))
    return network.eval()


@pytest.fixture
def two_layers() -> Network:
    """a = relu(x); b1 = relu(2 a1 - a2), b2 = relu(a2); logits = (mean b1 + 0.5 mean b2, mean b2 - mean b1).

    With `face`: a = x, b1 = [[2, 3], [0, 0]], b2 = [[0, 1], [1, 3]], logits = (1.875, 0).
    """
    one = nn.Sequential(conv_1x1([[1.0, 0.0], [0.0, 1.0]]), FunctionalReLU())
    two = nn.Sequential(conv_1x1([[2.0, -1.0], [0.0, 1.0]]), nn.ReLU(inplace=True))
    return network_of(one, two, [[1.0, 0.5], [-1.0, 1.0]])


@pytest.fixture
def face() -> Tensor:
    return torch.tensor([[[[1.0, 2.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 3.0]]]])


@pytest.fixture
def brightness() -> Network:
    """Logit 0 is the mean of a positive picture of one channel, logit 1 its negative."""
    return network_of(
        nn.Sequential(conv_1x1([[1.0]]), nn.ReLU()), nn.Sequential(conv_1x1([[1.0]]), nn.ReLU6()), [[1.0], [-1.0]]
    )


class Window(nn.Module):
    """Uses only rows 8-11, columns 4-7 of a 16 px picture."""

    def __init__(self) -> None:
        super().__init__()
        mask = torch.zeros(16, 16)
        mask[8:12, 4:8] = 1.0
        self.register_buffer("mask", mask)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.mask


@pytest.fixture
def patch_network() -> Network:
    """Class 0 where the known patch is bright, class 1 where it is dark."""
    one = nn.Sequential(Window(), conv_1x1([[1.0]]), nn.ReLU())
    return network_of(one, nn.AvgPool2d(2), [[64.0], [0.0]], [-8.0, 0.0])


@pytest.fixture
def patch_face() -> Tensor:
    picture = 0.1 * torch.rand(1, 16, 16, generator=torch.Generator().manual_seed(0))
    picture[:, 8:12, 4:8] = 4.0
    return picture
