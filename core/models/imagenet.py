"""Networks of torchvision with ImageNet weights, adapted to gray faces."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from urllib.error import URLError

import torch
from torch import nn

from core.errors import WeightsUnavailableError

STEMS = ("48px", "imagenet")
Body = TypeVar("Body", bound=nn.Module)


def check_stem(stem: str) -> None:
    """Raise ValueError for a stem other than ``"48px"`` (finer) and ``"imagenet"`` (as published, for 224 px)."""
    if stem not in STEMS:
        raise ValueError(f'stem must be "48px" or "imagenet", got {stem!r}')


def build_body(title: str, build: Callable[[], Body]) -> Body:
    """The network that ``build`` returns. Raises WeightsUnavailableError where its weights cannot be downloaded."""
    try:
        return build()
    except (URLError, OSError, RuntimeError) as error:
        raise WeightsUnavailableError(
            f"the ImageNet weights of {title} could not be downloaded ({error}); connect to the internet, put the file "
            f"into {torch.hub.get_dir()}/checkpoints, or train from random weights with imagenet = false"
        ) from error


def first_convolution(conv: nn.Conv2d, channels: int) -> nn.Conv2d:
    """A first convolution for ``channels`` inputs; a gray face has the output that the same face in RGB would have."""
    if channels == 3:
        return conv
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
