"""Curves over thresholds, epochs and costs, bounded to what a plot can show."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit
from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_curve

from core.evaluation.intervals import NORMAL_QUANTILE, UNDEFINED, Score, wilson
from core.evaluation.levels import class_levels
from core.evaluation.probabilities import by_blocks
from core.evaluation.run import EvaluationRun

MAX_POINTS = 200


@dataclass(frozen=True, eq=False)
class Curve:
    """One line of a plot with at most 200 points: ROC (false against true positive rate) or recall against precision.

    ``area`` is over all thresholds. Where it is not defined (a class without an image) the curve has no points.
    """

    name: str  # a class, or "macro"
    x: np.ndarray  # (P,) ascending
    y: np.ndarray  # (P,)
    area: Score
    support: int  # images of the class


@dataclass(frozen=True)
class ClassCurves:
    """One curve a class, in the order of the labels, and the mean over the classes where it is defined."""

    classes: tuple[Curve, ...]
    macro: Curve


def roc_curves(run: EvaluationRun) -> ClassCurves:
    """Receiver operating characteristic of each class against the rest, by its probability.

    The areas' intervals are DeLong's (1988); the macro area is the mean of the areas, its interval from the mean of
    their influence values, which respects that all classes are judged on the same images.
    """
    of_cells: list[tuple[np.ndarray, np.ndarray]] = []  # shares in the error of each area, and whose share is which

    def of_class(found: _Levels) -> tuple[np.ndarray, np.ndarray, Score] | None:
        if not found.positives.any() or not found.negatives.any():
            return None
        truth, values, weights = found.stacked()
        false_rate, true_rate, _ = roc_curve(truth, values, sample_weight=weights)
        area = float(auc(false_rate, true_rate))
        influence = found.area_influence(area)
        of_cells.append((influence, found.cell))
        images = np.concatenate([found.negatives, found.positives])
        squares = float(images[images > 0] @ influence[images > 0] ** 2)
        return false_rate, true_rate, _area_score(area, squares, len(run))

    curves = tuple(_curves(run, of_class))
    areas = [c.area.value for c in curves if c.area.defined]
    macro = _area_score(float(np.mean(areas)), _squares_of_mean(of_cells, len(run)), len(run)) if areas else UNDEFINED
    return ClassCurves(curves, _averaged(curves, macro))


def pr_curves(run: EvaluationRun) -> ClassCurves:
    """Precision against recall of each class against the rest; the area is the average precision.

    The areas' intervals are the logit ones of Boyd, Eng & Page (2013). That of the mean over classes is the mean of
    theirs, as if all classes erred together: it is never too narrow, however they hang together.
    """

    def of_class(found: _Levels) -> tuple[np.ndarray, np.ndarray, Score] | None:
        positives = int(found.positives.sum())
        if not positives:
            return None
        truth, values, weights = found.stacked()
        precision, recall, _ = precision_recall_curve(truth, values, sample_weight=weights, drop_intermediate=True)
        area = float(average_precision_score(truth, values, sample_weight=weights))
        score = Score(area, n=len(found.cell))
        if 0 < area < 1:
            half = NORMAL_QUANTILE / math.sqrt(positives * area * (1 - area))
            low, high = expit(logit(area) - half), expit(logit(area) + half)
            score = Score(area, float(low), float(high), len(found.cell), "logit")
        return recall[::-1], precision[::-1], score

    curves = tuple(_curves(run, of_class))
    areas = [c.area for c in curves if c.area.defined]
    if not areas:
        return ClassCurves(curves, _averaged(curves, UNDEFINED))
    value, low, high = np.mean([(a.value, a.low, a.high) for a in areas], axis=0)
    return ClassCurves(curves, _averaged(curves, Score(float(value), float(low), float(high), len(run), "logit")))


def top_k(run: EvaluationRun) -> tuple[Score, ...]:
    """Share of images whose true class is among the k highest logits, k from 1 to K, with Wilson's intervals."""
    rows = np.arange(len(run))
    of_truth = run.logits[rows, run.truth][:, None]
    # Of equal logits the first class counts as higher, as in ``predicted``.
    before = np.arange(len(run.labels)) < run.truth[:, None]
    rank = (run.logits > of_truth).sum(axis=1) + ((run.logits == of_truth) & before).sum(axis=1)
    within = np.cumsum(np.bincount(rank, minlength=len(run.labels)))
    return tuple(wilson(int(hits), len(run)) for hits in within)


def smoothed(values: np.ndarray, weight: float) -> np.ndarray:
    """Exponential moving average of a learning curve (E,), corrected for its start; 0 leaves it as it is.

    NaN, an epoch without the figure, stays NaN and does not count.
    """
    if not 0 <= weight < 1:
        raise ValueError(f"a smoothing weight lies in 0 <= weight < 1, got {weight}")
    result, total, share = np.full(len(values), np.nan), 0.0, 0.0
    for i, value in enumerate(values):
        if not math.isnan(value):
            total, share = weight * total + (1 - weight) * value, weight * share + 1 - weight
            result[i] = total / share
    return result


