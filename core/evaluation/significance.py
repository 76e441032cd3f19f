"""Whether a difference between two networks is larger than chance explains."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import ndtri

from core.errors import EvaluationError
from core.evaluation.ensemble import log_mean_probabilities, normalized_weights, paired
from core.evaluation.intervals import SEED, Score, percentile_score, wilson
from core.evaluation.run import EvaluationRun

ALPHA = 0.05
POWER = 0.8
# A resample of paired predictions is three counts, so that many resamples cost little.
PAIRED_RESAMPLES = 10_000


@dataclass(frozen=True)
class PairedComparison:
    """Two networks on the same images.

    ``difference`` is the accuracy of the first minus that of the second, with a paired bootstrap interval. ``p_value``
    is McNemar's exact test on the images that only one of the two classifies correctly. ``p_holm`` is corrected for all
    comparisons made together (Holm 1979).
    """

    first: str
    second: str
    both_right: int
    first_only: int
    second_only: int
    both_wrong: int
    first_accuracy: Score
    second_accuracy: Score
    difference: Score
    p_value: float
    p_holm: float

    @cached_property
    def images_needed(self) -> int | None:
        """See :func:`images_needed`; None if both have the same accuracy. Computing it takes milliseconds."""
        return images_needed(self.first_only / self.n, self.second_only / self.n)

    @property
    def n(self) -> int:
        """The number of images."""
        return self.both_right + self.first_only + self.second_only + self.both_wrong

    @property
    def significant(self) -> bool:
        """Whether the corrected p-value is below 5 %."""
        return self.p_holm < ALPHA

    @property
    def verdict(self) -> str:
        """The result in one phrase, with the corrected p-value."""
        return f"{self.conclusion} ({'p < 0.001' if self.p_holm < 0.001 else f'p = {self.p_holm:.3f}'})"

    @property
    def conclusion(self) -> str:
        """The result in one phrase."""
        if not self.significant:
            return "no measurable difference"
        better, worse = (self.first, self.second) if self.difference.value > 0 else (self.second, self.first)
        return f"{better} is more accurate than {worse} by {100 * abs(self.difference.value):.1f} points"


def compare(first: EvaluationRun, second: EvaluationRun) -> PairedComparison:
    """Compare two networks. Raises EvaluationError if the runs cannot be paired or have no images."""
    first, second = first.paired_with(second)
    return _compared((first.model_id, first.correct), (second.model_id, second.correct))


def compare_all(runs: Sequence[EvaluationRun]) -> tuple[PairedComparison, ...]:
    """Compare every pair of networks, with Holm's correction over all pairs; empty for fewer than two networks."""
    return _corrected([compare(a, b) for a, b in itertools.combinations(runs, 2)])


def leave_one_out(
    runs: Sequence[EvaluationRun], weights: Sequence[float] | None = None
) -> tuple[PairedComparison, ...]:
    """Compare the ensemble of all members with the ensemble without each of them, with Holm's correction.

    Raises EvaluationError for fewer than two members, or if no weight remains without one of them.
    """
    if len(runs) < 2:
        raise EvaluationError(f"a comparison that leaves one out needs at least 2 members, got {len(runs)}")
    members, shares = paired(runs), normalized_weights(runs, weights)
    probabilities = [member.probabilities for member in members]

    def correct(member_shares: Sequence[float]) -> np.ndarray:
        return np.asarray(log_mean_probabilities(probabilities, member_shares).argmax(axis=1) == members[0].truth)

    everyone = correct(shares)
    comparisons = []
    for i, left_out in enumerate(members):
        others = normalized_weights(runs, [0.0 if k == i else share for k, share in enumerate(shares)])
        comparisons.append(
            _compared(("ensemble", everyone), (f"ensemble without {left_out.model_id}", correct(others)))
        )
    return _corrected(comparisons)


def exact_mcnemar(first_only: np.ndarray, second_only: np.ndarray) -> np.ndarray:
    """Two-sided p-values of McNemar's exact test, for arrays of the numbers of images on which only one is correct."""
    from scipy.stats import binom  # not above: importing it takes half a second

    smaller, discordant = np.minimum(first_only, second_only), first_only + second_only
    return np.asarray(np.minimum(1.0, 2 * binom.cdf(smaller, discordant, 0.5)))


