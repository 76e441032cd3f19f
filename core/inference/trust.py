"""How far the map of one face can be trusted: the measures of ``core.explain`` on an analyzed face."""

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
    randomization_check,
    rank_agreement,
    road,
)
from core.inference.analysis import FaceAnalysis
from core.inference.predictor import Predictor
from core.inference.saliency import explained, input_tensor

HIDDEN_PART = 0.1


@dataclass(frozen=True, eq=False)
class Measures:
    """The quick measures of one map; all are about the probability of the map's class, for a contrast where only its
    two classes are possible (:func:`probability_explained`)."""

    explanation: Explanation
    curves: FaithfulnessCurves
    road: RoadCurves
    drop: ConfidenceDrop

    def tested(self, chance: ChanceResult) -> Trust:
        """The same measures with the chance test."""
        return Trust(self.explanation, self.curves, self.road, self.drop, chance)


@dataclass(frozen=True, eq=False)
class Trust(Measures):
    """Every measure of one map: the quick ones, and whether it beats its own shuffled copies."""

    chance: ChanceResult


@dataclass(frozen=True, eq=False)
class TrustFindings:
    """What has been measured of one map; None for what has not."""

    measures: Measures | None = None  # a Trust once the chance test is made
    agreement: MethodAgreement | None = None
    randomized: tuple[tuple[str, float], ...] | None = None  # as :func:`sanity` gives it

    @property
    def empty(self) -> bool:
        """Whether nothing has been measured."""
        return self.measures is None and self.agreement is None and self.randomized is None


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
    return quick.tested(chance(predictor, face, explanation, progress=progress, should_stop=should_stop))


def measures(predictor: Predictor, face: FaceAnalysis, explanation: Explanation) -> Measures:
    """Deletion, insertion, ROAD and the drop in confidence. Raises ExplainError for a map whose cells are all alike."""
    (predict, k), pixels = probability_explained(predictor, explanation), input_tensor(predictor, face)[0]
    heatmap = explanation.heatmap
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
    (predict, k), pixels = probability_explained(predictor, explanation), input_tensor(predictor, face)[0]
    return chance_test(predict, pixels, explanation.heatmap, k, progress=progress, should_stop=should_stop)


def method_agreement(
    predictor: Predictor,
    face: FaceAnalysis,
    target: int | Contrast,
    stage: str,
    methods: Sequence[str],
    *,
    made: Explanation | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> MethodAgreement:
    """Do other methods mark the same places? ``made`` is a map of that target that is at hand already: it stands for
    its method. ``progress(done, total)`` counts methods. Raises ExplainError.
    """
    groups = distinct_methods(methods, predictor.network, stage)
    maps = []
    for number, group in enumerate(groups):
        if progress is not None:
            progress(number, len(groups))
        if made is not None and made.method in group:
            maps.append(made.heatmap)
        else:
            (found,) = explained(predictor, face, method=group[0], stage=stage, classes=target)
            maps.append(found.heatmap)
    titles = tuple(" = ".join(method_named(name).title for name in group) for group in groups)
    return MethodAgreement(titles, rank_agreement(maps))


def sanity(
    predictor: Predictor,
    face: FaceAnalysis,
    target: int | Contrast,
    stage: str,
    method: str = "gradcam",
    *,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> tuple[tuple[str, float], ...]:
    """Rank correlation of a method's map with itself as the weights are randomized from the head downwards.

    Adebayo et al. 2018; see ``core.explain.randomization_check``, also for errors.
    """
    with predictor.lock:
        return randomization_check(
            predictor.network,
            input_tensor(predictor, face),
            target,
            stage,
            method=method,
            progress=progress,
            should_stop=should_stop,
        )


def probability_explained(predictor: Predictor, explanation: Explanation) -> tuple[Callable[[Tensor], Tensor], int]:
    """The probability that stands for what a map explains: a function faces (N, channels, S, S) -> (N, classes), and
    the column in question.

    For a class it is its calibrated probability. A contrast explains logit a - logit b, and a's probability among all
    classes may fall while that difference rises. Its measure is the probability of a where only a and b are possible,
    p_a / (p_a + p_b): the logistic function of the difference over the temperature. It rises and falls with the
    difference alone, and lies in 0 to 1, so that areas and drops are read as those of a class.
    """
    of_all, a, b = probability_of(predictor), explanation.class_index, explanation.against
    if b is None:
        return of_all, a

    def of_two(faces: Tensor) -> Tensor:
        return _probabilities(predictor, faces, [a, b])

    return of_two, 0


def probability_of(predictor: Predictor) -> Callable[[Tensor], Tensor]:
    """Faces as they enter the network, (N, channels, S, S) -> calibrated probabilities (N, K)."""
    return lambda faces: _probabilities(predictor, faces, slice(None))


def _probabilities(predictor: Predictor, faces: Tensor, among: list[int] | slice) -> Tensor:
    logits: Tensor = predictor.network(faces.contiguous(memory_format=torch.channels_last)).logits
    return (logits[:, among] / predictor.card.temperature).softmax(dim=1)
