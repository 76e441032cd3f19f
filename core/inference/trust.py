"""How far the map of one face can be trusted: the measures of ``core.explain`` on an analysed face."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.explain import (
    ChanceResult,
    ConfidenceDrop,
    Contrast,
    Explanation,
    FaithfulnessCurves,
    RoadCurves,
    chance_test,
    confidence_drop,
    deletion_insertion,
    distinct_methods,
    method_named,
    randomisation_check,
    rank_agreement,
    road,
)
from core.inference.analysis import FaceAnalysis
from core.inference.predictor import Predictor
from core.inference.saliency import explained, input_tensor

HIDDEN_PART = 0.1


@dataclass(frozen=True, eq=False)
class Measures:
    """The quick measures of one map; all are about the probability of ``explanation.class_index``."""

    explanation: Explanation
    curves: FaithfulnessCurves
    road: RoadCurves
    drop: ConfidenceDrop


@dataclass(frozen=True, eq=False)
class Trust(Measures):
    """Every measure of one map: the quick ones, and whether it beats its own shuffled copies."""

    chance: ChanceResult


@dataclass(frozen=True, eq=False)
class MethodAgreement:
    """Spearman's rank correlation between the maps of M methods; methods that make one map are counted once."""

    methods: tuple[str, ...]  # titles; those that coincide joined into one
    correlation: np.ndarray  # (M, M), NaN for a map without a difference between its cells


def trust(
    predictor: Predictor,
    face: FaceAnalysis,
    explanation: Explanation,
    *,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Trust:
    """Hide and restore the face where the map points, and compare with the same map shuffled 99 times.

    ``progress(done, total)`` counts the maps of the chance test, which takes nearly all of the time. Raises
    ExplainError for a map whose cells are all alike, and Stopped.
    """
    quick = measures(predictor, face, explanation)
    tested = chance(predictor, face, explanation, progress=progress, should_stop=should_stop)
    return Trust(quick.explanation, quick.curves, quick.road, quick.drop, tested)


def measures(predictor: Predictor, face: FaceAnalysis, explanation: Explanation) -> Measures:
    """Deletion, insertion, ROAD and the drop in confidence. Raises ExplainError for a map whose cells are all alike."""
    predict, pixels = probability_of(predictor), input_tensor(predictor, face)[0]
    heatmap, k = explanation.heatmap, explanation.class_index
    return Measures(
        explanation=explanation,
        curves=deletion_insertion(predict, pixels, heatmap, k),
        road=road(predict, pixels, heatmap, k),
        drop=confidence_drop(predict, pixels, heatmap, k, HIDDEN_PART),
    )


def chance(
    predictor: Predictor,
    face: FaceAnalysis,
    explanation: Explanation,
    *,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> ChanceResult:
    """The map beside 99 copies with their cells permuted. Raises ExplainError as :func:`measures`, and Stopped."""
    predict, pixels = probability_of(predictor), input_tensor(predictor, face)[0]
    heatmap, k = explanation.heatmap, explanation.class_index
    return chance_test(predict, pixels, heatmap, k, progress=progress, should_stop=should_stop)


def method_agreement(
    predictor: Predictor,
    face: FaceAnalysis,
    target: int | Contrast,
    stage: str,
    methods: Sequence[str],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> MethodAgreement:
    """Do other methods mark the same places? ``progress(done, total)`` counts methods. Raises ExplainError."""
    groups = distinct_methods(methods, predictor.network, stage)
    maps = []
    for number, group in enumerate(groups):
        if progress is not None:
            progress(number, len(groups))
        (found,) = explained(predictor, face, method=group[0], stage=stage, classes=target)
        maps.append(found.heatmap)
    titles = tuple(" = ".join(method_named(name).title for name in group) for group in groups)
    return MethodAgreement(titles, rank_agreement(maps))


def sanity(predictor: Predictor, face: FaceAnalysis, class_index: int, stage: str) -> tuple[tuple[str, float], ...]:
    """Rank correlation of the Grad-CAM map with itself as the weights are randomised from the head downwards.

    Adebayo et al. 2018; see ``core.explain.randomisation_check``.
    """
    with predictor.lock:
        return randomisation_check(predictor.network, input_tensor(predictor, face), class_index, stage)


def probability_of(predictor: Predictor) -> Callable[[Tensor], Tensor]:
    """Faces as they enter the network, (N, channels, S, S) -> calibrated probabilities (N, K)."""

    def predict(faces: Tensor) -> Tensor:
        logits: Tensor = predictor.network(faces.contiguous(memory_format=torch.channels_last)).logits
        return (logits / predictor.card.temperature).softmax(dim=1)

    return predict
