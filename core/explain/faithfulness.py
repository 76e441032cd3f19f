"""How far a heatmap can be trusted: change the face where the map points and watch the probability.

Everything here needs only ``predict``, a function (N, channels, S, S) -> probabilities (N, K), one face as that network
sees it, (channels, S, S), and a heatmap of any resolution (h, w).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from scipy.stats import rankdata
from torch import Tensor

from core.errors import ExplainError
from core.explain.explanation import Stopped
from core.explain.rendering import upsample

Predict = Callable[[Tensor], Tensor]
Baseline = Literal["blur", "mean"]

# Steps of the curves of one map, and of the hundred maps of the chance test.
STEPS, CHANCE_STEPS = 24, 6
# Faces of 48 px in one call of ``predict``; larger faces go in smaller batches.
FACES_PER_BATCH = 256


@dataclass(frozen=True, eq=False)
class FaithfulnessCurves:
    """Probability of the class while the marked part is taken away (deletion) or brought back (insertion).

    Petsiuk et al. 2018. A good map deletes fast (small area) and inserts fast (large area).
    """

    fractions: np.ndarray  # (steps + 1,) part of the pixels changed, 0 to 1
    deletion: np.ndarray  # (steps + 1,)
    insertion: np.ndarray  # (steps + 1,)
    deletion_area: float
    insertion_area: float

    @property
    def steps(self) -> int:
        """How many times a further part of the pixels was changed."""
        return len(self.fractions) - 1

    @property
    def score(self) -> float:
        """Insertion area less deletion area, -1 to 1; about 0 for a map that points nowhere in particular."""
        return self.insertion_area - self.deletion_area


@dataclass(frozen=True, eq=False)
class RoadCurves:
    """Probability after removing the most, or the least, relevant pixels and debiasing the rest (Rong et al. 2022)."""

    fractions: np.ndarray  # (P,) part of the pixels removed
    most_relevant_first: np.ndarray  # (P,)
    least_relevant_first: np.ndarray  # (P,)

    @property
    def score(self) -> float:
        """Half the mean gap of the two curves, as the grad-cam package's ROADCombined counts it; higher is better."""
        return float(np.mean(self.least_relevant_first - self.most_relevant_first) / 2)


@dataclass(frozen=True)
class ConfidenceDrop:
    """Probability of the class before and after the marked part of the face is hidden."""

    before: float
    after: float
    part: float

    @property
    def drop(self) -> float:
        """What hiding cost; negative where the network became surer."""
        return self.before - self.after


@dataclass(frozen=True)
class ChanceResult:
    """A map's (insertion - deletion) area beside that of copies with their cells permuted, all in as many ``steps``.

    The area of the same map in more steps (:class:`FaithfulnessCurves`) is another figure.
    """

    score: float
    percentile_95: float
    copies: int
    steps: int = CHANCE_STEPS

    @property
    def better_than_chance(self) -> bool:
        """False: the map is *no better than chance*."""
        return self.score > self.percentile_95


