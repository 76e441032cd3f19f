"""MobileNetV2 (Sandler et al. 2018) of torchvision, with a stem for 48 px faces."""

from __future__ import annotations

from itertools import pairwise

from torch import nn

from core.models.imagenet import build_body, check_stem, first_convolution
from core.models.network import Network, initialize
from core.models.registry import register_model


@register_model("mobilenet_v2", title="MobileNetV2")
def mobilenet_v2(
    *,
    classes: int,
    channels: int = 1,
    stem: str = "48px",
    imagenet: bool = False,
    dropout: float = 0.2,
) -> Network:
    """torchvision's MobileNetV2; for 48 px faces with stride 1 in its first two down-sampling layers (6 x 6 cells).

    ``stem="imagenet"`` keeps every stride, for faces of 224 px. Raises WeightsUnavailableError where ImageNet weights
    are requested and cannot be downloaded.
    """
    from torchvision import models  # imports as much again as PyTorch, which other families do not need

    check_stem(stem)
    weights = models.MobileNet_V2_Weights.IMAGENET1K_V2 if imagenet else None
    body = build_body("MobileNetV2", lambda: models.mobilenet_v2(weights=weights))
    features = body.features
    features[0][0] = first_convolution(features[0][0], channels)
    if stem == "48px":
        # 48 -> 48 -> 48 -> 24 -> 12 -> 6: without the strides of the stem and of the first bottleneck that has one.
        features[0][0].stride = (1, 1)
        features[2].conv[1][0].stride = (1, 1)

    trunk = nn.Sequential()
    cuts = (0, 4, 7, 14, len(features))  # each layer from which the map is halved again
    stages = {}
    for number, (begin, end) in enumerate(pairwise(cuts), start=1):
        trunk.add_module(f"stage{number}", nn.Sequential(*features[begin:end]))
        stages[f"stage {number}"] = f"trunk.stage{number}"
    network = Network(trunk, body.last_channel, classes, stages=stages, default_stage="stage 4", dropout=dropout)
    if not imagenet:
        initialize(network)
    return network
