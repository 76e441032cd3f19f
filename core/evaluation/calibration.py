"""Whether the confidence of a network matches its accuracy, and what abstaining at low confidence gains."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax

from core.errors import EvaluationError
from core.evaluation.curves import MAX_POINTS
from core.evaluation.intervals import (
    CONFIDENCE,
    NORMAL_QUANTILE,
    RESAMPLES,
    SEED,
    UNDEFINED,
    Score,
    mean_score,
    wilson,
    wilson_bounds,
)
from core.evaluation.run import EvaluationRun

TEMPERATURE_RANGE = (0.05, 20.0)
SCHEMES = ("equal_mass", "equal_width")
BINS = 15
REQUIRED_ACCURACY = 0.8  # of the predictions that are called sure, unless the user chooses another one


def fit_temperature(logits: np.ndarray, truth: np.ndarray) -> float:
    """The temperature with the smallest negative log-likelihood, from 0.05 to 20 (Guo et al. 2017).

    ``logits`` (N, K), ``truth`` (N,). Fit it on validation images, never on the images that it is reported for. Raises
    EvaluationError without images.
    """
    from scipy.optimize import minimize_scalar  # not above: importing it takes a fifth of a second

    if not len(truth):
        raise EvaluationError("a temperature needs at least one image, got none")
    rows, scores = np.arange(len(truth)), np.asarray(logits, np.float64)

    def loss(log_temperature: float) -> float:
        return float(-log_softmax(scores / np.exp(log_temperature), axis=1)[rows, truth].mean())

    best = minimize_scalar(loss, bounds=np.log(TEMPERATURE_RANGE), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(best.x))


def nll(run: EvaluationRun) -> Score:
    """The mean negative log-likelihood of the true classes (cross-entropy) in nats."""
    return mean_score(losses(run), (0, math.inf))


def losses(run: EvaluationRun) -> np.ndarray:
    """(N,) nats: the negative log-likelihood of each image, at most 708, so that the loss of a probability of 0 is
    finite."""
    return np.asarray(-np.log(np.maximum(run.true_probability, np.finfo(np.float64).tiny)))


def brier(run: EvaluationRun) -> Score:
    """Brier's (1950) score for K classes: the squared distance of the probabilities to the one-hot truth, 0 to 2."""
    squares = np.einsum("nk,nk->n", run.probabilities, run.probabilities)
    return mean_score(squares - 2 * run.true_probability + 1, (0, 2))


@dataclass(frozen=True, eq=False)
class ReliabilityDiagram:
    """Accuracy against confidence in B bins with at least one image each; the interval is Wilson's."""

    confidence: np.ndarray  # (B,) mean confidence in the bin
    accuracy: np.ndarray  # (B,)
    low: np.ndarray  # (B,)
    high: np.ndarray  # (B,)
    count: np.ndarray  # (B,) images
    ece: Score
    scheme: str


def reliability(run: EvaluationRun, bins: int = BINS, scheme: str = "equal_mass") -> ReliabilityDiagram:
    """The reliability diagram of the predicted classes' probabilities, at the run's temperature.

    ``run.uncalibrated`` gives the diagram before temperature scaling. Raises EvaluationError for unknown bins.
    """
    binned = _Bins.of(run, bins, scheme)
    used = np.flatnonzero(binned.count)
    count, correct = binned.count[used], binned.correct[used]
    accuracy = correct / count
    low, high = wilson_bounds(correct, count)
    return ReliabilityDiagram(
        confidence=binned.confidence[used] / count,
        accuracy=accuracy,
        low=np.minimum(low, accuracy),
        high=np.maximum(high, accuracy),
        count=count,
        ece=_calibration_error(binned),
        scheme=scheme,
    )


