"""How good a network is, in the field's usual figures, each with its interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from core.evaluation.calibration import brier, expected_calibration_error, nll
from core.evaluation.confusion import ConfusionMatrix, resampled_counts
from core.evaluation.intervals import RESAMPLES, SEED, UNDEFINED, Score, percentile_score, wilson
from core.evaluation.run import EvaluationRun


def accuracy(run: EvaluationRun) -> Score:
    """Share of right answers, with Wilson's interval."""
    return wilson(int(run.correct.sum()), len(run))


def macro_f1(run: EvaluationRun) -> Score:
    """Mean F1 over the classes that have images, with the percentile interval of a bootstrap of the images."""
    return _macro(ConfusionMatrix.from_run(run).counts, _f1)


def balanced_accuracy(run: EvaluationRun) -> Score:
    """Mean recall over the classes that have images, with the percentile interval of a bootstrap of the images."""
    return _macro(ConfusionMatrix.from_run(run).counts, _recall)


@dataclass(frozen=True)
class ClassScores:
    """One class against the rest. What has nothing to count is not defined (NaN), never 0.

    Precision needs an answer of that class, recall and F1 an image of it; a class with images that is never answered
    has recall and F1 of 0 and no precision.
    """

    class_name: str
    support: int  # images of the class
    answered: int  # images answered so
    precision: Score
    recall: Score
    f1: Score


def per_class(run: EvaluationRun) -> tuple[ClassScores, ...]:
    """Precision and recall with Wilson's, F1 with a bootstrap interval, for each class in the order of the labels."""
    matrix = ConfusionMatrix.from_run(run)
    counts = matrix.counts
    support, answered, hits = counts.sum(axis=1), counts.sum(axis=0), counts.diagonal()
    f1 = _f1(counts)
    resampled = _f1(resampled_counts(counts, RESAMPLES, SEED))
    return tuple(
        ClassScores(
            name,
            int(support[i]),
            int(answered[i]),
            precision=wilson(int(hits[i]), int(answered[i])),
            recall=wilson(int(hits[i]), int(support[i])),
            f1=percentile_score(float(f1[i]), resampled[:, i], matrix.n) if support[i] else UNDEFINED,
        )
        for i, name in enumerate(run.labels.classes)
    )


@dataclass(frozen=True)
class RunSummary:
    """The figures that a network is introduced with. ``ece`` has 15 bins of equal mass; NLL, ECE and Brier's score are
    at the run's temperature, ``ece_before`` at 1. ``accuracy_mirrored`` is that of the mean answer for an image and its
    mirror image. ``absent_classes`` had no image and are not in the means over classes."""

    n: int
    accuracy: Score
    macro_f1: Score
    balanced_accuracy: Score
    nll: Score
    ece: Score
    brier: Score
    accuracy_without_copies: Score | None = None  # None where copies in training are not known
    ece_before: Score | None = None
    accuracy_mirrored: Score | None = None  # None where mirror images were not answered
    mirrored_without_copies: Score | None = None
    absent_classes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values, for a card; what is not defined is None."""
        scores = {k: v.to_json() if isinstance(v, Score) else v for k, v in vars(self).items()}
        return scores | {"absent_classes": list(self.absent_classes)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RunSummary:
        """The inverse of :meth:`to_json`; what it does not know is left aside."""
        known = {f.name: data[f.name] for f in fields(cls) if f.name in data}
        scores = {k: Score.from_json(v) if isinstance(v, Mapping) else v for k, v in known.items()}
        return cls(**scores | {"absent_classes": tuple(data.get("absent_classes", ()))})


def summarize(run: EvaluationRun) -> RunSummary:
    """All headline figures of a run."""
    counts = ConfusionMatrix.from_run(run).counts
    averaged = None if run.mirrored is None else run.mirror_averaged()
    return RunSummary(
        n=len(run),
        accuracy=accuracy(run),
        macro_f1=_macro(counts, _f1),
        balanced_accuracy=_macro(counts, _recall),
        nll=nll(run),
        ece=expected_calibration_error(run.confidence, run.correct),
        brier=brier(run),
        accuracy_without_copies=_without_copies(run),
        ece_before=expected_calibration_error(run.raw_confidence, run.correct),
        accuracy_mirrored=accuracy(averaged) if averaged else None,
        mirrored_without_copies=_without_copies(averaged) if averaged else None,
        absent_classes=tuple(c for c, n in zip(run.labels.classes, counts.sum(axis=1), strict=True) if not n),
    )


def _without_copies(run: EvaluationRun) -> Score | None:
    """Accuracy on the images without a copy in training; None where copies are not known."""
    if run.copy_in_train is None:
        return None
    right = run.correct[~run.copy_in_train]
    return wilson(int(right.sum()), len(right))


def _macro(counts: np.ndarray, figure: Callable[[np.ndarray], np.ndarray]) -> Score:
    """Mean of a figure over the classes that have images; with a bootstrap of the images."""
    value = float(_mean_defined(figure(counts)))
    resampled = _mean_defined(figure(resampled_counts(counts, RESAMPLES, SEED)))
    return percentile_score(value, resampled, int(counts.sum()))


def _recall(counts: np.ndarray) -> np.ndarray:
    """(..., K, K) -> (..., K); NaN for a class without images."""
    support = counts.sum(axis=-1)
    return _ratio(np.diagonal(counts, axis1=-2, axis2=-1), support, support > 0)


def _f1(counts: np.ndarray) -> np.ndarray:
    """(..., K, K) -> (..., K): 2 TP / (images + answers); NaN for a class without images."""
    support, answered = counts.sum(axis=-1), counts.sum(axis=-2)
    return _ratio(2 * np.diagonal(counts, axis1=-2, axis2=-1), support + answered, support > 0)


def _ratio(numerator: np.ndarray, denominator: np.ndarray, defined: np.ndarray) -> np.ndarray:
    return np.asarray(np.divide(numerator, denominator, out=np.full(denominator.shape, np.nan), where=defined))


def _mean_defined(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis of what is defined; NaN where nothing is."""
    defined = ~np.isnan(values)
    total = np.where(defined, values, 0).sum(axis=-1)
    count = defined.sum(axis=-1)
    return np.asarray(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))
