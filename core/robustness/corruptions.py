"""Nine corruptions of a face at the size that the network sees, at five strengths each.

They follow ImageNet-C and CIFAR-10-C (Hendrycks & Dietterich 2019). Lengths are relative to the side of the face. The
strengths range from hardly visible to hardly recognizable. Where What if (:class:`core.probes.Perturbation`) has
the same change, it is used: strength 4 of the blur is the blur slider of Analyze at 3 %.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.probes import OCCLUSION_GRID, OCCLUSION_PRESETS, Perturbation

STRENGTHS = (1, 2, 3, 4, 5)
SEED = 2019

Images = np.ndarray  # (N, S, S) or (N, S, S, 3) uint8
Change = Callable[[Images, float, np.ndarray], Images]  # images, setting, row numbers


@dataclass(frozen=True)
class Corruption:
    """One corruption: ``settings`` are its values at the strengths 1 to 5, in ``unit``."""

    name: str
    title: str
    unit: str
    settings: tuple[float, float, float, float, float]
    change: Change

    def shown(self, strength: int) -> str:
        """The setting at a strength with its unit, e.g. ``"3 (% of the side)"``."""
        return f"{self.settings[strength - 1]:g} ({self.unit})"


def corrupt(images: Images, name: str, strength: int, ids: np.ndarray) -> Images:
    """The corrupted images; ``name`` is one of CORRUPTIONS, ``strength`` one of STRENGTHS, ``ids`` (N,) row numbers.

    Random choices (noise, direction) depend only on SEED and the row number. They are the same at every strength and
    for every network with the same size of images, independent of the order and the batch. Raises ValueError for
    other arguments.
    """
    if name not in CORRUPTIONS:
        raise ValueError(f"no corruption {name!r}; available: {', '.join(CORRUPTIONS)}")
    if strength not in STRENGTHS:
        raise ValueError(f"a strength must be one of {STRENGTHS}, got {strength}")
    if len(images) != len(ids):
        raise ValueError(f"every image needs its row number: got {len(images)} images and {len(ids)} numbers")
    corruption = CORRUPTIONS[name]
    return corruption.change(images, corruption.settings[strength - 1], ids) if len(images) else images


def _perturbed(field: str, *, signed: bool = False) -> Change:
    """A change that sets one field of :class:`Perturbation`. ``signed``: a random half of the images gets the opposite
    sign."""

    def change(images: Images, value: float, ids: np.ndarray) -> Images:
        signs = 1 - 2 * (_random_direction(ids) % 2) if signed else np.ones(len(ids))
        perturbations = {
            sign: Perturbation(**{field: float(sign * value)})  # type: ignore[arg-type]  # all these fields are floats
            for sign in np.unique(signs)
        }
        # One image at a time because of OpenCV; this takes a few percent of the time of the smallest network.
        return np.stack(
            [
                perturbations[sign].apply(image, noise_seed=[SEED, int(row)])
                for image, sign, row in zip(images, signs, ids, strict=True)
            ]
        )

    return change


def _shifted(images: Images, percent: float, ids: np.ndarray) -> Images:
    """Shifted left, right, up or down by whole pixels, because interpolating would blur too; the border is repeated."""
    size = images.shape[1]
    pixels = round(percent / 100 * size)
    margin = [(0, 0), (pixels, pixels), (pixels, pixels), *[(0, 0)] * (images.ndim - 3)]
    padded = np.pad(images, margin, mode="edge")
    shifted = np.empty_like(images)
    directions = _random_direction(ids)
    for direction, (top, left) in enumerate(((pixels, 2 * pixels), (pixels, 0), (2 * pixels, pixels), (0, pixels))):
        chosen = directions == direction
        shifted[chosen] = padded[chosen, top : top + size, left : left + size]
    return shifted


def _covered(region: str) -> Change:
    """A bar over a region of the template face, filled with the mean of the image; the setting is its height."""
    rows, columns = ([cell[axis] for cell in OCCLUSION_PRESETS[region]] for axis in (0, 1))
    middle = (min(rows) + max(rows) + 1) / 2 / OCCLUSION_GRID
    left, right = min(columns) / OCCLUSION_GRID, (max(columns) + 1) / OCCLUSION_GRID

    def change(images: Images, percent: float, ids: np.ndarray) -> Images:  # noqa: ARG001  (nothing random)
        size = images.shape[1]
        edges = np.array([middle - percent / 200, middle + percent / 200, left, right])
        top, bottom, first, last = (edges * size).round().astype(int)
        covered = images.copy()
        covered[:, top:bottom, first:last] = images.mean(axis=(1, 2), keepdims=True).round().astype(np.uint8)
        return covered

    return change


def _random_direction(ids: np.ndarray) -> np.ndarray:
    """(N,) of 0 to 3, one per row number."""
    return np.array([np.random.default_rng([SEED, int(row)]).integers(4) for row in ids])


_OF_SIDE = "% of the side"
_OF_RANGE = "fraction of the full range"
# Multiples of a third of a row of Analyze's 6 x 6 grid: at strength 3 the bar is the region that What if hides.
_BARS = (5.6, 11.1, 16.7, 22.2, 27.8)

CORRUPTIONS = {
    corruption.name: corruption
    for corruption in (
        Corruption("blur", "Blur", _OF_SIDE, (1, 1.5, 2, 3, 4), _perturbed("blur")),
        Corruption("noise", "Noise", _OF_RANGE, (0.02, 0.04, 0.06, 0.1, 0.15), _perturbed("noise")),
        Corruption(
            "brightness",
            "Brightness",
            f"{_OF_RANGE}, darker or lighter",
            (0.1, 0.15, 0.2, 0.3, 0.4),
            _perturbed("brightness", signed=True),
        ),
        Corruption("contrast", "Contrast", "factor", (0.8, 0.6, 0.45, 0.3, 0.2), _perturbed("contrast")),
        Corruption("jpeg", "JPEG", "quality", (60, 40, 25, 15, 8), _perturbed("jpeg_quality")),
        Corruption(
            "rotation",
            "Rotation",
            "degrees, to either side",
            (5, 10, 15, 20, 30),
            _perturbed("rotation_deg", signed=True),
        ),
        Corruption("shift", "Shift", f"{_OF_SIDE}, in one of four directions", (4, 8, 12, 16, 20), _shifted),
        Corruption("eyes", "Eyes hidden", f"{_OF_SIDE}, height of the bar", _BARS, _covered("eyes")),
        Corruption("mouth", "Mouth hidden", f"{_OF_SIDE}, height of the bar", _BARS, _covered("mouth")),
    )
}
