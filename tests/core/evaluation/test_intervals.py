import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.evaluation import Score, mean_score, wilson


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # Newcombe (1998), Statistics in Medicine 17: 857-872, table I, score method without continuity correction.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_intervals_are_those_newcombe_published(successes, n, low, high) -> None:
    score = wilson(successes, n)
    assert (score.value, score.n, score.method) == (successes / n, n, "Wilson")
    assert (round(score.low, 4), round(score.high, 4)) == (low, high)


@settings(deadline=None)
@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_wilson_interval_holds_its_proportion_and_stays_in_0_to_1(hits_of_n) -> None:
    score = wilson(*hits_of_n)
    assert 0 <= score.low <= score.value <= score.high <= 1


def test_nothing_to_count_is_not_defined() -> None:
    for score in (wilson(0, 0), mean_score(np.empty(0))):
        assert not score.defined
        assert math.isnan(score.value)
        assert str(score) == "not defined"


def test_a_mean_has_the_normal_interval() -> None:
    score = mean_score(np.array([1.0, 2.0, 3.0, 4.0]))
    half = 1.959964 * math.sqrt(5 / 3) / 2  # standard deviation sqrt(5/3), four values
    assert (score.value, score.n) == (2.5, 4)
    assert score.low == pytest.approx(2.5 - half, rel=1e-6)
    assert score.high == pytest.approx(2.5 + half, rel=1e-6)
    assert math.isnan(mean_score(np.array([3.0])).low)


@pytest.mark.parametrize(
    ("score", "text"),
    [
        (Score(0.712, 0.697, 0.727, 3589), "0.712 ± 0.015"),
        (Score(0.99, 0.95, 0.998, 100), "0.990 (0.950 to 0.998)"),
        (Score(0.5, n=1), "0.500"),
        (Score(math.nan), "not defined"),
    ],
)
def test_a_score_reads_as_a_figure_with_its_uncertainty(score, text) -> None:
    assert str(score) == text


@pytest.mark.parametrize("score", [wilson(3, 4), Score(math.nan), Score(0.5, n=3)])
def test_a_score_survives_json_without_nan(score) -> None:
    text = json.dumps(score.to_json(), allow_nan=False)
    assert Score.from_json(json.loads(text)) == score


def test_a_score_is_a_number_where_one_is_needed() -> None:
    assert float(wilson(1, 2)) == 0.5