def expected_calibration_error(run: EvaluationRun, bins: int = BINS, scheme: str = "equal_mass") -> Score:
    """The mean gap between confidence and accuracy over bins of confidence (Naeini et al. 2015; Guo et al. 2017).

    ``equal_mass`` bins hold equally many images, ``equal_width`` bins split [0, 1] evenly. The error is biased upward:
    chance alone gives a perfectly calibrated network an error above 0. Therefore the lower bound is the smallest error
    for which the observed one is not unusual: the observed gaps are scaled down until 2.5 % of the simulated errors
    reach the observed one; it is 0 if a perfectly calibrated network reaches it that often. The upper bound adds the
    simulated spread without correcting the bias, which makes it a little too wide. The sums of the bins are simulated
    by their normal limit.
    """
    return _calibration_error(_Bins.of(run, bins, scheme))


@dataclass(frozen=True, eq=False)
class _Bins:
    """Sums over the predictions in each of B bins of confidence."""

    count: np.ndarray  # (B,) int64
    correct: np.ndarray  # (B,)
    confidence: np.ndarray  # (B,)
    squared_gap: np.ndarray  # (B,) of correct - confidence

    @classmethod
    def of(cls, run: EvaluationRun, bins: int, scheme: str) -> _Bins:
        if bins < 1:
            raise EvaluationError(f"a calibration error needs at least 1 bin, got {bins}")
        if scheme not in SCHEMES:
            raise EvaluationError(f"the bins must be {' or '.join(SCHEMES)}, got {scheme!r}")
        confidence, of_correct = np.sort(run.confidence), np.sort(run.confidence[run.correct])
        edges = np.linspace(0, 1, bins + 1)[1:-1]
        if scheme == "equal_mass" and len(confidence):
            # np.quantile of sorted numbers
            edges = np.interp(edges * (len(confidence) - 1), np.arange(len(confidence)), confidence)

        def sums(values: np.ndarray) -> np.ndarray:
            """(B, 3): number, sum and sum of squares of the sorted values in each bin; equal values share a bin."""
            stops = (0, *np.searchsorted(values, edges, side="right"), len(values))
            parts = [values[start:stop] for start, stop in itertools.pairwise(stops)]
            return np.array([(len(part), part.sum(), part @ part) for part in parts])

        (count, total, squares), (correct, total_of_correct, _) = sums(confidence).T, sums(of_correct).T
        return cls(count.astype(np.int64), correct, total, squares - 2 * total_of_correct + correct)


def _calibration_error(binned: _Bins) -> Score:
    n = int(binned.count.sum())
    if not n:
        return UNDEFINED
    gaps = binned.correct - binned.confidence
    value = float(np.abs(gaps).sum() / n)
    covariance = np.diag(binned.squared_gap) - np.outer(gaps, gaps) / n
    rng = np.random.default_rng(SEED)
    noise = rng.multivariate_normal(np.zeros(len(gaps)), covariance, RESAMPLES, check_valid="ignore")

    def simulated(factor: float) -> np.ndarray:
        """Errors that other images would give if the true gaps were ``factor`` times the observed ones."""
        return np.asarray(np.abs(factor * gaps + noise).sum(axis=1) / n)

    tail = 0.5 - CONFIDENCE / 2
    # The smallest factor for which the observed error is not unusual, by bisection.
    low, at_most = 0.0, 1.0
    if np.quantile(simulated(0.0), 1 - tail) < value:
        while at_most - low > 0.001:
            middle = (low + at_most) / 2
            unusual = np.quantile(simulated(middle), 1 - tail) < value
            low, at_most = (middle, at_most) if unusual else (low, middle)
    observed = simulated(1.0)
    spread = float(observed.mean() - np.quantile(observed, tail))
    return Score(value, low * value, min(1.0, value + max(0.0, spread)), n, "bootstrap")


@dataclass(frozen=True, eq=False)
class RiskCoverage:
    """The share of wrong predictions among the most confident ones, at no more than 200 points.

    ``area`` is the area under the curve (AURC, Geifman and El-Yaniv 2017): the mean risk over the coverages of all
    images. Its interval is the normal one of its influence values.
    """

    coverages: np.ndarray  # (P,) ascending, ends at 1
    risks: np.ndarray  # (P,) in [0, 1]
    area: Score


