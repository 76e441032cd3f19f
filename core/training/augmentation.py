"""Augmentation of whole batches as tensor operations, on the device of the batch."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from core.training.recipe import Augmentation, Recipe

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as OpenCV's conversion to gray


def augment(images: Tensor, options: Augmentation, generator: torch.Generator, side_px: int | None = None) -> Tensor:
    """Augmented copies of ``images`` (N, C, S, S) float in [0, 1], (N, C, side_px, side_px) where that is given.

    All random numbers come from ``generator``, on the device of the images: a copy from the CPU would make a GPU wait.
    """
    n, channels, size = images.shape[:3]
    side, device = side_px or size, images.device

    def uniform(low: float, high: float) -> Tensor:
        return torch.rand(n, generator=generator, device=device).mul_(high - low).add_(low)

    # One affine sampling does mirror, rotation, zoom and shift: the pixels are interpolated once.
    angle = uniform(-options.rotate_deg, options.rotate_deg) * (math.pi / 180)
    zoom = 1.0 / uniform(*options.scale)
    mirror = torch.ones(n, device=device)
    if options.flip:
        mirror = torch.where(torch.rand(n, generator=generator, device=device) < 0.5, -1.0, 1.0)
    affine = torch.zeros(n, 2, 3, device=device)
    affine[:, 0, 0] = torch.cos(angle) * zoom * mirror
    affine[:, 0, 1] = -torch.sin(angle) * zoom
    affine[:, 1, 0] = torch.sin(angle) * zoom * mirror
    affine[:, 1, 1] = torch.cos(angle) * zoom
    affine[:, 0, 2] = uniform(-2 * options.shift, 2 * options.shift)  # the grid spans [-1, 1], so a side is 2
    affine[:, 1, 2] = uniform(-2 * options.shift, 2 * options.shift)
    grid = F.affine_grid(affine, [n, channels, side, side], align_corners=False)
    # Reflected borders: black ones would reveal how the image was rotated.
    out = F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)

    factor = uniform(1 - options.contrast, 1 + options.contrast).view(n, 1, 1, 1)
    offset = uniform(-options.brightness, options.brightness).view(n, 1, 1, 1)
    mean = out.mean(dim=(1, 2, 3), keepdim=True)
    out = ((out - mean) * factor + mean + offset).clamp_(0, 1)
    if options.saturation:
        factor = uniform(1 - options.saturation, 1 + options.saturation).view(n, 1, 1, 1)
        gray = (out * out.new_tensor(_LUMA).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)
        out = (gray + (out - gray) * factor).clamp_(0, 1)

    if options.erase:
        hidden = _rectangles(n, side, options.erase, generator, device)
        out = torch.where(hidden.unsqueeze(1), torch.full_like(out, 0.5), out)
    return out


def mix(images: Tensor, targets: Tensor, recipe: Recipe, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Mix every image with another one of the batch, by mixup or CutMix, and the targets (N, K) by the same share.

    The pairs come from ``generator``, on the device of the images; the share and its place come from the global
    generator of the CPU, because reading a number would make a GPU wait.
    """
    partner = torch.randperm(len(images), generator=generator, device=images.device)
    coin = float(torch.rand(()))
    cut = bool(recipe.cutmix) and (not recipe.mixup or coin < 0.5)
    a = recipe.cutmix if cut else recipe.mixup
    share = float(torch.distributions.Beta(a, a).sample())
    if cut:
        size = images.shape[-1]
        side = round(size * math.sqrt(1 - share))
        top, left = torch.randint(size - side + 1, (2,)).tolist()
        images = images.clone()
        images[..., top : top + side, left : left + side] = images[partner, :, top : top + side, left : left + side]
        share = 1 - (side / size) ** 2  # the part of the area that is really left
    else:
        images = share * images + (1 - share) * images[partner]
    return images, share * targets + (1 - share) * targets[partner]


def _rectangles(n: int, size: int, probability: float, generator: torch.Generator, device: torch.device) -> Tensor:
    """(N, S, S) bool: a random rectangle of 2-20 % of the area in about ``probability`` of the images."""

    def uniform() -> Tensor:
        return torch.rand(n, generator=generator, device=device)

    area = uniform() * 0.18 + 0.02
    ratio = torch.exp((uniform() * 2 - 1) * math.log(2.0))
    height = (area * ratio).sqrt() * size
    width = (area / ratio).sqrt() * size
    top = uniform() * (size - height)
    left = uniform() * (size - width)
    chosen = uniform() < probability
    position = torch.arange(size, dtype=torch.float32, device=device)
    rows = (position >= top[:, None]) & (position < (top + height)[:, None])
    columns = (position >= left[:, None]) & (position < (left + width)[:, None])
    return rows[:, :, None] & columns[:, None, :] & chosen[:, None, None]
