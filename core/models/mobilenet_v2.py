"""MobileNetV2 (Sandler et al. 2018), with a stem for 48 px faces."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from core.models.network import Network, initialize
from core.models.registry import register_model
from core.models.torchvision_layouts import check_stem, load_imagenet_weights

# Table 2 of the paper: expansion, width, blocks, stride.
BLOCKS = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
STEM_WIDTH, FEATURES = 32, 1280
CUTS = (0, 4, 7, 14, 19)  # each layer from which the map is halved again, and the number of layers
TORCHVISION_NAMES = {
    **{
        f"features.{layer}.": f"trunk.stage{stage}.{layer - begin}."
        for stage, (begin, end) in enumerate(pairwise(CUTS), start=1)
        for layer in range(begin, end)
    },
    "classifier.1.": "head.",
}


def _convolution(inputs: int, outputs: int, size: int, *, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU6(inplace=True),
    )


class InvertedResidual(nn.Module):
    """An expansion, a depthwise and a linear convolution, with a skip connection where the shape is unchanged."""

    def __init__(self, inputs: int, outputs: int, *, stride: int, expansion: int) -> None:
        super().__init__()
        width = expansion * inputs
        self.conv = nn.Sequential()
        if expansion != 1:
            self.conv.append(_convolution(inputs, width, 1))
        self.conv.append(_convolution(width, width, 3, stride=stride, groups=width))
        self.conv.append(nn.Conv2d(width, outputs, 1, bias=False))
        self.conv.append(nn.BatchNorm2d(outputs))
        self.has_skip = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(x)
        return x + y if self.has_skip else y


@register_model("mobilenet_v2", title="MobileNetV2", torchvision_names=TORCHVISION_NAMES)
def mobilenet_v2(
    *,
    classes: int,
    channels: int = 1,
    stem: str = "48px",
    imagenet: bool = False,
    dropout: float = 0.2,
) -> Network:
    """MobileNetV2; for 48 px faces with stride 1 in its first two down-sampling layers (6 x 6 cells).

    ``stem="imagenet"`` keeps every stride, for faces of 224 px. Raises WeightsUnavailableError where ImageNet weights
    are requested and cannot be downloaded.
    """
    check_stem(stem)
    # 48 -> 48 -> 48 -> 24 -> 12 -> 6: without the strides of the stem and of the first block that has one.
    is_fine = stem == "48px"
    layers: list[nn.Module] = [_convolution(channels, STEM_WIDTH, 3, stride=1 if is_fine else 2)]
    width = STEM_WIDTH
    for row, (expansion, outputs, blocks, stride) in enumerate(BLOCKS):
        for block in range(blocks):
            halves = block == 0 and not (is_fine and row == 1)
            layers.append(InvertedResidual(width, outputs, stride=stride if halves else 1, expansion=expansion))
            width = outputs
    layers.append(_convolution(width, FEATURES, 1))

    trunk = nn.Sequential()
    stages = {}
    for number, (begin, end) in enumerate(pairwise(CUTS), start=1):
        trunk.add_module(f"stage{number}", nn.Sequential(*layers[begin:end]))
        stages[f"stage {number}"] = f"trunk.stage{number}"
    network = Network(trunk, FEATURES, classes, stages=stages, default_stage="stage 4", dropout=dropout)
    initialize(network)
    if imagenet:
        load_imagenet_weights(network, "mobilenet_v2", TORCHVISION_NAMES, channels)
    return network
