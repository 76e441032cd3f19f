import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from core.evaluation import Score, mean_score, wilson, wilson_of_shares
from core.evaluation.intervals import auc_score, difference_of_proportions, mean_of_scores, wilson_bounds


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # Newcombe (1998), Statistics in Medicine 17: 857-872, table I, score method without continuity correction.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_matches_newcombes_published_intervals(successes, n, low, high) -> None:
    score = wilson(successes, n)
    assert (score.value, score.n, score.method) == (successes / n, n, "Wilson")
    assert (round(score.low, 4), round(score.high, 4)) == (low, high)


@settings(deadline=None)
@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_contains_the_proportion_and_stays_in_0_to_1(hits_of_n) -> None:
    score = wilson(*hits_of_n)
    assert 0 <= score.low <= score.value <= score.high <= 1


def test_wilson_bounds_of_arrays_are_those_of_single_proportions() -> None:
    low, high = wilson_bounds(np.array([81, 0, 0]), np.array([263, 20, 0]))
    assert low[:2] == pytest.approx([wilson(81, 263).low, wilson(0, 20).low])
    assert high[:2] == pytest.approx([wilson(81, 263).high, wilson(0, 20).high])
    assert np.isnan([low[2], high[2]]).all()


def test_wilson_of_shares_skips_epochs_without_a_value() -> None:
    first, second = wilson_of_shares(np.array([0.75, np.nan]), 4)
    assert first == wilson(3, 4)
    assert not second.defined


def test_a_score_without_anything_to_count_is_not_defined() -> None:
    for score in (wilson(0, 0), mean_score(np.empty(0)), auc_score(0.5, 0.1, 0, 9)):
        assert not score.defined
        assert math.isnan(score.value)
        assert str(score) == "not defined"


def test_mean_score_has_the_normal_interval() -> None:
    score = mean_score(np.array([1.0, 2.0, 3.0, 4.0]))
    half = 1.959964 * math.sqrt(5 / 3) / 2  # standard deviation sqrt(5/3), four values
    assert (score.value, score.n) == (2.5, 4)
    assert score.low == pytest.approx(2.5 - half, rel=1e-6)
    assert score.high == pytest.approx(2.5 + half, rel=1e-6)
    assert math.isnan(mean_score(np.array([3.0])).low)


def test_difference_of_proportions_matches_newcombes_published_interval() -> None:
    # Newcombe (1998), Statistics in Medicine 17: 873-890, table II (a): 56/70 against 48/80, method 10.
    difference = difference_of_proportions(wilson(56, 70), wilson(48, 80))
    assert (round(difference.value, 4), round(difference.low, 4), round(difference.high, 4)) == (0.2, 0.0524, 0.3339)
    assert not difference_of_proportions(wilson(1, 2), wilson(0, 0)).defined


def simulated_aucs(random: np.random.Generator, separation: float, positives: int, runs: int) -> list[Score]:
    """Areas of samples from two normal distributions that are ``separation`` apart, with 500 negatives each."""
    scores, negatives = [], 500
    for _ in range(runs):
        high, low = random.normal(separation, 1, positives), np.sort(random.normal(size=negatives))
        above = np.searchsorted(low, high) / negatives
        below = 1 - np.searchsorted(np.sort(high), low) / positives
        area = float(above.mean())
        variance = above.var(ddof=1) / positives + below.var(ddof=1) / negatives
        scores.append(auc_score(area, variance, positives, negatives))
    return scores


# At an area of 0.978, the AUC of disgust on PrivateTest, DeLong's interval has a coverage of 0.77 and 0.86.
@pytest.mark.parametrize("positives", [20, 55])
@pytest.mark.parametrize("area", [0.76, 0.978])
def test_the_interval_of_an_auc_covers_it_for_rare_classes(positives, area) -> None:
    separation = math.sqrt(2) * norm.ppf(area)
    scores = simulated_aucs(np.random.default_rng(0), separation, positives, 1500)
    covered = np.mean([s.low <= area <= s.high for s in scores])
    assert covered >= 0.93
    assert not scores[0].approximate


def test_the_interval_of_an_auc_approaches_delongs_for_many_images() -> None:
    half = 1.959964 * math.sqrt(1e-4)
    score = auc_score(0.8, 1e-4, 2000, 2000)
    assert score.high - score.low == pytest.approx(2 * half, rel=0.02)


def test_the_interval_of_an_auc_of_few_images_is_marked_as_approximate() -> None:
    for score in (auc_score(0.9, 0.001, 9, 500), auc_score(0.9, math.nan, 1, 500), auc_score(1.0, 0.0, 500, 9)):
        assert score.approximate
        assert 0 <= score.low < score.value <= score.high <= 1
        assert str(score).endswith(", approximate)")


def test_the_interval_of_a_mean_depends_on_the_correlation_of_its_parts() -> None:
    parts = [Score(0.6, 0.5, 0.8), Score(0.8, 0.7, 0.9)]
    independent, dependent = mean_of_scores(parts, np.eye(2), 9), mean_of_scores(parts, np.ones((2, 2)), 9)
    assert (dependent.low, dependent.high) == pytest.approx((0.6, 0.85))
    assert independent.low == pytest.approx(0.7 - math.hypot(0.1, 0.1) / 2)
    assert independent.high == pytest.approx(0.7 + math.hypot(0.2, 0.1) / 2)


@pytest.mark.parametrize(
    ("score", "text"),
    [
        (Score(0.712, 0.697, 0.727, 3589), "0.712 ± 0.015"),
        (Score(0.99, 0.95, 0.998, 100), "0.990 (0.950 to 0.998)"),
        (Score(0.5, n=1), "0.500"),
        (Score(math.nan), "not defined"),
    ],
)
def test_the_text_of_a_score_contains_its_uncertainty(score, text) -> None:
    assert str(score) == text


@pytest.mark.parametrize("score", [wilson(3, 4), Score(math.nan), Score(0.5, n=3)])
def test_a_score_survives_json_without_nan(score) -> None:
    text = json.dumps(score.to_json(), allow_nan=False)
    assert Score.from_json(json.loads(text)) == score


def test_a_score_converts_to_float() -> None:
    assert float(wilson(1, 2)) == 0.5
