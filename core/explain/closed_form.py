"""Grad-CAM of every class from one forward pass.

Where a network ends in global average pooling and one linear layer, the gradient of logit k with respect to channel c
of the tensor entering the pooling is ``head_weight[k, c] / (h * w)`` in every cell. Grad-CAM (Selvaraju et al. 2017)
then *is* the class activation map of Zhou et al. 2016 after a ReLU: a weighted sum of features that ``forward``
returned anyway.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Scale = Literal["own", "common"]

# Below this part of the face's largest value a peak is rounding: float32 resolves 1.2e-7, and a sum over hundreds of
# channels that cancel loses about one digit of that. Real evidence is orders of magnitude above.
RELATIVE_NOISE = 1e-6


def class_maps(features: Tensor, head_weight: Tensor) -> Tensor:
    """Raw maps of all faces and classes at once: features (N, C, h, w), head_weight (K, C) -> (N, K, h, w) float32.

    The cells are Grad-CAM's own values, not normalized; the sum over the cells before the ReLU is the logit less its
    bias. Raises ValueError for shapes that do not fit together.
    """
    if features.ndim != 4 or head_weight.ndim != 2 or features.shape[1] != head_weight.shape[1]:
        raise ValueError(
            "features (N, C, h, w) and head_weight (K, C) must agree in C, "
            f"got {tuple(features.shape)} and {tuple(head_weight.shape)}"
        )
    cells = features.shape[2] * features.shape[3]
    return weighted_maps(features, (head_weight.detach().float() / cells).expand(len(features), -1, -1))


def contrast_maps(features: Tensor, head_weight: Tensor, a: int, b: int) -> Tensor:
    """Raw maps of what speaks for class ``a`` rather than ``b``, (N, h, w); the head is linear, so w_a - w_b does."""
    return class_maps(features, (head_weight[a] - head_weight[b])[None])[:, 0]


def weighted_maps(features: Tensor, channel_weights: Tensor) -> Tensor:
    """ReLU of weighted feature maps: features (N, C, h, w), channel_weights (N, K, C) -> (N, K, h, w) float32.

    A map whose highest cell is no more than the rounding error of its own sum is all zeros.
    """
    features, channel_weights = features.detach().float(), channel_weights.detach().float()
    maps = torch.einsum("nkc,nchw->nkhw", channel_weights, features).relu()
    # Rounding of a sum of C terms grows as sqrt(C) times the terms' size (Higham 2002, section 4.2).
    terms = (channel_weights.abs() @ features.abs().amax(dim=(2, 3)).unsqueeze(2)).squeeze(2)
    rounding = torch.finfo(torch.float32).eps * features.shape[1] ** 0.5 * terms
    # A product, not a choice: NaN stays NaN and is reported.
    kept: Tensor = maps * (maps.amax(dim=(2, 3)) > rounding)[:, :, None, None]
    return kept


def peaks(maps: Tensor) -> Tensor:
    """The highest cell of each map, (N, K, h, w) -> (N, K); 0 where it is not positive or only rounding noise."""
    highest = maps.amax(dim=(2, 3))
    largest_of_face = maps.abs().amax(dim=(1, 2, 3)).unsqueeze(1)
    return torch.where(highest > RELATIVE_NOISE * largest_of_face, highest, torch.zeros_like(highest))


def normalize(maps: Tensor, scale: Scale = "own", *, subtract_minimum: bool = False) -> Tensor:
    """Raw maps (N, K, h, w) to [0, 1]; a map without a positive cell becomes all zeros, never NaN or noise.

    ``own`` divides each map by its highest cell, ``common`` by the highest cell of all classes of that face. Negative
    cells become 0. By default nothing is subtracted, so that 0 keeps meaning *no evidence here*; ``subtract_minimum``
    first takes off the map's lowest cell as the grad-cam package's ``scale_cam_image`` does, which hides evidence that
    lies evenly over the face, and exists for comparison with it.
    """
    if scale not in ("own", "common"):
        raise ValueError(f'scale must be "own" or "common", got {scale!r}')
    found = peaks(maps) > 0
    cells = maps.clamp(min=0)
    if subtract_minimum:
        cells = cells - cells.amin(dim=(2, 3), keepdim=True)
    highest = cells.amax(dim=(2, 3))
    if scale == "common":
        highest = torch.where(found, highest, torch.zeros_like(highest)).amax(dim=1, keepdim=True).expand_as(highest)
    usable = (found & (highest > 0))[:, :, None, None]
    divisor = torch.where(usable, highest[:, :, None, None], torch.ones_like(highest)[:, :, None, None])
    return torch.where(usable, cells / divisor, torch.zeros_like(cells))
