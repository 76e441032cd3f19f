"""Grad-CAM in closed form, from one forward pass.

In a network that ends in global average pooling and one linear layer, the gradient of logit k with respect to channel c
of the tensor entering the pooling is ``head_weight[k, c] / (h * w)`` in every cell. Grad-CAM (Selvaraju et al. 2017)
is then the class activation map of Zhou et al. 2016 after a ReLU: a weighted sum of features that ``forward`` returns.
"""

from __future__ import annotations

import torch
from torch import Tensor

# A peak below this fraction of the face's largest value is rounding noise: float32 resolves 1.2e-7, and a sum over
# hundreds of channels that cancel loses about one more digit. Real evidence is orders of magnitude larger.
RELATIVE_NOISE = 1e-6


def class_maps(features: Tensor, head_weight: Tensor) -> Tensor:
    """Raw Grad-CAM maps: features (N, C, h, w) and head_weight (K, C), or (N, T, C) for other targets per face, ->
    (N, K, h, w) float32, not normalized.

    The sum over the cells before the ReLU is the logit minus its bias. Raises ValueError for shapes that do not match.
    """
    if features.ndim != 4 or head_weight.ndim not in (2, 3) or features.shape[1] != head_weight.shape[-1]:
        raise ValueError(
            "features (N, C, h, w) and head_weight (K, C) must agree in C, "
            f"got {tuple(features.shape)} and {tuple(head_weight.shape)}"
        )
    cells = features.shape[2] * features.shape[3]
    return weighted_maps(features, (head_weight.detach().float() / cells).expand(features.shape[0], -1, -1))


def weighted_maps(features: Tensor, channel_weights: Tensor) -> Tensor:
    """ReLU of weighted feature maps: features (N, C, h, w), channel_weights (N, K, C) -> (N, K, h, w) float32.

    A map whose highest cell does not exceed the rounding error of its own sum is all zeros.
    """
    features, channel_weights = features.detach().float(), channel_weights.detach().float()
    maps = torch.einsum("nkc,nchw->nkhw", channel_weights, features).relu()
    # The rounding error of a sum of C terms grows as sqrt(C) times the size of the terms (Higham 2002, section 4.2).
    terms = (channel_weights.abs() @ features.abs().amax(dim=(2, 3)).unsqueeze(2)).squeeze(2)
    rounding = torch.finfo(torch.float32).eps * features.shape[1] ** 0.5 * terms
    # A product instead of a selection, so that NaN stays NaN and is reported.
    without_noise: Tensor = maps * (maps.amax(dim=(2, 3)) > rounding)[:, :, None, None]
    return without_noise


def peaks(maps: Tensor) -> Tensor:
    """The highest cell of each map, (N, K, h, w) -> (N, K); 0 where it is not positive or only rounding noise."""
    highest = maps.amax(dim=(2, 3))
    largest_of_face = maps.abs().amax(dim=(1, 2, 3)).unsqueeze(1)
    return torch.where(highest > RELATIVE_NOISE * largest_of_face, highest, torch.zeros_like(highest))


def normalize(maps: Tensor) -> Tensor:
    """Raw maps (N, K, h, w) divided by their highest cell; a map without a positive cell becomes all zeros.

    Negative cells become 0. The lowest cell is not subtracted (as the grad-cam package does), so that 0 always means
    *no evidence here*, and evidence that covers the face evenly stays visible.
    """
    cells = maps.clamp(min=0)
    highest = cells.amax(dim=(2, 3))
    usable = ((peaks(maps) > 0) & (highest > 0))[:, :, None, None]
    divisor = torch.where(usable, highest[:, :, None, None], torch.ones_like(highest)[:, :, None, None])
    return torch.where(usable, cells / divisor, torch.zeros_like(cells))
