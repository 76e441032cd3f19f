"""What ResNet50 and MobileNetV2 share with torchvision's: the stems, the names of the tensors and ImageNet weights.

torchvision itself is imported for ImageNet weights only, because importing it takes as long as importing PyTorch.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from core.errors import WeightsUnavailableError
from core.models.network import Network

STEMS = ("48px", "imagenet")


def check_stem(stem: str) -> None:
    """Raise ValueError for a stem other than ``"48px"`` (finer) and ``"imagenet"`` (as published, for 224 px)."""
    if stem not in STEMS:
        raise ValueError(f'stem must be "48px" or "imagenet", got {stem!r}')


def renamed(tensors: Mapping[str, Tensor], names: Mapping[str, str]) -> dict[str, Tensor]:
    """Tensors with other beginnings of their names; a name with none of these beginnings is unchanged."""
    return {
        next((new + name.removeprefix(old) for old, new in names.items() if name.startswith(old)), name): tensor
        for name, tensor in tensors.items()
    }


def load_imagenet_weights(network: Network, architecture: str, names: Mapping[str, str], channels: int) -> None:
    """Replace the weights of the trunk by those that torchvision recommends; ``architecture`` is its name for them.

    Where ``channels`` is 1, the filters of the first convolution are summed over color, so that a gray face has the
    output that the same face in RGB would have. Raises WeightsUnavailableError if they cannot be downloaded.
    """
    from torchvision import models

    try:
        tensors = models.get_model_weights(architecture).DEFAULT.get_state_dict(progress=False, check_hash=True)
    except (OSError, RuntimeError) as error:  # URLError is an OSError
        raise WeightsUnavailableError(
            f"the ImageNet weights of {architecture} could not be downloaded ({error}); connect to the internet, put "
            f"the file into {torch.hub.get_dir()}/checkpoints, or train from random weights with imagenet = false"
        ) from error
    trunk = {name: tensor for name, tensor in renamed(tensors, names).items() if name.startswith("trunk.")}
    if channels != 3:
        first = next(name for name in network.state_dict() if name in trunk)
        trunk[first] = trunk[first].sum(dim=1, keepdim=True).repeat(1, channels, 1, 1) / channels
    network.load_state_dict({**network.state_dict(), **trunk})
