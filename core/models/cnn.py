"""The plain CNN and the residual CNN: one architecture, without or with skip connections."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from core.models.network import Network, initialize
from core.models.registry import register_model


class ConvBlock(nn.Module):
    """Two 3 x 3 convolutions with batch norm; ``residual`` adds the block's input before the last ReLU."""

    def __init__(self, inputs: int, outputs: int, *, residual: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.skip: nn.Module | None = None
        if residual:
            same = inputs == outputs
            self.skip = (
                nn.Identity()
                if same
                else nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))
            )

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        if self.skip is not None:
            y = y + self.skip(x)
        return F.relu(y)


def _body(
    classes: int,
    channels: int,
    *,
    residual: bool,
    stem: int,
    widths: Sequence[int],
    blocks: int,
    dropout: float,
) -> Network:
    layers = nn.Sequential()
    first = nn.Conv2d(channels, stem, 3, padding=1, bias=False)
    layers.add_module("stem", nn.Sequential(first, nn.BatchNorm2d(stem), nn.ReLU()))
    stages, inputs = {}, stem
    for number, width in enumerate(widths, start=1):
        stage = nn.Sequential(nn.MaxPool2d(2))
        for _ in range(blocks):
            stage.append(ConvBlock(inputs, width, residual=residual))
            inputs = width
        layers.add_module(f"stage{number}", stage)
        stages[f"stage {number}"] = f"trunk.stage{number}"
    network = Network(layers, inputs, classes, stages=stages, default_stage=f"stage {len(widths)}", dropout=dropout)
    initialize(network)
    if residual:
        # Each block begins as the identity (Goyal et al. 2017), which lets a short run use a high learning rate.
        for module in network.modules():
            if isinstance(module, ConvBlock):
                nn.init.zeros_(module.norm2.weight)
    return network


@register_model("cnn", title="CNN")
def cnn(
    *,
    classes: int,
    channels: int = 1,
    stem: int = 32,
    widths: Sequence[int] = (64, 128, 256),
    blocks: int = 2,
    dropout: float = 0.2,
) -> Network:
    """Plain 3 x 3 convolutions in three stages, halving the map before each.

    For a 48 px face the stages have 24, 12 and 6 cells per side; saliency at the last one has a closed form.
    """
    return _body(classes, channels, residual=False, stem=stem, widths=widths, blocks=blocks, dropout=dropout)


@register_model("residual_cnn", title="Residual CNN")
def residual_cnn(
    *,
    classes: int,
    channels: int = 1,
    stem: int = 32,
    widths: Sequence[int] = (64, 128, 256),
    blocks: int = 2,
    dropout: float = 0.2,
) -> Network:
    """The CNN with a skip connection around every two convolutions (He et al. 2016), and no other change.

    Where a block changes the width, its skip is a 1 x 1 convolution with batch norm.
    """
    return _body(classes, channels, residual=True, stem=stem, widths=widths, blocks=blocks, dropout=dropout)
