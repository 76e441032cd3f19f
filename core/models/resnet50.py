"""ResNet50 (He et al. 2016) from torchvision, with a stem for 48 px faces."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.error import URLError

import torch
from torch import nn
from torchvision.models import ResNet50_Weights
from torchvision.models import resnet50 as torchvision_resnet50

from core.errors import WeightsUnavailableError
from core.models.network import Network, initialize
from core.models.registry import register_model


def download_failed(architecture: str, reason: Exception) -> WeightsUnavailableError:
    """The error for ImageNet weights that could not be fetched, with what to do instead."""
    return WeightsUnavailableError(
        f"the ImageNet weights of {architecture} could not be downloaded ({reason}); connect to the internet, put the "
        f"file into {torch.hub.get_dir()}/checkpoints, or train from scratch with imagenet = false"
    )


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
    """torchvision's ResNet50; for 48 px faces without the stem's max-pool, so that stages have 24, 12, 6 and 3 cells.

    ``stem="imagenet"`` keeps the max-pool, for faces of 224 px. ``extra_blocks`` adds 3 x 3 convolution blocks of those
    widths before the pooling, the first with a 2 x 2 max-pool (ITM Web Conf. 80, 01013). With ``imagenet`` the filters
    of the first layer are summed over color when ``channels`` is 1.

    Raises WeightsUnavailableError when ImageNet weights are asked for and cannot be downloaded.
    """
    if stem not in ("48px", "imagenet"):
        raise ValueError(f'stem must be "48px" or "imagenet", got {stem!r}')
    try:
        body = torchvision_resnet50(weights=ResNet50_Weights.IMAGENET1K_V2 if imagenet else None)
    except (URLError, OSError, RuntimeError) as error:
        raise download_failed("ResNet50", error) from error
    if channels != 3:
        body.conv1 = _conv_for_channels(body.conv1, channels)

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


def _conv_for_channels(conv: nn.Conv2d, channels: int) -> nn.Conv2d:
    """A first convolution for ``channels`` inputs; a gray face gives what the same face in RGB would have given."""
    replaced = nn.Conv2d(
        channels,
        conv.out_channels,
        (conv.kernel_size[0], conv.kernel_size[1]),
        stride=(conv.stride[0], conv.stride[1]),
        padding=(int(conv.padding[0]), int(conv.padding[1])),
        bias=False,
    )
    with torch.no_grad():
        replaced.weight.copy_(conv.weight.sum(dim=1, keepdim=True).expand_as(replaced.weight) / channels)
    return replaced
