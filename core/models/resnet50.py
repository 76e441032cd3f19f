"""ResNet50 (He et al. 2016), with a stem for 48 px faces."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from core.models.network import Network, initialize
from core.models.registry import register_model
from core.models.torchvision_layouts import check_stem, load_imagenet_weights

EXPANSION = 4
STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))  # width, blocks, stride
TORCHVISION_NAMES = {
    "conv1.": "trunk.stem.0.",
    "bn1.": "trunk.stem.1.",
    **{f"layer{n}.": f"trunk.stage{n}." for n in range(1, len(STAGES) + 1)},
    "fc.": "head.",
}


class Bottleneck(nn.Module):
    """A 1 x 1, a 3 x 3 and a 1 x 1 convolution with a skip connection around them.

    As in torchvision, the 3 x 3 convolution has the stride.
    """

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = EXPANSION * width
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.downsample: nn.Module | None = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y)) + (x if self.downsample is None else self.downsample(x))
        result: Tensor = self.relu(y)
        return result


@register_model("resnet50", title="ResNet50", torchvision_names=TORCHVISION_NAMES)
def resnet50(
    *,
    classes: int,
    channels: int = 1,
    stem: str = "48px",
    extra_blocks: Sequence[int] = (),
    imagenet: bool = False,
    dropout: float = 0.0,
) -> Network:
    """ResNet50; for 48 px faces without the stem's max-pool: its stages have sides of 24, 12, 6, 3 cells.

    ``stem="imagenet"`` keeps the max-pool of the published network, which is meant for images of 224 px.
    ``extra_blocks`` adds 3 x 3 convolution blocks of those widths before the pooling, the first with a 2 x 2 max-pool
    (ITM Web Conf. 80, 01013). With ``imagenet`` the filters of the first layer are summed over color when ``channels``
    is 1.

    Raises WeightsUnavailableError where ImageNet weights are requested and cannot be downloaded.
    """
    check_stem(stem)
    trunk = nn.Sequential()
    first = nn.Conv2d(channels, 64, 7, stride=2, padding=3, bias=False)
    pooling = [nn.MaxPool2d(3, stride=2, padding=1)] if stem == "imagenet" else []
    trunk.add_module("stem", nn.Sequential(first, nn.BatchNorm2d(64), nn.ReLU(inplace=True), *pooling))
    stages, features = {}, 64
    for number, (width, blocks, stride) in enumerate(STAGES, start=1):
        stage = nn.Sequential()
        for block in range(blocks):
            stage.append(Bottleneck(features, width, stride if block == 0 else 1))
            features = EXPANSION * width
        trunk.add_module(f"stage{number}", stage)
        stages[f"stage {number}"] = f"trunk.stage{number}"
    if extra_blocks:
        extra = nn.Sequential()
        for number, outputs in enumerate(extra_blocks):
            extra.append(nn.Conv2d(features, outputs, 3, padding=1, bias=False))
            extra.append(nn.BatchNorm2d(outputs))
            extra.append(nn.ReLU())
            if number == 0:
                extra.append(nn.MaxPool2d(2, ceil_mode=True))
            features = outputs
        trunk.add_module("extra", extra)
        stages["extra"] = "trunk.extra"

    default_stage = "stage 4" if stem == "imagenet" and not extra_blocks else "stage 3"
    network = Network(trunk, features, classes, stages=stages, default_stage=default_stage, dropout=dropout)
    initialize(network)
    if imagenet:
        load_imagenet_weights(network, "resnet50", TORCHVISION_NAMES, channels)
        return network
    # Each residual block begins as the identity (Goyal et al. 2017); without it a from-scratch run hardly learns.
    for module in network.modules():
        if isinstance(module, Bottleneck):
            nn.init.zeros_(module.bn3.weight)
    return network
