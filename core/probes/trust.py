"""How far the saliency map of one face can be trusted: the measures of ``core.explain`` for an analyzed face."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.explain import (
    ChanceResult,
    ConfidenceDrop,
    Explanation,
    FaithfulnessCurves,
    RandomizationStep,
    RoadCurves,
    Target,
    cascading_randomization,
    chance_test,
    confidence_drop,
    deletion_insertion,
    distinct_methods,
    method_named,
    rank_agreement,
    road,
)
from core.inference import FaceAnalysis, Predictor, explain_face, input_tensor


@dataclass(frozen=True, eq=False)
class FaithfulnessMeasures:
    """The quick measures of one map, all in terms of the probability that the map explains
    (:func:`explained_probability`)."""

    explanation: Explanation
    curves: FaithfulnessCurves
    road: RoadCurves
    drop: ConfidenceDrop


@dataclass(frozen=True, eq=False)
class MethodAgreement:
    """Spearman's rank correlation between the maps of M methods; methods with the same map are counted once."""

    methods: tuple[str, ...]  # titles; those with the same map joined into one
    correlation: np.ndarray  # (M, M), NaN for a constant map


@dataclass(frozen=True, eq=False)
class TrustFindings:
    """The measurements of one map; None for what has not been measured."""

    measures: FaithfulnessMeasures | None = None
    chance: ChanceResult | None = None
    agreement: MethodAgreement | None = None
    randomization: tuple[RandomizationStep, ...] | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing has been measured."""
        return self.measures is None and self.chance is None and self.agreement is None and self.randomization is None


def measure_faithfulness(predictor: Predictor, face: FaceAnalysis, explanation: Explanation) -> FaithfulnessMeasures:
    """Deletion, insertion, ROAD and the drop in confidence. Raises ExplainError for a constant map."""
    (predict, k), pixels = explained_probability(predictor, explanation), input_tensor(predictor, face)[0]
    heatmap = explanation.heatmap
    return FaithfulnessMeasures(
        explanation=explanation,
        curves=deletion_insertion(predict, pixels, heatmap, k),
        road=road(predict, pixels, heatmap, k),
        drop=confidence_drop(predict, pixels, heatmap, k),
    )


def compare_with_chance(
    predictor: Predictor,
    face: FaceAnalysis,
    explanation: Explanation,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> ChanceResult:
    """The chance test of one map; see ``core.explain.chance_test``. Raises ExplainError for a constant map."""
    (predict, k), pixels = explained_probability(predictor, explanation), input_tensor(predictor, face)[0]
    return chance_test(predict, pixels, explanation.heatmap, k, progress=progress)


def method_agreement(
    predictor: Predictor,
    face: FaceAnalysis,
    target: Target,
    stage: str,
    methods: Sequence[str],
    *,
    known: Explanation | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> MethodAgreement:
    """How far the maps of several methods agree. ``known`` is a map of that target that has already been computed and
    is used for its method. ``progress(done, total)`` counts methods. Raises ExplainError.
    """
    groups = distinct_methods(methods, predictor.network, stage)
    maps = []
    for number, group in enumerate(groups):
        if progress is not None:
            progress(number, len(groups))
        if known is not None and known.method in group:
            maps.append(known.heatmap)
        else:
            (found,) = explain_face(predictor, face, method=group[0], stage=stage, targets=target)
            maps.append(found.heatmap)
    titles = tuple(" = ".join(method_named(name).title for name in group) for group in groups)
    return MethodAgreement(titles, rank_agreement(maps))


def randomization_check(
    predictor: Predictor,
    face: FaceAnalysis,
    target: Target,
    stage: str,
    method: str = "gradcam",
    *,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[RandomizationStep, ...]:
    """Rank correlation of a map with the maps of the same network while its weights are randomized layer by layer.

    See ``core.explain.cascading_randomization``, also for errors.
    """
    with predictor.lock:
        return cascading_randomization(
            predictor.network,
            input_tensor(predictor, face),
            target,
            stage,
            method=method,
            progress=progress,
        )


def explained_probability(predictor: Predictor, explanation: Explanation) -> tuple[Callable[[Tensor], Tensor], int]:
    """The probability that measures what a map explains: a function faces (N, channels, S, S) -> (N, classes), and
    the column in question.

    For a class this is its calibrated probability. A contrast explains logit a - logit b, while a's probability among
    all classes may fall as that difference rises. Its measure is the probability of a when only a and b are possible,
    p_a / (p_a + p_b): the logistic function of the difference over the temperature, which rises with the difference
    alone and lies between 0 and 1.
    """
    of_all, a, b = probability_of(predictor), explanation.class_index, explanation.against
    if b is None:
        return of_all, a

    def of_two(faces: Tensor) -> Tensor:
        return _probabilities(predictor, faces, [a, b])

    return of_two, 0


def probability_of(predictor: Predictor) -> Callable[[Tensor], Tensor]:
    """A function from network inputs (N, channels, S, S) to calibrated probabilities (N, K)."""
    return lambda faces: _probabilities(predictor, faces, slice(None))


def _probabilities(predictor: Predictor, faces: Tensor, among: list[int] | slice) -> Tensor:
    logits: Tensor = predictor.network(faces.contiguous(memory_format=torch.channels_last)).logits
    return (logits[:, among] / predictor.card.temperature).softmax(dim=1)