def holm(p_values: Sequence[float] | np.ndarray) -> list[float]:
    """P-values corrected for multiple comparisons (Holm 1979), in the order given.

    Not statsmodels' ``multipletests``, which runs the garbage collector of the whole process on every call.
    """
    order = np.argsort(p_values, kind="stable")
    factors = len(order) - np.arange(len(order))
    corrected = np.empty(len(order))
    corrected[order] = np.maximum.accumulate(np.minimum(1.0, factors * np.asarray(p_values, float)[order]))
    return [float(p) for p in corrected]


def images_needed(first_only: float, second_only: float, *, alpha: float = ALPHA, power: float = POWER) -> int | None:
    """The number of images with which McNemar's exact test detects a difference with the given power.

    ``first_only`` and ``second_only`` are the shares of images that only one of the two networks classifies correctly.
    The search starts from the asymptotic number (Miettinen 1968; Connor 1987), which is too small for the exact test:
    for shares of 0.2 and 0.1 it is 234, where the power is 0.776. None if the shares are equal.
    """
    discordance, difference = first_only + second_only, abs(first_only - second_only)
    if difference == 0:
        return None
    z_alpha, z_power = float(ndtri(1 - alpha / 2)), float(ndtri(power))
    root = z_alpha * math.sqrt(discordance) + z_power * math.sqrt(discordance - difference**2)
    too_few = math.floor((root / difference) ** 2) - 1
    while too_few > 0 and exact_power(too_few, first_only, second_only, alpha) >= power:
        too_few //= 2
    enough = too_few + math.ceil(2 / difference) + 1
    while exact_power(enough, first_only, second_only, alpha) < power:
        enough += enough - too_few
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if exact_power(middle, first_only, second_only, alpha) >= power:
            enough = middle
        else:
            too_few = middle
    return enough


def exact_power(n: int, first_only: float, second_only: float, alpha: float = ALPHA) -> float:
    """The power of McNemar's exact test, two-sided, on ``n`` images, for shares as in :func:`images_needed`."""
    from scipy.stats import binom

    discordance = first_only + second_only
    mean, deviation = n * discordance, math.sqrt(n * discordance * (1 - discordance))
    low, high = max(0, math.floor(mean - 6 * deviation)), min(n, math.ceil(mean + 6 * deviation))
    # Every number of discordant images, or a few hundred of them: between them the power hardly changes. The step is
    # odd because the critical value alternates between even and odd numbers.
    discordant = np.arange(low, high + 1, 2 * ((high - low) // 800) + 1)
    weights = binom.pmf(discordant, n, discordance)
    critical = binom.ppf(alpha / 2, discordant, 0.5)
    critical -= binom.cdf(critical, discordant, 0.5) > alpha / 2
    share = first_only / discordance
    rejected = binom.cdf(critical, discordant, share) + binom.cdf(critical, discordant, 1 - share)
    return float(weights @ rejected / weights.sum())


def _compared(first: tuple[str, np.ndarray], second: tuple[str, np.ndarray]) -> PairedComparison:
    """Compare two networks by their names and by whether each prediction is correct, (N,) bool."""
    (first_id, first_right), (second_id, second_right) = first, second
    n = len(first_right)
    if not n:
        raise EvaluationError(f"{first_id} and {second_id} have no images to be compared on")
    both_right = int((first_right & second_right).sum())
    first_only, second_only = int(first_right.sum()) - both_right, int(second_right.sum()) - both_right
    both_wrong = n - both_right - first_only - second_only
    p_value = float(exact_mcnemar(np.array(first_only), np.array(second_only)))
    shares = np.array([first_only, second_only, both_right + both_wrong]) / n
    drawn = np.random.default_rng(SEED).multinomial(n, shares, size=PAIRED_RESAMPLES)
    return PairedComparison(
        first=first_id,
        second=second_id,
        both_right=both_right,
        first_only=first_only,
        second_only=second_only,
        both_wrong=both_wrong,
        first_accuracy=wilson(both_right + first_only, n),
        second_accuracy=wilson(both_right + second_only, n),
        difference=percentile_score((first_only - second_only) / n, (drawn[:, 0] - drawn[:, 1]) / n, n),
        p_value=p_value,
        p_holm=p_value,
    )


def _corrected(comparisons: list[PairedComparison]) -> tuple[PairedComparison, ...]:
    corrected = holm([c.p_value for c in comparisons])
    return tuple(replace(c, p_holm=p) for c, p in zip(comparisons, corrected, strict=True))