def pareto_front(costs: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """(M,) bool: networks than which no other is as good in cost and score and better in one; NaN never is."""
    cost, score = np.asarray(costs, float), np.asarray(scores, float)
    no_worse = (cost[:, None] <= cost) & (score[:, None] >= score)
    better = (cost[:, None] < cost) | (score[:, None] > score)
    return np.asarray(~(no_worse & better).any(axis=0) & ~np.isnan(cost) & ~np.isnan(score))


@dataclass(frozen=True)
class _Levels:
    """The probabilities of one class as L levels with counts."""

    values: np.ndarray  # (L,) ascending
    cell: np.ndarray  # (N,) the level of each image, L more for the images of the class
    negatives: np.ndarray  # (L,) other images at the level
    positives: np.ndarray  # (L,) images of the class at the level

    @classmethod
    def of(cls, values: np.ndarray, level_of: np.ndarray, is_positive: np.ndarray) -> _Levels:
        cell = level_of + len(values) * is_positive.astype(np.int32)
        return cls(values, cell, *np.bincount(cell, minlength=2 * len(values)).reshape(2, -1))

    def stacked(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Truth, score and weight of each level's images, as scikit-learn takes them."""
        levels = len(self.values)
        truth = np.repeat([1, 0], levels)
        weights = np.concatenate([self.positives, self.negatives])
        return truth[weights > 0], np.tile(self.values, 2)[weights > 0], weights[weights > 0]

    def area_influence(self, area: float) -> np.ndarray:
        """(2 L,): the share in the area's error of an image in each cell; over the images the squares add up to
        DeLong's variance."""
        m, n = int(self.positives.sum()), int(self.negatives.sum())
        beaten = (np.cumsum(self.negatives) - self.negatives / 2) / n
        beaten_by = 1 - (np.cumsum(self.positives) - self.positives / 2) / m
        with np.errstate(divide="ignore", invalid="ignore"):
            of_positive = (beaten - area) / np.sqrt(np.float64(m) * (m - 1))
            of_negative = (beaten_by - area) / np.sqrt(np.float64(n) * (n - 1))
        return np.concatenate([of_negative, of_positive])


def _squares_of_mean(of_cells: Sequence[tuple[np.ndarray, np.ndarray]], n: int) -> float:
    """The sum over n images of the square of their mean share in the errors of the areas."""
    of_blocks: dict[int, float] = {}

    def fill(rows: slice) -> None:
        mean = sum((influence[cell[rows]] for influence, cell in of_cells), start=np.zeros(1)) / len(of_cells)
        of_blocks[rows.start] = float(mean @ mean)

    by_blocks(fill, n)
    return math.fsum(of_blocks.values())  # the same in whatever order the blocks came


def _area_score(area: float, squares: float, n: int) -> Score:
    if not math.isfinite(squares):  # a class with a single image
        return Score(area, n=n)
    half = NORMAL_QUANTILE * math.sqrt(squares)
    return Score(area, max(0.0, area - half), min(1.0, area + half), n, "DeLong")


def _curves(
    run: EvaluationRun, of_class: Callable[[_Levels], tuple[np.ndarray, np.ndarray, Score] | None]
) -> list[Curve]:
    curves = []
    of_classes = class_levels(run.logits, run.temperature)
    for k, (name, (values, level_of)) in enumerate(zip(run.labels.classes, of_classes, strict=True)):
        is_positive = run.truth == k
        found = of_class(_Levels.of(values, level_of, is_positive)) if len(run) else None
        x, y, area = found or (np.empty(0), np.empty(0), UNDEFINED)
        curves.append(Curve(name, *_thinned(x, y), area, int(is_positive.sum())))
    return curves


def _averaged(curves: tuple[Curve, ...], area: Score) -> Curve:
    """Mean height of the drawn curves over a common axis."""
    drawn = [c for c in curves if c.area.defined]
    x = np.linspace(0, 1, MAX_POINTS) if drawn else np.empty(0)
    y = np.mean([np.interp(x, c.x, c.y) for c in drawn], axis=0) if drawn else np.empty(0)
    return Curve("macro", x, y, area, sum(c.support for c in drawn))


def _thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most 200 of the points, evenly along the line: a steep start keeps its shape."""
    if len(x) <= MAX_POINTS:
        return x, y
    length = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    kept = np.unique(np.searchsorted(length, np.linspace(0, length[-1], MAX_POINTS)).clip(max=len(x) - 1))
    return x[kept], y[kept]
