"""Curves over thresholds, epochs and costs, with at most 200 points each."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.evaluation.intervals import UNDEFINED, Score, auc_score, average_precision_score, mean_of_scores, wilson
from core.evaluation.run import EvaluationRun
from core.evaluation.thresholds import ThresholdCounts

MAX_POINTS = 200
MACRO = "macro"


@dataclass(frozen=True, eq=False)
class Curve:
    """A ROC curve (true against false positive rate) or a precision-recall curve, with at most 200 points.

    ``area`` is computed from all thresholds. If it is not defined (a class without images), there are no points.
    """

    name: str  # a class, or "macro"
    x: np.ndarray  # (P,) ascending
    y: np.ndarray  # (P,)
    area: Score
    support: int  # images of the class


@dataclass(frozen=True)
class ClassCurves:
    """One curve per class in the order of the labels, and the mean of the classes for which it is defined."""

    classes: tuple[Curve, ...]
    macro: Curve


def roc_curves(run: EvaluationRun) -> ClassCurves:
    """The receiver operating characteristic of each class against the others, by its probability.

    Intervals of the areas: :func:`core.evaluation.intervals.auc_score`. The macro area is the mean of the areas; its
    interval takes into account that all classes are evaluated on the same images.
    """
    influences: list[np.ndarray] = []

    def class_curve(counts: ThresholdCounts) -> tuple[np.ndarray, np.ndarray, Score]:
        m, n = int(counts.positives.sum()), int(counts.negatives.sum())
        if not m or not n:
            return np.empty(0), np.empty(0), UNDEFINED
        false_positives, true_positives = (np.concatenate([[0], c]) for c in counts.at_or_above())
        above, below = counts.placements()
        area = float(counts.positives @ above) / m
        of_positives = float(counts.positives @ (above - area) ** 2) / m
        of_negatives = float(counts.negatives @ (below - area) ** 2) / n
        variance = of_positives / (m - 1) + of_negatives / (n - 1) if min(m, n) > 1 else math.nan
        # What each image contributes to the deviation of the area.
        by_score = np.concatenate([(below - area) / n, (above - area) / m])
        influences.append(by_score[counts.index + len(above) * counts.is_positive])
        return false_positives / n, true_positives / m, auc_score(area, variance, m, n)

    curves = _class_curves(run, class_curve)
    areas = [c.area for c in curves if c.area.defined]
    macro = mean_of_scores(areas, _correlation(influences), len(run)) if areas else UNDEFINED
    return ClassCurves(curves, _mean_curve(curves, macro))


def pr_curves(run: EvaluationRun) -> ClassCurves:
    """Precision against recall of each class against the others; the area is the average precision.

    The interval of the macro area assumes that the average precisions of all classes deviate together, so that it is
    never too narrow.
    """

    def class_curve(counts: ThresholdCounts) -> tuple[np.ndarray, np.ndarray, Score]:
        m = int(counts.positives.sum())
        if not m:
            return np.empty(0), np.empty(0), UNDEFINED
        false_positives, true_positives = counts.at_or_above()
        predicted = false_positives + true_positives
        used = predicted > 0
        precision, recall = true_positives[used] / predicted[used], true_positives[used] / m
        area = min(float(np.diff(recall, prepend=0) @ precision), 1.0)  # rounding can exceed it
        # As scikit-learn does, the curve starts at recall 0 with precision 1.
        points = np.concatenate([[0], recall]), np.concatenate([[1], precision])
        return *points, average_precision_score(area, m, len(run))

    curves = _class_curves(run, class_curve)
    areas = [c.area for c in curves if c.area.defined]
    if not areas:
        return ClassCurves(curves, _mean_curve(curves, UNDEFINED))
    value, low, high = np.mean([(a.value, a.low, a.high) for a in areas], axis=0)
    return ClassCurves(curves, _mean_curve(curves, Score(float(value), float(low), float(high), len(run), "Wilson")))


def top_k(run: EvaluationRun) -> tuple[Score, ...]:
    """The share of images whose true class is among the k highest logits, for k from 1 to K, with Wilson's intervals.

    Of equal logits the first class ranks higher, as in ``run.predicted``.
    """
    of_truth = np.take_along_axis(run.logits, run.truth[:, None], axis=1)
    before_truth = np.arange(len(run.labels)) < run.truth[:, None]
    rank = ((run.logits > of_truth) | ((run.logits == of_truth) & before_truth)).sum(axis=1)
    hits = np.cumsum(np.bincount(rank, minlength=len(run.labels)))
    return tuple(wilson(int(h), len(run)) for h in hits)


def smoothed(values: np.ndarray, weight: float) -> np.ndarray:
    """The exponential moving average of a learning curve (E,), corrected for its start; weight 0 changes nothing.

    NaN marks an epoch without a value: it stays NaN and does not enter the average.
    """
    if not 0 <= weight < 1:
        raise ValueError(f"a smoothing weight must satisfy 0 <= weight < 1, got {weight}")
    average = pd.Series(values).ewm(alpha=1 - weight, ignore_na=True).mean()
    return np.where(np.isnan(values), np.nan, average)


def pareto_front(costs: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """(M,) bool: the Pareto-optimal networks. No other network has at most their cost and at least their score, and is
    better in one of them. A network with NaN is never optimal."""
    cost, score = np.asarray(costs, float), np.asarray(scores, float)
    no_worse = (cost[:, None] <= cost) & (score[:, None] >= score)
    better = (cost[:, None] < cost) | (score[:, None] > score)
    return np.asarray(~(no_worse & better).any(axis=0) & ~np.isnan(cost) & ~np.isnan(score))


def _class_curves(
    run: EvaluationRun, class_curve: Callable[[ThresholdCounts], tuple[np.ndarray, np.ndarray, Score]]
) -> tuple[Curve, ...]:
    curves = []
    for k, name in enumerate(run.labels.classes):
        counts = ThresholdCounts.of(run.probabilities[:, k], run.truth == k)
        x, y, area = class_curve(counts)
        curves.append(Curve(name, *_thinned(x, y), area, int(counts.positives.sum())))
    return tuple(curves)


def _mean_curve(curves: tuple[Curve, ...], area: Score) -> Curve:
    """The mean height of the curves that are defined, on a common axis."""
    drawn = [c for c in curves if c.area.defined]
    x = np.linspace(0, 1, MAX_POINTS) if drawn else np.empty(0)
    y = np.mean([np.interp(x, c.x, c.y) for c in drawn], axis=0) if drawn else np.empty(0)
    return Curve(MACRO, x, y, area, sum(c.support for c in drawn))


def _thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most 200 of the points, evenly along the length of the line, so that a steep start keeps its shape."""
    if len(x) <= MAX_POINTS:
        return x, y
    length = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    chosen = np.unique(np.searchsorted(length, np.linspace(0, length[-1], MAX_POINTS)).clip(max=len(x) - 1))
    return x[chosen], y[chosen]


def _correlation(influences: list[np.ndarray]) -> np.ndarray:
    """(C, C): the correlation of C statistics, from each image's contribution to them, (N,) each."""
    covariance = np.array([[a @ b for b in influences] for a in influences])
    scale = np.sqrt(covariance.diagonal())
    product = np.outer(scale, scale)
    correlation = np.divide(covariance, product, out=np.zeros_like(covariance), where=product > 0)
    np.fill_diagonal(correlation, 1.0)
    return np.asarray(correlation)
