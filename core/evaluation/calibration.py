"""Whether a network's confidence can be believed, and what is gained when it may say *unsure*.

Above 50,000 images bins and curves are made of confidences rounded to 1/16384 (``core.evaluation.levels``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from core.errors import EvaluationError
from core.evaluation.intervals import CONFIDENCE, NORMAL_QUANTILE, RESAMPLES, SEED, UNDEFINED, Score, mean_score, wilson
from core.evaluation.levels import levels
from core.evaluation.run import EvaluationRun

TEMPERATURE_RANGE = (0.05, 20.0)
SCHEMES = ("equal_mass", "equal_width")
MAX_POINTS = 200


def fit_temperature(logits: np.ndarray, truth: np.ndarray) -> float:
    """The temperature with the least negative log-likelihood, within 0.05 to 20 (Guo et al. 2017).

    ``logits`` (N, K), ``truth`` (N,). Fit on validation images, never on those it is reported on.
    """
    if not len(truth):
        raise EvaluationError("a temperature cannot be fitted on no images; give at least one")
    rows, scores = np.arange(len(truth)), np.asarray(logits, np.float64)

    def loss(log_temperature: float) -> float:
        return float(-log_softmax(scores / np.exp(log_temperature), axis=1)[rows, truth].mean())

    best = minimize_scalar(loss, bounds=np.log(TEMPERATURE_RANGE), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(best.x))


def nll(run: EvaluationRun) -> Score:
    """Negative log-likelihood per image (cross-entropy, nats)."""
    return mean_score(losses(run.of_truth))


def losses(of_truth: np.ndarray) -> np.ndarray:
    """(N,) probabilities of the true classes -> (N,) nats, at most 708: what rounds to 0 is no infinite loss."""
    return np.asarray(-np.log(np.maximum(of_truth, np.finfo(np.float64).tiny)))


def brier(run: EvaluationRun) -> Score:
    """Brier's (1950) score for K classes: squared distance to the one-hot truth, 0 to 2."""
    return mean_score(run.squared_error)


def expected_calibration_error(
    confidence: np.ndarray, correct: np.ndarray, bins: int = 15, scheme: str = "equal_mass"
) -> Score:
    """Mean gap between confidence and accuracy over bins of confidence (Naeini et al. 2015; Guo et al. 2017).

    ``confidence`` (N,) of the predicted classes, ``correct`` (N,) bool.
    ``equal_mass`` bins hold equally many images, ``equal_width`` ones split [0, 1] evenly. The figure is biased
    upwards: luck alone gives a perfect network some. So the lower bound is the least error under which as much is
    nothing rare: the gaps seen are scaled down until 2.5 % of simulated figures reach it, and it is 0 where a perfect
    network's do. The upper bound adds the simulated spread and no correction, which leaves it a little too wide. The
    bins' sums are simulated by their normal limit, which costs nothing at a million images.
    """
    return _calibration_error(_Answers.of(confidence, correct), bins, scheme)


def _calibration_error(answers: _Answers, bins: int, scheme: str) -> Score:
    values, right, wrong = answers.confidence, answers.right, answers.wrong
    index = _bins(answers, bins, scheme)
    n = int(answers.count.sum())
    if not n:
        return UNDEFINED
    sums = np.bincount(index, right * (1 - values) - wrong * values, bins)
    squares = np.bincount(index, right * (1 - values) ** 2 + wrong * values**2, bins)
    value = float(np.abs(sums).sum() / n)
    covariance = np.diag(squares) - np.outer(sums, sums) / n
    zeros = np.zeros(bins)
    noise = np.random.default_rng(SEED).multivariate_normal(zeros, covariance, RESAMPLES, check_valid="ignore")

    def simulated(factor: float) -> np.ndarray:
        """Figures that other images would give, if the true gaps were ``factor`` times those seen."""
        return np.asarray(np.abs(factor * sums + noise).sum(axis=1) / n)

    tail = 0.5 - CONFIDENCE / 2
    # The least factor under which the figure is no rare one: halve the range where it lies.
    low, at_most = 0.0, 1.0
    if np.quantile(simulated(0.0), 1 - tail) < value:
        while at_most - low > 0.001:
            middle = (low + at_most) / 2
            rare = np.quantile(simulated(middle), 1 - tail) < value
            low, at_most = (middle, at_most) if rare else (low, middle)
    as_seen = simulated(1.0)
    spread = float(as_seen.mean() - np.quantile(as_seen, tail))
    return Score(value, low * value, min(1.0, value + max(0.0, spread)), n, "bootstrap")


