"""Faithfulness of a heatmap: change the face where the map points and measure the probability.

All measures need only ``predict``, a function (N, channels, S, S) -> probabilities (N, K), one face at the network's
input size, (channels, S, S), and a heatmap of any resolution (h, w).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from core.errors import ExplainError
from core.explain.rendering import upsample

Predict = Callable[[Tensor], Tensor]

# Steps of the curves of one map, and of the hundred maps of the chance test.
STEPS, CHANCE_STEPS = 24, 6
# Faces of 48 px in one call of ``predict``; larger faces are passed in smaller batches.
FACES_PER_BATCH = 256
SIGNIFICANCE_LEVEL = 0.05
HIDDEN_FRACTION = 0.1  # of the pixels, in :func:`confidence_drop`
# Areas are sums of float32 probabilities; smaller differences are rounding errors and count as ties.
TIE_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class FaithfulnessCurves:
    """Probability of the class while the marked pixels are removed (deletion) or restored (insertion).

    Petsiuk et al. 2018. A faithful map has a small deletion area and a large insertion area.
    """

    fractions: np.ndarray  # (steps + 1,) fraction of the pixels changed, 0 to 1
    deletion: np.ndarray  # (steps + 1,)
    insertion: np.ndarray  # (steps + 1,)
    deletion_area: float
    insertion_area: float

    @property
    def steps(self) -> int:
        """Number of times that a further fraction of the pixels was changed."""
        return len(self.fractions) - 1

    @property
    def score(self) -> float:
        """Insertion area minus deletion area, -1 to 1; about 0 for a map that marks no particular place."""
        return self.insertion_area - self.deletion_area


@dataclass(frozen=True, eq=False)
class RoadCurves:
    """Probability after removing the most or the least relevant pixels and filling them in (Rong et al. 2022)."""

    fractions: np.ndarray  # (P,) fraction of the pixels removed
    most_relevant_first: np.ndarray  # (P,)
    least_relevant_first: np.ndarray  # (P,)

    @property
    def score(self) -> float:
        """Half the mean difference of the two curves, as the grad-cam package's ROADCombined; higher is better."""
        return float(np.mean(self.least_relevant_first - self.most_relevant_first) / 2)


@dataclass(frozen=True)
class ConfidenceDrop:
    """Probability of the class before and after the marked part of the face is hidden."""

    before: float
    after: float
    part: float

    @property
    def drop(self) -> float:
        """Loss of probability; negative where the network became more confident."""
        return self.before - self.after


@dataclass(frozen=True)
class ChanceResult:
    """A map's insertion minus deletion area compared with that of moved copies of the map, all in as many ``steps``.

    The area of the same map in more steps (:class:`FaithfulnessCurves`) differs slightly.
    """

    score: float
    p_value: float  # one-sided rank p-value: how often a copy scores at least as high
    percentile_95: float  # of the copies' scores
    copies: int
    steps: int = CHANCE_STEPS

    @property
    def better_than_chance(self) -> bool:
        """Whether the p-value is at most 0.05."""
        return self.p_value <= SIGNIFICANCE_LEVEL


def deletion_insertion(
    predict: Predict, face: Tensor, heatmap: np.ndarray, class_index: int, *, steps: int = STEPS
) -> FaithfulnessCurves:
    """Both curves from one batch of 2 x (steps + 1) faces.

    Pixels are replaced with those of the face blurred beyond recognition. Raises ExplainError for a constant map, and
    for a class that the network lacks.
    """
    original = _one_face(face)
    ranks = _ranks([_pixel_map(heatmap, original)], original)
    deletion, insertion = _curves(predict, original, _blurred(original), ranks, class_index, steps)
    fractions = np.linspace(0.0, 1.0, steps + 1)
    return FaithfulnessCurves(
        fractions, deletion[0], insertion[0], _area(deletion[0], fractions), _area(insertion[0], fractions)
    )


