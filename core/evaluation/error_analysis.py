"""Predictions image by image, the disagreement of networks, and labels that are likely wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import entr

from core.errors import EvaluationError
from core.evaluation.calibration import losses
from core.evaluation.confusion import resampled_counts
from core.evaluation.ensemble import paired
from core.evaluation.intervals import RESAMPLES, SEED, UNDEFINED, Score, percentile_score
from core.evaluation.run import EvaluationRun
from core.labels import LabelSet


def disagreement(runs: Sequence[EvaluationRun]) -> np.ndarray:
    """(N,) bits: the :func:`divergence_bits` of the runs' probabilities for each image.

    Raises EvaluationError if the runs cannot be paired.
    """
    if not runs:
        raise EvaluationError("a disagreement needs at least one network, got none")
    return divergence_bits([run.probabilities for run in paired(runs)])


def divergence_bits(distributions: Sequence[np.ndarray]) -> np.ndarray:
    """(...) bits: the Jensen-Shannon divergence (Lin 1991) of M distributions (..., K), equally weighted.

    The entropy of their mean minus the mean of their entropies: 0 where all are equal, at most log2 M. NaN where a
    distribution contains NaN.
    """
    mean = sum(distributions[1:], start=distributions[0]) / len(distributions)
    mean_entropy = sum(entr(p).sum(axis=-1) for p in distributions) / len(distributions)
    nats = entr(mean).sum(axis=-1) - mean_entropy
    return np.asarray((nats / np.log(2)).clip(min=0))  # rounding may give a small negative number


def error_table(
    run: EvaluationRun, others: Sequence[EvaluationRun] = (), networks: Sequence[EvaluationRun] = ()
) -> pd.DataFrame:
    """One row per image in the order of the run, correct predictions included.

    Columns: image_id, true, predicted, correct, confidence (of the prediction), probability_of_true, loss (nats),
    disagreement (bits), and for each other run ``predicted_<model_id>`` and ``confidence_<model_id>``. ``networks``
    are the runs among which the disagreement is computed, by default the run and the others; give them if one of these
    is an ensemble, which is not an independent network. Raises EvaluationError if the runs cannot be paired.
    """
    aligned = paired([run, *others])
    among = paired([run, *networks])[1:] if networks else aligned
    table = pd.DataFrame(
        {
            "image_id": run.image_ids,
            "true": _class_names(run.truth, run.labels),
            "predicted": _class_names(run.predicted, run.labels),
            "correct": run.correct,
            "confidence": run.confidence,
            "probability_of_true": run.true_probability,
            "loss": losses(run),
            "disagreement": disagreement(among),
        },
        copy=False,
    )
    for other in aligned[1:]:
        table[f"predicted_{other.model_id}"] = _class_names(other.predicted, run.labels)
        table[f"confidence_{other.model_id}"] = other.confidence
    return table


@dataclass(frozen=True, eq=False)
class LabelIssues:
    """Labels that are likely wrong.

    ``table`` has the columns image_id, given, suggested, probability_of_given and margin (how much more probable the
    suggested class is), with the largest margin first.
    """

    labels: LabelSet
    table: pd.DataFrame
    confident_joint: np.ndarray  # (K, K) int64, images by given label (rows) and confidently predicted class (columns)
    joint: np.ndarray  # (K, K) float64, estimated shares of given and true labels, sums to 1
    estimated_share: Score  # of images with a wrong label, with a bootstrap interval


def likely_label_errors(run: EvaluationRun) -> LabelIssues:
    """Confident learning (Northcutt et al. 2021, section 3): images that are confidently predicted as another class.

    An image is counted for the class j if its probability of j reaches the mean probability of j among the images
    labeled j; of several such classes for the most probable one. The images off the diagonal of this confident joint
    are listed. The network must not have been trained on these images.
    """
    n, k = len(run), len(run.labels)
    probabilities, rows = run.probabilities, np.arange(n)
    support = np.bincount(run.truth, minlength=k)
    of_given = run.true_probability
    # For a class without images there is no mean probability, and no image is counted.
    thresholds = np.divide(np.bincount(run.truth, of_given, k), support, out=np.full(k, np.inf), where=support > 0)
    # The mean of equal numbers may be larger than they are by rounding.
    candidates = np.where(probabilities >= thresholds - 1e-12, probabilities, -1.0)
    suggested = candidates.argmax(axis=1)
    counted = candidates[rows, suggested] >= 0
    confident = np.bincount(run.truth[counted] * k + suggested[counted], minlength=k * k).reshape(k, k)

    listed = np.flatnonzero(counted & (suggested != run.truth))
    table = pd.DataFrame(
        {
            "image_id": run.image_ids[listed],
            "given": _class_names(run.truth[listed], run.labels),
            "suggested": _class_names(suggested[listed], run.labels),
            "probability_of_given": of_given[listed],
            "margin": probabilities[listed, suggested[listed]] - of_given[listed],
        }
    )
    table = table.sort_values("margin", ascending=False, kind="stable", ignore_index=True)
    joint = _estimated_joint(confident, support)
    share = _wrong_label_share(1 - float(np.trace(joint)), confident, support)
    return LabelIssues(run.labels, table, confident, joint, share)


def _estimated_joint(confident: np.ndarray, support: np.ndarray) -> np.ndarray:
    """The confident joint with each row scaled to the share of its label among all images."""
    counted = confident.sum(axis=1, keepdims=True)
    # If no image of a label was counted, the label is assumed to be right.
    shares = np.divide(confident, counted, out=np.eye(len(support)), where=counted > 0)
    return np.asarray(shares * (support / max(1, support.sum()))[:, None])


def _wrong_label_share(value: float, confident: np.ndarray, support: np.ndarray) -> Score:
    """The share off the diagonal of the joint, with a bootstrap of the images; the thresholds stay the same."""
    n, k = int(support.sum()), len(support)
    if not n:
        return UNDEFINED
    uncounted = support - confident.sum(axis=1)
    drawn = resampled_counts(np.column_stack([confident, uncounted]), RESAMPLES, SEED)
    counted = drawn[..., :k].sum(axis=-1)
    on_diagonal = np.diagonal(drawn, axis1=-2, axis2=-1)
    right = np.divide(on_diagonal, counted, out=np.ones(counted.shape), where=counted > 0)
    return percentile_score(value, 1 - (right * drawn.sum(axis=-1)).sum(axis=-1) / n, n)


def _class_names(positions: np.ndarray, labels: LabelSet) -> pd.Categorical[str]:
    return pd.Categorical.from_codes(positions, categories=pd.Index(labels.classes))