@dataclass(frozen=True, eq=False)
class ReliabilityDiagram:
    """Accuracy against confidence in B bins that hold at least one image; the interval is Wilson's."""

    confidence: np.ndarray  # (B,) mean confidence in the bin
    accuracy: np.ndarray  # (B,)
    low: np.ndarray  # (B,)
    high: np.ndarray  # (B,)
    count: np.ndarray  # (B,) images
    ece: Score
    scheme: str


def reliability(run: EvaluationRun, bins: int = 15, scheme: str = "equal_mass") -> ReliabilityDiagram:
    """The reliability diagram of the predicted classes' probabilities, at the run's temperature.

    ``dataclasses.replace(run, temperature=1.0)`` gives the one before temperature scaling.
    """
    answers = _Answers.of(run.confidence, run.correct)
    index = _bins(answers, bins, scheme)
    count = np.bincount(index, answers.count, bins).astype(int)
    used = np.flatnonzero(count)
    hits = np.bincount(index, answers.right, bins)[used]
    scores = [wilson(int(h), int(n)) for h, n in zip(hits, count[used], strict=True)]
    return ReliabilityDiagram(
        confidence=np.bincount(index, answers.confidence * answers.count, bins)[used] / count[used],
        accuracy=np.array([s.value for s in scores]),
        low=np.array([s.low for s in scores]),
        high=np.array([s.high for s in scores]),
        count=count[used],
        ece=_calibration_error(answers, bins, scheme),
        scheme=scheme,
    )


@dataclass(frozen=True, eq=False)
class RiskCoverage:
    """Share of wrong answers among the most confident ones, at most 200 points; ``area`` is over all of them.

    The area under the curve, AURC, is Geifman & El-Yaniv's (2017): the mean risk over all coverages k/N. Its interval
    is the normal one of its influence values.
    """

    coverages: np.ndarray  # (P,) ascending, ends at 1
    risks: np.ndarray  # (P,) in [0, 1]
    area: Score


def risk_coverage(run: EvaluationRun) -> RiskCoverage:
    """Order the images by confidence and count the mistakes among the first k."""
    n = len(run)
    if not n:
        return RiskCoverage(np.empty(0), np.empty(0), UNDEFINED)
    answers = _Answers.of(run.confidence, run.correct)
    # Equally confident answers share their mistakes evenly: their order in the file must not matter.
    risks = np.cumsum(np.repeat(answers.wrong / answers.count, answers.count)[::-1]) / np.arange(1, n + 1)
    points = np.unique(np.linspace(0, n - 1, MAX_POINTS).round().astype(int))
    return RiskCoverage((points + 1) / n, risks[points], _area(float(risks.mean()), answers))


def _area(value: float, answers: _Answers) -> Score:
    """AURC is the mean over all images of -log(coverage) where the answer is wrong, of 0 where it is right; coverage
    is the share of answers at least as confident. An image moves it by its own part, and by moving the coverages of
    all answers that are less confident."""
    count, wrong, n = answers.count, answers.wrong, int(answers.count.sum())
    coverage = (np.cumsum(count[::-1])[::-1] - (count - 1) / 2) / n
    moved = np.cumsum(wrong / coverage) / n - wrong / coverage / (2 * n)
    of_right = wrong.sum() / n - value - moved
    of_wrong = of_right - np.log(coverage)
    half = NORMAL_QUANTILE * math.sqrt(float(answers.right @ of_right**2 + wrong @ of_wrong**2)) / n
    return Score(value, max(0.0, value - half), min(1.0, value + half), n, "normal")


