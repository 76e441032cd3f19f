"""MobileNetV2 (Sandler et al. 2018) from torchvision, with a stem for 48 px faces."""

from __future__ import annotations

from itertools import pairwise
from urllib.error import URLError

from torch import nn
from torchvision.models import MobileNet_V2_Weights
from torchvision.models import mobilenet_v2 as torchvision_mobilenet_v2

from core.models.network import Network, initialize
from core.models.registry import register_model
from core.models.resnet50 import _conv_for_channels, download_failed


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

    ``stem="imagenet"`` keeps every stride, for faces of 224 px. Raises WeightsUnavailableError when ImageNet weights
    are asked for and cannot be downloaded.
    """
    if stem not in ("48px", "imagenet"):
        raise ValueError(f'stem must be "48px" or "imagenet", got {stem!r}')
    try:
        body = torchvision_mobilenet_v2(weights=MobileNet_V2_Weights.IMAGENET1K_V2 if imagenet else None)
    except (URLError, OSError, RuntimeError) as error:
        raise download_failed("MobileNetV2", error) from error
    features = body.features
    if channels != 3:
        features[0][0] = _conv_for_channels(features[0][0], channels)
    if stem == "48px":
        # 48 -> 48 -> 48 -> 24 -> 12 -> 6: the strides of the stem and of the first bottleneck with stride 2 go.
        features[0][0].stride = (1, 1)
        features[2].conv[1][0].stride = (1, 1)

    trunk = nn.Sequential()
    cuts = (0, 4, 7, 14, len(features))  # where the map is halved next
    stages = {}
    for number, (begin, end) in enumerate(pairwise(cuts), start=1):
        trunk.add_module(f"stage{number}", nn.Sequential(*features[begin:end]))
        stages[f"stage {number}"] = f"trunk.stage{number}"
    network = Network(trunk, body.last_channel, classes, stages=stages, default_stage="stage 4", dropout=dropout)
    if not imagenet:
        initialize(network)
    return network
