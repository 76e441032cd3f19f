"""The usual scores of a classifier, each with its interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from core.evaluation.calibration import brier, expected_calibration_error, nll
from core.evaluation.confusion import ConfusionMatrix, resampled_counts
from core.evaluation.ensemble import mirror_averaged
from core.evaluation.intervals import RESAMPLES, SEED, UNDEFINED, Score, percentile_score, wilson
from core.evaluation.run import EvaluationRun


def accuracy(run: EvaluationRun) -> Score:
    """The share of correct predictions, with Wilson's interval."""
    return wilson(int(run.correct.sum()), len(run))


def macro_f1(run: EvaluationRun) -> Score:
    """The mean F1 of the classes that have images, with a percentile bootstrap interval."""
    return _macro(ConfusionMatrix.from_run(run).counts, _f1)


def balanced_accuracy(run: EvaluationRun) -> Score:
    """The mean recall of the classes that have images, with a percentile bootstrap interval."""
    return _macro(ConfusionMatrix.from_run(run).counts, _recall)


@dataclass(frozen=True)
class ClassScores:
    """One class against the others. A score that has nothing to count is not defined (NaN), not 0.

    Precision needs a prediction of the class, recall and F1 need an image of it. A class that has images and is never
    predicted has recall and F1 0 and no precision.
    """

    class_name: str
    support: int  # images of the class
    predicted: int  # images for which the class is predicted
    precision: Score
    recall: Score
    f1: Score


def per_class(run: EvaluationRun) -> tuple[ClassScores, ...]:
    """Precision and recall with Wilson's intervals and F1 with a bootstrap interval, per class in label order."""
    matrix = ConfusionMatrix.from_run(run)
    counts = matrix.counts
    support, predicted, hits = counts.sum(axis=1), counts.sum(axis=0), counts.diagonal()
    f1 = _f1(counts)
    resampled = _f1(resampled_counts(counts, RESAMPLES, SEED))
    return tuple(
        ClassScores(
            name,
            int(support[i]),
            int(predicted[i]),
            precision=wilson(int(hits[i]), int(predicted[i])),
            recall=wilson(int(hits[i]), int(support[i])),
            f1=percentile_score(float(f1[i]), resampled[:, i], matrix.n) if support[i] else UNDEFINED,
        )
        for i, name in enumerate(run.labels.classes)
    )


@dataclass(frozen=True)
class RunSummary:
    """The main scores of a network.

    ``ece`` uses 15 bins of equal mass. NLL, ECE and Brier's score are at the run's temperature, ``ece_before`` at
    temperature 1. ``accuracy_mirrored`` is that of the mean prediction for an image and its mirror image.
    ``absent_classes`` have no images and do not enter the means over classes.
    """

    n: int
    accuracy: Score
    macro_f1: Score
    balanced_accuracy: Score
    nll: Score
    ece: Score
    brier: Score
    accuracy_without_copies: Score | None = None  # None if copies in training are not known
    ece_before: Score | None = None
    accuracy_mirrored: Score | None = None  # None without predictions for mirror images
    mirrored_without_copies: Score | None = None
    absent_classes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """JSON values for a card; a score that is not defined has the value None."""
        scores = {k: v.to_json() if isinstance(v, Score) else v for k, v in vars(self).items()}
        return scores | {"absent_classes": list(self.absent_classes)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RunSummary:
        """The inverse of :meth:`to_json`; unknown keys are ignored."""
        known = {f.name: data[f.name] for f in fields(cls) if f.name in data}
        scores = {k: Score.from_json(v) if isinstance(v, Mapping) else v for k, v in known.items()}
        return cls(**scores | {"absent_classes": tuple(data.get("absent_classes", ()))})


def summarize(run: EvaluationRun) -> RunSummary:
    """All main scores of a run."""
    counts = ConfusionMatrix.from_run(run).counts
    averaged = None if run.mirrored is None else mirror_averaged(run)
    return RunSummary(
        n=len(run),
        accuracy=accuracy(run),
        macro_f1=_macro(counts, _f1),
        balanced_accuracy=_macro(counts, _recall),
        nll=nll(run),
        ece=expected_calibration_error(run),
        brier=brier(run),
        accuracy_without_copies=_accuracy_without_copies(run),
        ece_before=expected_calibration_error(run.uncalibrated),
        accuracy_mirrored=accuracy(averaged) if averaged else None,
        mirrored_without_copies=_accuracy_without_copies(averaged) if averaged else None,
        absent_classes=tuple(c for c, n in zip(run.labels.classes, counts.sum(axis=1), strict=True) if not n),
    )


def mirror_consistency(run: EvaluationRun) -> Score | None:
    """The share of images whose mirror image gets the same prediction, with Wilson's interval; None if the run has no
    logits of mirror images."""
    if run.mirrored is None:
        return None
    return wilson(int((run.mirrored.argmax(axis=1) == run.predicted).sum()), len(run))


def _accuracy_without_copies(run: EvaluationRun) -> Score | None:
    """Accuracy on the images without a copy in training; None if copies are not known."""
    if run.copy_in_train is None:
        return None
    correct = run.correct[~run.copy_in_train]
    return wilson(int(correct.sum()), len(correct))


def _macro(counts: np.ndarray, class_scores: Callable[[np.ndarray], np.ndarray]) -> Score:
    """The mean score of the classes that have images, with a bootstrap of the images."""
    value = float(_mean_of_defined(class_scores(counts)))
    resampled = _mean_of_defined(class_scores(resampled_counts(counts, RESAMPLES, SEED)))
    return percentile_score(value, resampled, int(counts.sum()))


def _recall(counts: np.ndarray) -> np.ndarray:
    """(..., K, K) -> (..., K); NaN for a class without images."""
    support = counts.sum(axis=-1)
    return _ratio(np.diagonal(counts, axis1=-2, axis2=-1), support, support > 0)


def _f1(counts: np.ndarray) -> np.ndarray:
    """(..., K, K) -> (..., K): 2 TP / (images + predictions); NaN for a class without images."""
    support, predicted = counts.sum(axis=-1), counts.sum(axis=-2)
    return _ratio(2 * np.diagonal(counts, axis1=-2, axis2=-1), support + predicted, support > 0)


def _ratio(numerator: np.ndarray, denominator: np.ndarray, defined: np.ndarray) -> np.ndarray:
    return np.asarray(np.divide(numerator, denominator, out=np.full(denominator.shape, np.nan), where=defined))


def _mean_of_defined(values: np.ndarray) -> np.ndarray:
    """The mean over the last axis, ignoring NaN; NaN if all are."""
    count = (~np.isnan(values)).sum(axis=-1)
    total = np.nansum(values, axis=-1)
    return np.asarray(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))