def chance_test(
    predict: Predict,
    face: Tensor,
    heatmap: np.ndarray,
    class_index: int,
    copies: int = 99,
    seed: int = 0,
    *,
    steps: int = CHANCE_STEPS,
    progress: Callable[[int, int], None] | None = None,
) -> ChanceResult:
    """Does the map mark the places that matter better than the same map placed at random?

    The null hypothesis is that position and orientation of the map are unrelated to what the network uses. Under it,
    the map is exchangeable with copies that are turned by a random multiple of 90 degrees, mirrored at random and
    shifted by a random number of pixels with wrap-around. The copies keep the map's values and smoothness, whereas
    permuted cells are rough, and even unrelated smooth maps score higher than rough ones. The p-value is (1 + number of
    copies with a higher score + half the number of ties) / (1 + copies).

    ``progress(done, total)`` counts maps. Raises ExplainError as :func:`deletion_insertion`.
    """
    original = _one_face(face)
    pixels = _pixel_map(heatmap, original)
    random = np.random.default_rng(seed)
    maps = [pixels] + [_moved(pixels, random) for _ in range(copies)]
    replacement = _blurred(original)
    fractions = np.linspace(0.0, 1.0, steps + 1)
    faces_at_once = max(1, FACES_PER_BATCH * 48 * 48 // (original.shape[1] * original.shape[2]))
    maps_at_once = max(1, faces_at_once // (2 * (steps + 1)))
    areas: list[float] = []
    for start in range(0, len(maps), maps_at_once):
        ranks = _ranks(maps[start : start + maps_at_once], original)
        deletion, insertion = _curves(predict, original, replacement, ranks, class_index, steps)
        areas += [_area(i, fractions) - _area(d, fractions) for d, i in zip(deletion, insertion, strict=True)]
        if progress is not None:
            progress(len(areas), len(maps))
    score, of_copies = areas[0], np.array(areas[1:])
    higher = np.count_nonzero(of_copies > score + TIE_TOLERANCE)
    ties = np.count_nonzero(np.abs(of_copies - score) <= TIE_TOLERANCE)
    p_value = (1 + higher + ties / 2) / (1 + copies)
    return ChanceResult(score, float(p_value), float(np.percentile(of_copies, 95)), copies, steps)


def road(
    predict: Predict,
    face: Tensor,
    heatmap: np.ndarray,
    class_index: int,
    *,
    percentages: Sequence[int] = (10, 30, 50, 70, 90),
    seed: int = 0,
) -> RoadCurves:
    """ROAD: removed pixels are filled in from their neighbors with a little noise, so that the hole itself carries no
    information.

    Uses the grad-cam package's noisy linear imputation. Raises ExplainError as :func:`deletion_insertion`.
    """
    from pytorch_grad_cam.metrics.road import NoisyLinearImputer  # two seconds to import

    original = _one_face(face).cpu()
    order = _ranks([_pixel_map(heatmap, original)], original)[0]
    impute = NoisyLinearImputer(noise=0.0)  # its own noise comes from torch's global generator
    generator = torch.Generator().manual_seed(seed)
    changed = []
    for ranks in (order, order.numel() - 1 - order):
        for percentage in percentages:
            kept = (ranks >= round(percentage / 100 * ranks.numel())).reshape(original.shape[1:])
            filled = impute(original, kept.float())
            noise = 0.01 * torch.randn(original.shape, generator=generator)
            changed.append(torch.where(kept, original, filled + noise))
    probabilities = _probability(predict, torch.stack(changed).to(face.device), class_index)
    most, least = probabilities.reshape(2, len(percentages))
    return RoadCurves(np.asarray(percentages) / 100, most, least)


def confidence_drop(predict: Predict, face: Tensor, heatmap: np.ndarray, class_index: int) -> ConfidenceDrop:
    """Loss of probability when the most strongly marked tenth of the face's pixels is blurred."""
    original = _one_face(face)
    ranks = _ranks([_pixel_map(heatmap, original)], original)[0]
    hidden = (ranks < round(HIDDEN_FRACTION * ranks.numel())).reshape(original.shape[1:])
    both = torch.stack([original, torch.where(hidden, _blurred(original), original)])
    before, after = _probability(predict, both, class_index)
    return ConfidenceDrop(float(before), float(after), HIDDEN_FRACTION)


def rank_agreement(maps: Sequence[np.ndarray]) -> np.ndarray:
    """Spearman's rank correlation of each pair of M maps, (M, M).

    Maps of different resolution are averaged down to the coarsest, so that position is compared and not detail. NaN for
    a constant map, which has no ranks.
    """
    from scipy.stats import rankdata  # not above: importing it takes half a second

    height, width = (min(m.shape[axis] for m in maps) for axis in (0, 1))
    pooled = [
        F.adaptive_avg_pool2d(torch.from_numpy(np.float64(m))[None], (height, width)).numpy().ravel() for m in maps
    ]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.atleast_2d(np.corrcoef(rankdata(np.stack(pooled), axis=1)))


def _one_face(face: Tensor) -> Tensor:
    plain = face.detach().float()
    plain = plain[0] if plain.ndim == 4 and len(plain) == 1 else plain
    if plain.ndim != 3:
        raise ExplainError(f"expected one face of shape (channels, S, S), got {tuple(face.shape)}")
    return plain


def _blurred(face: Tensor) -> Tensor:
    # An eighth of the face: eyes and mouth disappear, the lighting stays.
    sigma = max(face.shape[1:]) / 8
    blurred = np.stack([cv2.GaussianBlur(channel, (0, 0), sigma) for channel in face.cpu().numpy()])
    return torch.from_numpy(blurred).to(face.device)


def _pixel_map(heatmap: np.ndarray, face: Tensor) -> np.ndarray:
    """The map at the face's resolution. Raises ExplainError for a constant map."""
    if not np.isfinite(heatmap).all() or heatmap.min() == heatmap.max():
        raise ExplainError("all cells of this map are equal, so it marks no place whose removal could be tested")
    return upsample(heatmap, (face.shape[1], face.shape[2]))


def _moved(pixels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A square map turned by a multiple of 90 degrees, mirrored or not, and shifted with wrap-around, all at random."""
    turned = np.rot90(pixels, int(random.integers(4)))
    mirrored = turned[:, ::-1] if random.integers(2) else turned
    return np.roll(mirrored, tuple(random.integers(0, pixels.shape)), axis=(0, 1))


def _ranks(pixel_maps: Sequence[np.ndarray], face: Tensor) -> Tensor:
    """The rank of each pixel in each map, the strongest first: (M, S * S)."""
    # Equal pixels are ranked in random order: reading order would favor the forehead.
    tie_break = np.random.default_rng(0).random(pixel_maps[0].size)
    ranks = np.empty((len(pixel_maps), tie_break.size), dtype=np.int64)
    for row, pixels in zip(ranks, pixel_maps, strict=True):
        row[np.lexsort((tie_break, -pixels.ravel()))] = np.arange(row.size)
    return torch.from_numpy(ranks).to(face.device)


def _curves(
    predict: Predict, face: Tensor, replacement: Tensor, ranks: Tensor, class_index: int, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Deletion and insertion curves of M maps, (M, steps + 1) each, from one batch."""
    counts = torch.linspace(0, ranks.shape[1], steps + 1, device=ranks.device).round()
    marked = (ranks[:, None] < counts[:, None]).reshape(len(ranks), steps + 1, 1, *face.shape[1:])
    deleted, inserted = torch.where(marked, replacement, face), torch.where(marked, face, replacement)
    batch = torch.stack([deleted, inserted]).flatten(0, 2)
    deletion, insertion = _probability(predict, batch, class_index).reshape(2, len(ranks), steps + 1)
    return deletion, insertion


def _probability(predict: Predict, faces: Tensor, class_index: int) -> np.ndarray:
    with torch.inference_mode():
        probabilities = predict(faces)
    if not 0 <= class_index < probabilities.shape[1]:
        raise ExplainError(f"this network has no class {class_index}; it has {probabilities.shape[1]}")
    of_class = np.asarray(probabilities[:, class_index].double().cpu().numpy())
    if not np.isfinite(of_class).all():
        raise ExplainError("the network returned NaN or infinity; the weights may be damaged")
    return of_class


def _area(curve: np.ndarray, fractions: np.ndarray) -> float:
    return float(np.trapezoid(curve, fractions))