def risk_coverage(run: EvaluationRun) -> RiskCoverage:
    """Order the images by confidence and count the mistakes among the first k, for every k."""
    n = len(run)
    if not n:
        return RiskCoverage(np.empty(0), np.empty(0), UNDEFINED)
    _, count, wrong = _by_confidence(run)
    # Images with equal confidence share their mistakes evenly, because their order in the file must not matter.
    risks = np.cumsum(np.repeat(wrong / count, count)) / np.arange(1, n + 1)
    points = np.unique(np.linspace(0, n - 1, MAX_POINTS).round().astype(int))
    return RiskCoverage((points + 1) / n, risks[points], _aurc_score(float(risks.mean()), count, wrong))


def _aurc_score(value: float, count: np.ndarray, wrong: np.ndarray) -> Score:
    """AURC is the mean over all images of -log(coverage) for a wrong prediction and of 0 for a correct one; coverage is
    the share of predictions that are at least as confident. An image contributes its own term, and changes the
    coverages of all less confident predictions."""
    n = int(count.sum())
    coverage = (np.cumsum(count) - (count - 1) / 2) / n
    terms = wrong / coverage
    moved = np.cumsum(terms[::-1])[::-1] / n - terms / (2 * n)
    of_right = wrong.sum() / n - value - moved
    of_wrong = of_right - np.log(coverage)
    squares = float((count - wrong) @ of_right**2 + wrong @ of_wrong**2)
    half = NORMAL_QUANTILE * math.sqrt(squares) / n
    return Score(value, max(0.0, value - half), min(1.0, value + half), n, "normal")


@dataclass(frozen=True)
class Abstention:
    """How many images a network predicts, and how accurately, if it abstains below the confidence ``threshold``."""

    threshold: float
    coverage: Score
    accuracy: Score  # not defined if it always abstains


def threshold_for(run: EvaluationRun, target_accuracy: float) -> float:
    """The lowest confidence from which on the predictions of ``run`` reach an accuracy.

    Choose it on validation images and measure its effect on others with :func:`abstention`. Raises EvaluationError if
    no threshold reaches the target, naming the best accuracy.
    """
    if not 0 <= target_accuracy <= 1:
        raise EvaluationError(f"a target accuracy must lie in 0..1, got {target_accuracy}")
    if not len(run):
        raise EvaluationError(f"{run.model_id} has no predictions on {run.split} to choose a threshold on")
    confidence, count, wrong = _by_confidence(run)
    accuracy = 1 - np.cumsum(wrong) / np.cumsum(count)
    reached = np.flatnonzero(accuracy >= target_accuracy)
    if not len(reached):
        best = int(accuracy.argmax())
        raise EvaluationError(
            f"{run.model_id} does not reach an accuracy of {target_accuracy:.3f} at any confidence on {run.split}; "
            f"the best is {accuracy[best]:.3f} from a confidence of {confidence[best]:.3f}"
        )
    return float(confidence[reached[-1]])


def abstention(run: EvaluationRun, threshold: float) -> Abstention:
    """Coverage and accuracy of the predictions with at least this confidence."""
    given = run.confidence >= threshold
    n = int(given.sum())
    return Abstention(threshold, wilson(n, len(run)), wilson(int(run.correct[given].sum()), n))


def _by_confidence(run: EvaluationRun) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The distinct confidences (D,), descending, and for each the numbers of predictions and of wrong ones."""
    confidence, count = np.unique(run.confidence, return_counts=True)
    of_wrong = np.sort(run.confidence[~run.correct])
    wrong = np.diff(np.searchsorted(of_wrong, confidence, side="right"), prepend=0)
    return confidence[::-1], count[::-1], wrong[::-1]
