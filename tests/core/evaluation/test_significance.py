import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from statsmodels.stats.multitest import multipletests

from core.errors import EvaluationError
from core.evaluation import compare, compare_all, ensemble_run, holm, images_needed, leave_one_out


def pair(answering, both_right: int, first_only: int, second_only: int, both_wrong: int):
    """Two runs with those numbers of images on which both, one or none is right."""
    numbers = [both_right, first_only, second_only, both_wrong]
    n = sum(numbers)
    truth = np.zeros(n, int)
    first = np.repeat([0, 0, 1, 1], numbers)
    second = np.repeat([0, 1, 0, 1], numbers)
    return answering(truth, first, model_id="one"), answering(truth, second, model_id="two")


@pytest.mark.parametrize(
    ("numbers", "p_value"),
    [
        ((10, 5, 1, 3), 2 * (1 + 6) / 2**6),  # both tails of a coin thrown 6 times: 0 or 1 heads
        ((10, 6, 0, 3), 2 / 2**6),
        ((10, 3, 3, 3), 1.0),
        ((10, 0, 0, 3), 1.0),  # never of different opinion
        ((794, 86, 150, 570), 3.716e-5),  # Agresti (2002), Categorical Data Analysis, table 10.1: approval ratings
    ],
)
def test_mcnemars_exact_test(answering, numbers, p_value) -> None:
    result = compare(*pair(answering, *numbers))
    assert (result.both_right, result.first_only, result.second_only, result.both_wrong) == numbers
    assert result.p_value == pytest.approx(p_value, rel=1e-3)
    assert result.n == sum(numbers)


def test_the_difference_has_a_paired_interval(answering) -> None:
    result = compare(*pair(answering, 600, 120, 60, 220))
    assert result.difference.value == pytest.approx(0.06)
    # Standard error of a paired difference: sqrt(b + c - (b - c)^2 / n) / n.
    half = norm.ppf(0.975) * np.sqrt(180 - 60**2 / 1000) / 1000
    assert result.difference.low == pytest.approx(0.06 - half, abs=0.002)
    assert result.difference.high == pytest.approx(0.06 + half, abs=0.002)
    assert (result.first_accuracy.value, result.second_accuracy.value) == (0.72, 0.66)


def test_the_verdict_is_in_plain_words(answering) -> None:
    one, two = pair(answering, 600, 120, 60, 220)
    assert compare(one, two).verdict == "one is more accurate than two by 6.0 points (p < 0.001)"
    assert compare(two, one).verdict == "one is more accurate than two by 6.0 points (p < 0.001)"
    assert compare(*pair(answering, 10, 5, 1, 3)).verdict == "no measurable difference (p = 0.219)"
    assert compare(one, one).verdict == "no measurable difference (p = 1.000)"


def test_all_pairs_are_corrected_together(make_run) -> None:
    runs = [make_run(seed=s, skill=k) for s, k in ((0, 1.0), (1, 1.4), (2, 1.9))]
    results = compare_all(runs)
    assert [(r.first, r.second) for r in results] == list(itertools.combinations([r.model_id for r in runs], 2))
    corrected = multipletests([r.p_value for r in results], method="holm")[1]
    assert [r.p_holm for r in results] == pytest.approx(list(corrected))
    assert compare_all(runs[:1]) == ()


def test_holms_correction_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


def test_holms_correction_of_a_textbook() -> None:
    # Four hypotheses at 5 %: the two smallest are rejected, 0.03 > 0.05 / 2 stops the procedure.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holms_correction_is_statsmodels() -> None:
    p_values = list(np.random.default_rng(0).random(15) ** 4)
    assert holm(p_values) == pytest.approx(list(multipletests(p_values, method="holm")[1]))


@given(st.lists(st.floats(0, 1), max_size=20))
@settings(deadline=None)
def test_a_corrected_p_value_is_never_smaller_and_keeps_the_order(p_values) -> None:
    corrected = holm(p_values)
    assert all(p <= c <= 1 for p, c in zip(p_values, corrected, strict=True))
    # As the paper has it: the j-th smallest of m rejects only if every smaller one does.
    ordered, m = sorted(p_values), len(p_values)
    expected = [min(1, max((m - j) * ordered[j] for j in range(i + 1))) for i in range(m)]
    assert sorted(corrected) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("first_only", "second_only", "images"),
    [
        (0.30, 0.15, 155),  # a published calculator's example of Connor's formula
        (0.45, 0.05, 23),  # likewise
        # By hand: (1.95996 sqrt(0.3) + 0.84162 sqrt(0.29))^2 / 0.01 = (1.07352 + 0.45322)^2 / 0.01 = 233.1
        (0.2, 0.1, 234),
    ],
)
def test_the_images_needed_are_connors(first_only, second_only, images) -> None:
    assert images_needed(first_only, second_only) == images
    assert images_needed(second_only, first_only) == images


def test_with_the_images_needed_the_test_finds_the_difference_4_times_in_5() -> None:
    n = images_needed(0.11, 0.08)
    drawn = np.random.default_rng(0).multinomial(n, [0.11, 0.08, 0.81], size=20_000)
    b, c = drawn[:, 0], drawn[:, 1]
    assert (np.abs(b - c) / np.sqrt(b + c) > norm.ppf(0.975)).mean() == pytest.approx(0.8, abs=0.02)


def test_no_number_of_images_shows_a_difference_of_nothing(answering) -> None:
    assert images_needed(0.1, 0.1) is None
    assert compare(*pair(answering, 10, 3, 3, 3)).images_needed is None


def test_runs_over_other_images_are_refused(make_run) -> None:
    with pytest.raises(EvaluationError, match="network_0 and network_1 answered different images"):
        compare_all([make_run(seed=0), make_run(seed=1).select(np.arange(100))])
    nothing = make_run().select(np.zeros(400, bool))
    with pytest.raises(EvaluationError, match="no images"):
        compare(nothing, nothing)


def test_leaving_a_member_out_compares_all_with_the_rest(make_run) -> None:
    runs = [make_run(seed=s) for s in range(3)]
    results = leave_one_out(runs, [2, 1, 1])
    assert [r.second for r in results] == [f"ensemble without {r.model_id}" for r in runs]
    expected = compare(ensemble_run(runs, [2, 1, 1]), ensemble_run([runs[0], runs[2]], [2, 1]))
    assert results[1].difference == expected.difference
    assert results[1].p_value == expected.p_value <= results[1].p_holm
    with pytest.raises(EvaluationError, match="at least 2 members"):
        leave_one_out(runs[:1])
