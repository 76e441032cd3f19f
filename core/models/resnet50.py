"""ResNet50 (He et al. 2016) of torchvision, with a stem for 48 px faces."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from core.models.imagenet import build_body, check_stem, first_convolution
from core.models.network import Network, initialize
from core.models.registry import register_model


@register_model("resnet50", title="ResNet50")
def resnet50(
    *,
    classes: int,
    channels: int = 1,
    stem: str = "48px",
    extra_blocks: Sequence[int] = (),
    imagenet: bool = False,
    dropout: float = 0.0,
) -> Network:
    """torchvision's ResNet50; for 48 px faces without the stem's max-pool: its stages have sides of 24, 12, 6, 3 cells.

    ``stem="imagenet"`` keeps the max-pool, for faces of 224 px. ``extra_blocks`` adds 3 x 3 convolution blocks of those
    widths before the pooling, the first with a 2 x 2 max-pool (ITM Web Conf. 80, 01013). With ``imagenet`` the filters
    of the first layer are summed over color when ``channels`` is 1.

    Raises WeightsUnavailableError where ImageNet weights are requested and cannot be downloaded.
    """
    from torchvision import models  # imports as much again as PyTorch, which other families do not need

    check_stem(stem)
    weights = models.ResNet50_Weights.IMAGENET1K_V2 if imagenet else None
    body = build_body("ResNet50", lambda: models.resnet50(weights=weights))
    body.conv1 = first_convolution(body.conv1, channels)

    trunk = nn.Sequential()
    pooling = [body.maxpool] if stem == "imagenet" else []
    trunk.add_module("stem", nn.Sequential(body.conv1, body.bn1, body.relu, *pooling))
    for number, layer in enumerate((body.layer1, body.layer2, body.layer3, body.layer4), start=1):
        trunk.add_module(f"stage{number}", layer)
    stages = {f"stage {n}": f"trunk.stage{n}" for n in (1, 2, 3, 4)}

    width = 2048
    if extra_blocks:
        extra = nn.Sequential()
        for number, outputs in enumerate(extra_blocks):
            extra.append(nn.Conv2d(width, outputs, 3, padding=1, bias=False))
            extra.append(nn.BatchNorm2d(outputs))
            extra.append(nn.ReLU())
            if number == 0:
                extra.append(nn.MaxPool2d(2, ceil_mode=True))
            width = outputs
        trunk.add_module("extra", extra)
        stages["extra"] = "trunk.extra"

    default_stage = "stage 4" if stem == "imagenet" and not extra_blocks else "stage 3"
    network = Network(trunk, width, classes, stages=stages, default_stage=default_stage, dropout=dropout)
    if not imagenet:
        initialize(network)
        # Each residual block begins as the identity (Goyal et al. 2017); without it a from-scratch run hardly learns.
        for layer in (body.layer1, body.layer2, body.layer3, body.layer4):
            for block in layer:
                nn.init.zeros_(block.bn3.weight)
    return network
