"""Nine perturbations of a face at the size the network sees it, five strengths each.

What :class:`core.probes.Perturbation` does to one face is done by it here: strength 4 of blur is the blur slider of
Analyze at 3 %. The steps follow ImageNet-C and CIFAR-10-C (Hendrycks & Dietterich 2019), scaled to the side of the
face where they are lengths, and grow from hardly seen to hardly readable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.probes import OCCLUSION_GRID, OCCLUSION_PRESETS, Perturbation

STRENGTHS = (1, 2, 3, 4, 5)
SEED = 2019

Images = np.ndarray  # (N, S, S) or (N, S, S, 3) uint8
Change = Callable[[Images, float, np.ndarray], Images]


@dataclass(frozen=True)
class GradedPerturbation:
    """One perturbation: ``settings`` are what it is set to at strengths 1 to 5, in ``unit``."""

    name: str
    title: str
    unit: str
    settings: tuple[float, float, float, float, float]
    change: Change

    def shown(self, strength: int) -> str:
        """``"3 % of the side"``: what a strength means."""
        return f"{self.settings[strength - 1]:g} {self.unit}"


def perturb(images: Images, name: str, strength: int, ids: np.ndarray) -> Images:
    """Every image perturbed; ``ids`` (N,) are its row numbers, ``strength`` is one of STRENGTHS.

    What is random (grain, direction) depends on SEED and the row number alone: the same at every strength and for
    every network, whatever the order and the batch.
    """
    if name not in PERTURBATIONS:
        raise ValueError(f"there is no perturbation {name!r}; there are {', '.join(PERTURBATIONS)}")
    if strength not in STRENGTHS:
        raise ValueError(f"a strength is one of {STRENGTHS}, got {strength}")
    if len(images) != len(ids):
        raise ValueError(f"every image needs its row number: got {len(images)} images and {len(ids)} numbers")
    graded = PERTURBATIONS[name]
    return graded.change(images, graded.settings[strength - 1], ids) if len(images) else images


def _by_slider(knob: str, *, signed: bool = False) -> Change:
    """A knob of :class:`Perturbation`; ``signed``: half of the images, drawn at random, get the opposite sign."""

    def change(images: Images, value: float, ids: np.ndarray) -> Images:
        signs = 1 - 2 * (_drawn(ids) % 2) if signed else np.ones(len(ids))
        changes = {
            sign: Perturbation(**{knob: float(sign * value)})  # type: ignore[arg-type]  # every knob is a float
            for sign in np.unique(signs)
        }
        # OpenCV takes one image at a time; this is some per cent of what the smallest network takes for them.
        changed = [
            changes[sign].apply_pixels(changes[sign].apply_geometry(image), noise_seed=[SEED, int(row)])
            for image, sign, row in zip(images, signs, ids, strict=True)
        ]
        return np.stack(changed)

    return change


def _shifted(images: Images, percent: float, ids: np.ndarray) -> Images:
    """Moved left, right, up or down by whole pixels (interpolating would blur as well); the border is repeated."""
    size = images.shape[1]
    pixels = round(percent / 100 * size)
    margin = [(0, 0), (pixels, pixels), (pixels, pixels), *[(0, 0)] * (images.ndim - 3)]
    padded = np.pad(images, margin, mode="edge")
    moved = np.empty_like(images)
    directions = _drawn(ids)
    for direction, (top, left) in enumerate(((pixels, 2 * pixels), (pixels, 0), (2 * pixels, pixels), (0, pixels))):
        chosen = directions == direction
        moved[chosen] = padded[chosen, top : top + size, left : left + size]
    return moved


def _covered(region: str) -> Change:
    """A bar over a part of the template face, filled with the mean of the image; it grows in height."""
    rows, columns = ([cell[axis] for cell in OCCLUSION_PRESETS[region]] for axis in (0, 1))
    middle = (min(rows) + max(rows) + 1) / 2 / OCCLUSION_GRID
    left, right = min(columns) / OCCLUSION_GRID, (max(columns) + 1) / OCCLUSION_GRID

    def change(images: Images, percent: float, ids: np.ndarray) -> Images:  # noqa: ARG001  (nothing random)
        size = images.shape[1]
        edges = np.array([middle - percent / 200, middle + percent / 200, left, right])
        top, bottom, first, last = (edges * size).round().astype(int)
        mean = images.mean(axis=(1, 2), keepdims=True).round().astype(np.uint8)
        hidden = images.copy()
        hidden[:, top:bottom, first:last] = mean
        return hidden

    return change


def _drawn(ids: np.ndarray) -> np.ndarray:
    """(N,) of 0 to 3, one a row number."""
    return np.array([np.random.default_rng([SEED, int(row)]).integers(4) for row in ids])


_OF_SIDE = "% of the side"
# Thirds of a row of Analyze's 6 x 6 grid: at strength 3 the bar is the part that What if hides by that name.
_BARS = (5.6, 11.1, 16.7, 22.2, 27.8)

PERTURBATIONS = {
    graded.name: graded
    for graded in (
        GradedPerturbation("blur", "Blur", _OF_SIDE, (1, 1.5, 2, 3, 4), _by_slider("blur")),
        GradedPerturbation("noise", "Noise", "of full range", (0.02, 0.04, 0.06, 0.1, 0.15), _by_slider("noise")),
        GradedPerturbation(
            "brightness",
            "Brightness",
            "of full range, darker or lighter",
            (0.1, 0.15, 0.2, 0.3, 0.4),
            _by_slider("brightness", signed=True),
        ),
        GradedPerturbation(
            "contrast", "Contrast", "of the contrast it has", (0.8, 0.6, 0.45, 0.3, 0.2), _by_slider("contrast")
        ),
        GradedPerturbation("jpeg", "JPEG", "quality", (60, 40, 25, 15, 8), _by_slider("jpeg_quality")),
        GradedPerturbation(
            "rotation",
            "Rotation",
            "degrees, to either side",
            (5, 10, 15, 20, 30),
            _by_slider("rotation_deg", signed=True),
        ),
        GradedPerturbation("shift", "Shift", f"{_OF_SIDE}, one of four ways", (4, 8, 12, 16, 20), _shifted),
        GradedPerturbation("eyes", "Eyes hidden", f"{_OF_SIDE}, height of the bar", _BARS, _covered("eyes")),
        GradedPerturbation("mouth", "Mouth hidden", f"{_OF_SIDE}, height of the bar", _BARS, _covered("mouth")),
    )
}