@dataclass(frozen=True)
class Abstention:
    """How often a network answers, and how often it is then right, if it is silent below ``threshold``."""

    threshold: float
    coverage: Score
    accuracy: Score  # not defined where it never answers


def threshold_for(run: EvaluationRun, target_accuracy: float) -> float:
    """The lowest confidence above which the answers of ``run`` are right as often as asked.

    Choose it on validation images and look at its effect elsewhere by :func:`abstention`. Raises EvaluationError where
    no threshold reaches the target, naming the best.
    """
    if not 0 <= target_accuracy <= 1:
        raise EvaluationError(f"a target accuracy lies in 0..1, got {target_accuracy}")
    if not len(run):
        raise EvaluationError(f"{run.model_id} has no answers on {run.split} to choose a threshold on")
    answers = _Answers.of(run.confidence, run.correct, exact=True)  # :func:`abstention` compares with it
    accuracy = (np.cumsum(answers.right[::-1]) / np.cumsum(answers.count[::-1]))[::-1]  # from that confidence up
    enough = np.flatnonzero(accuracy >= target_accuracy)
    if not len(enough):
        best = int(accuracy.argmax())
        raise EvaluationError(
            f"{run.model_id} reaches an accuracy of {target_accuracy:.3f} at no confidence on {run.split}; "
            f"the best is {accuracy[best]:.3f} from {answers.confidence[best]:.3f}"
        )
    return float(answers.confidence[enough[0]])


def abstention(run: EvaluationRun, threshold: float) -> Abstention:
    """Coverage and accuracy when only answers with at least that confidence are given."""
    given = run.confidence >= threshold
    answers = int(given.sum())
    return Abstention(threshold, wilson(answers, len(run)), wilson(int(run.correct[given].sum()), answers))


@dataclass(frozen=True, eq=False)
class _Answers:
    """How many answers were given at each of L confidences, and how many of them were right."""

    confidence: np.ndarray  # (L,) ascending
    count: np.ndarray  # (L,) at least 1
    right: np.ndarray  # (L,)

    @classmethod
    def of(cls, confidence: np.ndarray, correct: np.ndarray, *, exact: bool = False) -> _Answers:
        values, level = levels(confidence, exact=exact)
        cell = level + len(values) * correct.astype(np.int32)
        wrong, right = np.bincount(cell, minlength=2 * len(values)).reshape(2, -1)
        given = wrong + right > 0
        return cls(values[given], (wrong + right)[given], right[given])

    @property
    def wrong(self) -> np.ndarray:
        return np.asarray(self.count - self.right)


def _bins(answers: _Answers, bins: int, scheme: str) -> np.ndarray:
    """The bin of each confidence (L,): equal confidences share one."""
    if bins < 1:
        raise EvaluationError(f"a calibration error needs at least 1 bin, got {bins}")
    if scheme not in SCHEMES:
        raise EvaluationError(f"bins are {' or '.join(SCHEMES)}, got {scheme!r}")
    edges = np.linspace(0, 1, bins + 1)[1:-1]
    if scheme == "equal_mass" and len(answers.count):
        edges = _quantiles(answers, edges)
    return np.searchsorted(edges, answers.confidence)


def _quantiles(answers: _Answers, shares: np.ndarray) -> np.ndarray:
    """``np.quantile`` of the confidences of all answers, without a line for each of them."""
    up_to = np.cumsum(answers.count)
    position = shares * (up_to[-1] - 1)
    below = answers.confidence[np.searchsorted(up_to, np.floor(position), side="right")]
    above = answers.confidence[np.searchsorted(up_to, np.ceil(position), side="right")]
    return np.asarray(below + (above - below) * (position % 1))