def deletion_insertion(
    predict: Predict,
    face: Tensor,
    heatmap: np.ndarray,
    class_index: int,
    *,
    steps: int = STEPS,
    baseline: Baseline = "blur",
) -> FaithfulnessCurves:
    """Both curves from one batch of 2 x (steps + 1) faces.

    ``baseline`` is what a pixel is replaced with: the face blurred beyond recognition, or its mean gray.
    Raises ExplainError for a map without a difference between its cells, or a class the network lacks.
    """
    original = _one_face(face)
    deletion, insertion = _curves(
        predict, original, _baseline(original, baseline), _ranks([heatmap], original), class_index, steps
    )
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
    baseline: Baseline = "blur",
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> ChanceResult:
    """Is the map's (insertion - deletion) area above the 95th percentile of copies with their cells permuted?

    The copies have the map's values at its own resolution, in other places. Map and copies are measured with the same
    ``steps``. ``progress(done, total)`` counts maps. Raises ExplainError as :func:`deletion_insertion`, and Stopped.
    """
    random = np.random.default_rng(seed)
    maps = [heatmap] + [random.permutation(heatmap.ravel()).reshape(heatmap.shape) for _ in range(copies)]
    original = _one_face(face)
    replacement = _baseline(original, baseline)
    fractions = np.linspace(0.0, 1.0, steps + 1)
    faces_at_once = max(1, FACES_PER_BATCH * 48 * 48 // (original.shape[1] * original.shape[2]))
    maps_at_once = max(1, faces_at_once // (2 * (steps + 1)))
    scores: list[float] = []
    for start in range(0, len(maps), maps_at_once):
        if should_stop is not None and should_stop():
            raise Stopped(f"stopped after {start} of {len(maps)} maps")
        ranks = _ranks(maps[start : start + maps_at_once], original)
        deletion, insertion = _curves(predict, original, replacement, ranks, class_index, steps)
        scores += [_area(i, fractions) - _area(d, fractions) for d, i in zip(deletion, insertion, strict=True)]
        if progress is not None:
            progress(len(scores), len(maps))
    return ChanceResult(scores[0], float(np.percentile(scores[1:], 95)), copies, steps)


def road(
    predict: Predict,
    face: Tensor,
    heatmap: np.ndarray,
    class_index: int,
    *,
    percentages: Sequence[int] = (10, 30, 50, 70, 90),
    seed: int = 0,
) -> RoadCurves:
    """ROAD: removed pixels are filled in from their neighbors with a little noise, so that the hole says nothing.

    The filling in is the grad-cam package's noisy linear imputation. Raises ExplainError as :func:`deletion_insertion`.
    """
    from pytorch_grad_cam.metrics.road import NoisyLinearImputer  # two seconds to import

    original = _one_face(face).cpu()
    order = _ranks([heatmap], original)[0]
    impute = NoisyLinearImputer(noise=0.0)  # its own noise comes from torch's global generator
    generator = torch.Generator().manual_seed(seed)
    changed = []
    for ranks in (order, order.numel() - 1 - order):
        for percentage in percentages:
            kept = (ranks >= round(percentage / 100 * ranks.numel())).reshape(original.shape[1:])
            filled = impute(original, kept.float())
            noise = 0.01 * torch.randn(original.shape, generator=generator)
            changed.append(torch.where(kept, original, filled + noise))
    answers = _probability(predict, torch.stack(changed).to(face.device), class_index)
    most, least = answers.reshape(2, len(percentages))
    return RoadCurves(np.asarray(percentages) / 100, most, least)


def confidence_drop(
    predict: Predict,
    face: Tensor,
    heatmap: np.ndarray,
    class_index: int,
    part: float = 0.1,
    *,
    baseline: Baseline = "blur",
) -> ConfidenceDrop:
    """What the class loses when the most strongly marked ``part`` of the face's pixels is hidden."""
    original = _one_face(face)
    hidden = (_ranks([heatmap], original)[0] < round(part * original[0].numel())).reshape(original.shape[1:])
    both = torch.stack([original, torch.where(hidden, _baseline(original, baseline), original)])
    before, after = _probability(predict, both, class_index)
    return ConfidenceDrop(float(before), float(after), part)


def rank_agreement(maps: Sequence[np.ndarray]) -> np.ndarray:
    """Spearman's rank correlation of each pair of M maps, (M, M).

    Maps of different resolution are averaged down to the coarsest, so that they are compared on *where*, not on detail.
    NaN for a map whose cells are all equal: it ranks nothing.
    """
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


def _baseline(face: Tensor, kind: Baseline) -> Tensor:
    if kind == "mean":
        return face.mean(dim=(1, 2), keepdim=True).expand_as(face)
    if kind != "blur":
        raise ExplainError(f'the baseline must be "blur" or "mean", got {kind!r}')
    # An eighth of the face: eyes and mouth melt into the face, its lighting stays.
    sigma = max(face.shape[1:]) / 8
    blurred = np.stack([cv2.GaussianBlur(channel, (0, 0), sigma) for channel in face.cpu().numpy()])
    return torch.from_numpy(blurred).to(face.device)


def _ranks(heatmaps: Sequence[np.ndarray], face: Tensor) -> Tensor:
    """Each pixel's place in the order of the maps, the strongest first: (M, S * S)."""
    size = face.shape[1], face.shape[2]
    # Equal pixels in random order: reading order would favor the forehead.
    tie_break = np.random.default_rng(0).random(size[0] * size[1])
    ranks = np.empty((len(heatmaps), size[0] * size[1]), dtype=np.int64)
    for row, heatmap in zip(ranks, heatmaps, strict=True):
        if not np.isfinite(heatmap).all() or heatmap.min() == heatmap.max():
            raise ExplainError("every cell of this map is alike, so it marks no place whose removal could be tested")
        row[np.lexsort((tie_break, -upsample(heatmap, size).ravel()))] = np.arange(row.size)
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
    answers = probabilities[:, class_index].double().cpu().numpy()
    if not np.isfinite(answers).all():
        raise ExplainError("the network answered with a value that is not a finite number")
    return np.asarray(answers)


def _area(curve: np.ndarray, fractions: np.ndarray) -> float:
    return float(np.trapezoid(curve, fractions))
