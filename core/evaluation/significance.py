"""Whether a difference between two networks is more than luck."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import norm
from statsmodels.stats.contingency_tables import mcnemar

from core.errors import EvaluationError
from core.evaluation.ensemble import paired, shares_of
from core.evaluation.intervals import SEED, Score, percentile_score, wilson
from core.evaluation.probabilities import predicted_by_means
from core.evaluation.run import EvaluationRun

ALPHA = 0.05
POWER = 0.8
# A resample of paired answers is three counts, so that many cost nothing.
PAIRED_RESAMPLES = 10_000


@dataclass(frozen=True)
class Comparison:
    """Two networks on the same images.

    ``difference`` is the first's accuracy minus the second's, bootstrapped in pairs. ``p_value`` is McNemar's exact
    test on the images that only one of the two got right; ``p_holm`` is corrected for all comparisons made together
    (Holm 1979) and decides. ``images_needed`` would show a difference as large as this one at 5 % with 80 % power; None
    where both are equally often right.
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
    images_needed: int | None

    @property
    def n(self) -> int:
        """Images compared on."""
        return self.both_right + self.first_only + self.second_only + self.both_wrong

    @property
    def significant(self) -> bool:
        """Whether the corrected p-value is below 5 %."""
        return self.p_holm < ALPHA

    @property
    def verdict(self) -> str:
        """One phrase in plain words."""
        p = "p < 0.001" if self.p_holm < 0.001 else f"p = {self.p_holm:.3f}"
        if not self.significant:
            return f"no measurable difference ({p})"
        better, worse = (self.first, self.second) if self.difference.value > 0 else (self.second, self.first)
        return f"{better} is more accurate than {worse} by {100 * abs(self.difference.value):.1f} points ({p})"


def compare(first: EvaluationRun, second: EvaluationRun) -> Comparison:
    """Two networks by themselves. Raises EvaluationError where they answered different questions."""
    first, second = first.paired_with(second)
    return _compared((first.model_id, first.correct), (second.model_id, second.correct))


def compare_all(runs: Sequence[EvaluationRun]) -> tuple[Comparison, ...]:
    """Every pair of networks, with Holm's correction over all pairs; fewer than two networks give none."""
    return _corrected([compare(a, b) for a, b in itertools.combinations(runs, 2)])


def leave_one_out(runs: Sequence[EvaluationRun], weights: Sequence[float] | None = None) -> tuple[Comparison, ...]:
    """What each member is worth: the ensemble of all against the ensemble without it, Holm-corrected over the members.

    Raises EvaluationError for fewer than two members, or where leaving one out leaves no weight.
    """
    if len(runs) < 2:
        raise EvaluationError(f"leaving one out needs at least 2 members, got {len(runs)}")
    members, weightings = paired(runs), [shares_of(runs, weights)]
    for i in range(len(runs)):
        others = [share if k != i else 0.0 for k, share in enumerate(weightings[0])]
        weightings.append(shares_of(runs, others))
    truth, temperatures = members[0].truth, [m.temperature for m in members]
    everyone, *without = (
        predicted == truth for predicted in predicted_by_means([m.logits for m in members], temperatures, weightings)
    )
    comparisons = [
        _compared(("ensemble", everyone), (f"ensemble without {left_out.model_id}", right))
        for left_out, right in zip(runs, without, strict=True)
    ]
    return _corrected(comparisons)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for being looked at together (Holm 1979), in the order given.

    Our own lines: statsmodels' ``multipletests`` collects all garbage of the process on every call.
    """
    order = np.argsort(p_values, kind="stable")
    factors = len(order) - np.arange(len(order))
    corrected = np.empty(len(order))
    corrected[order] = np.maximum.accumulate(np.minimum(1.0, factors * np.asarray(p_values, float)[order]))
    return [float(p) for p in corrected]


def _compared(first: tuple[str, np.ndarray], second: tuple[str, np.ndarray]) -> Comparison:
    """Two networks by name and by which of N images each got right, (N,) bool."""
    (first_id, first_right), (second_id, second_right) = first, second
    n = len(first_right)
    if not n:
        raise EvaluationError(f"{first_id} and {second_id} have no images to be compared on")
    both_right, hits, others = (int(r.sum()) for r in (first_right & second_right, first_right, second_right))
    first_only, second_only = hits - both_right, others - both_right
    both_wrong = n - both_right - first_only - second_only
    p_value = min(1.0, float(mcnemar([[both_right, first_only], [second_only, both_wrong]], exact=True).pvalue))
    shares = np.array([first_only, second_only, both_right + both_wrong]) / n
    drawn = np.random.default_rng(SEED).multinomial(n, shares, size=PAIRED_RESAMPLES)
    return Comparison(
        first=first_id,
        second=second_id,
        both_right=both_right,
        first_only=first_only,
        second_only=second_only,
        both_wrong=both_wrong,
        first_accuracy=wilson(hits, n),
        second_accuracy=wilson(others, n),
        difference=percentile_score((first_only - second_only) / n, (drawn[:, 0] - drawn[:, 1]) / n, n),
        p_value=p_value,
        p_holm=p_value,
        images_needed=images_needed(first_only / n, second_only / n),
    )


def images_needed(first_only: float, second_only: float, *, alpha: float = ALPHA, power: float = POWER) -> int | None:
    """Images for McNemar's test, two-sided, to find a difference with that power (Miettinen 1968; Connor 1987).

    ``first_only`` and ``second_only`` are the shares of images that one network alone gets right. With discordance
    ψ = sum and difference δ: n = (z(1-α/2) √ψ + z(power) √(ψ - δ²))² / δ². None for δ = 0.
    """
    discordance, difference = first_only + second_only, first_only - second_only
    if difference == 0:
        return None
    z_alpha, z_power = float(norm.ppf(1 - alpha / 2)), float(norm.ppf(power))
    spread = z_alpha * math.sqrt(discordance) + z_power * math.sqrt(discordance - difference**2)
    return math.ceil((spread / difference) ** 2)


def _corrected(comparisons: list[Comparison]) -> tuple[Comparison, ...]:
    corrected = holm([c.p_value for c in comparisons])
    return tuple(replace(c, p_holm=p) for c, p in zip(comparisons, corrected, strict=True))
