"""The mistakes one by one: which images, how sure, and whether the label may be what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.errors import EvaluationError
from core.evaluation.calibration import losses
from core.evaluation.confusion import resampled_counts
from core.evaluation.ensemble import paired
from core.evaluation.intervals import RESAMPLES, SEED, UNDEFINED, Score, percentile_score
from core.evaluation.probabilities import divergence
from core.evaluation.run import EvaluationRun
from core.labels import LabelSet


def disagreement(runs: Sequence[EvaluationRun]) -> np.ndarray:
    """(N,) bits: the Jensen-Shannon divergence (Lin 1991) of the runs' probabilities for each image, equally weighted.

    0 where all say the same; at most log2 of the number of runs. Raises EvaluationError for runs that cannot be paired.
    """
    if not runs:
        raise EvaluationError("a disagreement needs at least one network, got none")
    members = paired(runs)
    nats = divergence([m.logits for m in members], [m.temperature for m in members])
    return np.asarray((nats / np.log(2)).clip(min=0))


def error_table(run: EvaluationRun, others: Sequence[EvaluationRun] = ()) -> pd.DataFrame:
    """One row an image, in the run's order, right answers included.

    Columns: image_id, true, predicted, correct, confidence (of the prediction), probability_of_true, loss (nats),
    disagreement (bits, among the run and the others; 0 without others), and for each other ``predicted_<model_id>``
    and ``confidence_<model_id>``.
    """
    table = pd.DataFrame(
        {
            "image_id": run.image_ids,
            "true": _named(run.truth, run.labels),
            "predicted": _named(run.predicted, run.labels),
            "correct": run.correct,
            "confidence": run.confidence,
            "probability_of_true": run.of_truth,
            "loss": losses(run.of_truth),
            "disagreement": disagreement([run, *others]) if others else np.zeros(len(run)),
        },
        copy=False,
    )
    for other in others:
        answers = run.paired_with(other)[1]
        table[f"predicted_{other.model_id}"] = _named(answers.predicted, run.labels)
        table[f"confidence_{other.model_id}"] = answers.confidence
    return table


def confident_mistakes(table: pd.DataFrame, count: int = 50) -> pd.DataFrame:
    """The wrong rows of an :func:`error_table`, the most confident first."""
    return table[~table["correct"]].nlargest(count, "confidence")


@dataclass(frozen=True, eq=False)
class LabelIssues:
    """Labels that are likely wrong. ``table``: image_id, given, suggested, probability_of_given, margin (how much more
    probable the suggestion is), the widest margin first."""

    labels: LabelSet
    table: pd.DataFrame
    confident_joint: np.ndarray  # (K, K) int64, images by given label (rows) and by what they confidently look like
    joint: np.ndarray  # (K, K) float64, estimated shares of given and true label, sums to 1

    estimated_share: Score  # of images with a wrong label, with the interval of a bootstrap of the images


def likely_label_errors(run: EvaluationRun) -> LabelIssues:
    """Confident learning (Northcutt et al. 2021, section 3): images that confidently look like another class.

    An image counts for class j if its probability of j reaches the mean probability of j among images labeled j; of
    several such classes the most probable. What then lies off the diagonal of the confident joint is listed. The
    network must not have been trained on these images.
    """
    n, k = len(run), len(run.labels)
    probabilities, rows = run.probabilities, np.arange(n)
    support = np.bincount(run.truth, minlength=k)
    of_given = run.of_truth
    # A class nobody was given has no typical confidence: nothing is counted for it.
    thresholds = np.divide(np.bincount(run.truth, of_given, k), support, out=np.full(k, np.inf), where=support > 0)
    # A mean of equal numbers may come out above them by a rounding.
    candidates = np.where(probabilities >= thresholds - 1e-12, probabilities, -1.0)
    looks_like = candidates.argmax(axis=1)
    counted = candidates[rows, looks_like] >= 0
    confident = np.zeros((k, k), np.int64)
    np.add.at(confident, (run.truth[counted], looks_like[counted]), 1)

    listed = np.flatnonzero(counted & (looks_like != run.truth))
    table = pd.DataFrame(
        {
            "image_id": run.image_ids[listed],
            "given": _named(run.truth[listed], run.labels),
            "suggested": _named(looks_like[listed], run.labels),
            "probability_of_given": of_given[listed],
            "margin": probabilities[listed, looks_like[listed]] - of_given[listed],
        }
    )
    table = table.sort_values("margin", ascending=False, kind="stable", ignore_index=True)
    joint = _calibrated(confident, support)
    return LabelIssues(
        run.labels, table, confident, joint, _wrong_share(1 - float(np.trace(joint)), confident, support)
    )


def _wrong_share(value: float, confident: np.ndarray, support: np.ndarray) -> Score:
    """The share that the joint leaves off its diagonal, with resamples of the images; the thresholds stay."""
    n, k = int(support.sum()), len(support)
    if not n:
        return UNDEFINED
    uncounted = support - confident.sum(axis=1)
    drawn = resampled_counts(np.column_stack([confident, uncounted]), RESAMPLES, SEED)
    counted = drawn[..., :k].sum(axis=-1)
    looks_right = np.diagonal(drawn, axis1=-2, axis2=-1)
    right = np.divide(looks_right, counted, out=np.ones(counted.shape), where=counted > 0)
    return percentile_score(value, 1 - (right * drawn.sum(axis=-1)).sum(axis=-1) / n, n)


def _calibrated(confident: np.ndarray, support: np.ndarray) -> np.ndarray:
    """The confident joint with each row scaled to its label's share of all images."""
    counted = confident.sum(axis=1, keepdims=True)
    # A label none of whose images was counted is taken as it was given.
    shares = np.divide(confident, counted, out=np.eye(len(support)), where=counted > 0)
    return np.asarray(shares * (support / max(1, support.sum()))[:, None])


def _named(positions: np.ndarray, labels: LabelSet) -> pd.Categorical[str]:
    return pd.Categorical.from_codes(positions, categories=pd.Index(labels.classes))
