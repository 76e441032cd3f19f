import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from statsmodels.stats.multitest import multipletests

from core.errors import EvaluationError
from core.evaluation import compare, compare_all, ensemble_run, holm, images_needed, leave_one_out
from core.evaluation.significance import exact_mcnemar, exact_power


def two_runs(predicting, both_right: int, first_only: int, second_only: int, both_wrong: int):
    """Two runs with the given numbers of images that both, one or none classify correctly."""
    numbers = [both_right, first_only, second_only, both_wrong]
    n = sum(numbers)
    truth = np.zeros(n, int)
    first = np.repeat([0, 0, 1, 1], numbers)
    second = np.repeat([0, 1, 0, 1], numbers)
    return predicting(truth, first, model_id="one"), predicting(truth, second, model_id="two")


@pytest.mark.parametrize(
    ("numbers", "p_value"),
    [
        ((10, 5, 1, 3), 2 * (1 + 6) / 2**6),  # both tails of six coin tosses: 0 or 1 heads
        ((10, 6, 0, 3), 2 / 2**6),
        ((10, 3, 3, 3), 1.0),
        ((10, 0, 0, 3), 1.0),  # the networks never differ
        ((794, 86, 150, 570), 3.716e-5),  # Agresti (2002), Categorical Data Analysis, table 10.1: approval ratings
    ],
)
def test_the_p_value_is_that_of_mcnemars_exact_test(predicting, numbers, p_value) -> None:
    result = compare(*two_runs(predicting, *numbers))
    assert (result.both_right, result.first_only, result.second_only, result.both_wrong) == numbers
    assert result.p_value == pytest.approx(p_value, rel=1e-3)
    assert result.n == sum(numbers)


def test_the_difference_has_a_paired_interval(predicting) -> None:
    result = compare(*two_runs(predicting, 600, 120, 60, 220))
    assert result.difference.value == pytest.approx(0.06)
    # Standard error of a paired difference: sqrt(b + c - (b - c)^2 / n) / n.
    half = norm.ppf(0.975) * np.sqrt(180 - 60**2 / 1000) / 1000
    assert result.difference.low == pytest.approx(0.06 - half, abs=0.002)
    assert result.difference.high == pytest.approx(0.06 + half, abs=0.002)
    assert (result.first_accuracy.value, result.second_accuracy.value) == (0.72, 0.66)


def test_the_verdict_names_the_better_network_and_p(predicting) -> None:
    one, two = two_runs(predicting, 600, 120, 60, 220)
    assert compare(one, two).verdict == "one is more accurate than two by 6.0 points (p < 0.001)"
    assert compare(two, one).verdict == "one is more accurate than two by 6.0 points (p < 0.001)"
    assert compare(*two_runs(predicting, 10, 5, 1, 3)).verdict == "no measurable difference (p = 0.219)"
    assert compare(one, one).verdict == "no measurable difference (p = 1.000)"


def test_all_pairs_are_corrected_together(make_run) -> None:
    runs = [make_run(seed=s, skill=k) for s, k in ((0, 1.0), (1, 1.4), (2, 1.9))]
    results = compare_all(runs)
    assert [(r.first, r.second) for r in results] == list(itertools.combinations([r.model_id for r in runs], 2))
    corrected = multipletests([r.p_value for r in results], method="holm")[1]
    assert [r.p_holm for r in results] == pytest.approx(list(corrected))
    assert compare_all(runs[:1]) == ()


def test_holms_correction_matches_a_calculation_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


def test_holms_correction_matches_a_textbook() -> None:
    # Four hypotheses at 5 %: the two smallest are rejected, 0.03 > 0.05 / 2 stops the procedure.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holms_correction_matches_statsmodels() -> None:
    p_values = list(np.random.default_rng(0).random(15) ** 4)
    assert holm(p_values) == pytest.approx(list(multipletests(p_values, method="holm")[1]))


@given(st.lists(st.floats(0, 1), max_size=20))
@settings(deadline=None)
def test_a_corrected_p_value_is_never_smaller_and_keeps_the_order(p_values) -> None:
    corrected = holm(p_values)
    assert all(p <= c <= 1 for p, c in zip(p_values, corrected, strict=True))
    # Holm (1979): the j-th smallest of m rejects only if every smaller one does.
    ordered, m = sorted(p_values), len(p_values)
    expected = [min(1, max((m - j) * ordered[j] for j in range(i + 1))) for i in range(m)]
    assert sorted(corrected) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("first_only", "second_only", "asymptotic"),
    [
        (0.30, 0.15, 155),  # the example of a published calculator for Connor's formula
        (0.45, 0.05, 23),  # the same
        # By hand: (1.95996 sqrt(0.3) + 0.84162 sqrt(0.29))^2 / 0.01 = (1.07352 + 0.45322)^2 / 0.01 = 233.1
        (0.2, 0.1, 234),
    ],
)
def test_the_exact_test_needs_more_images_than_connors_formula(first_only, second_only, asymptotic) -> None:
    assert exact_power(asymptotic, first_only, second_only) < 0.78
    needed = images_needed(first_only, second_only)
    assert asymptotic < needed < 1.1 * asymptotic
    assert images_needed(second_only, first_only) == needed
    assert exact_power(needed, first_only, second_only) >= 0.8 > exact_power(needed - 1, first_only, second_only)


@pytest.mark.parametrize(("first_only", "second_only"), [(0.2, 0.1), (0.11, 0.08), (0.05, 0.0)])
def test_the_exact_test_has_80_percent_power_with_the_images_needed(first_only, second_only) -> None:
    n = images_needed(first_only, second_only)
    shares = [first_only, second_only, 1 - first_only - second_only]
    drawn = np.random.default_rng(0).multinomial(n, shares, size=40_000)
    assert (exact_mcnemar(drawn[:, 0], drawn[:, 1]) < 0.05).mean() == pytest.approx(0.8, abs=0.01)


def test_the_power_of_many_images_is_that_of_the_normal_approximation() -> None:
    # 150 million images: not every number of discordant images is evaluated.
    n = images_needed(0.1, 0.0999)
    expected = ((norm.ppf(0.975) + norm.ppf(0.8)) / 1e-4) ** 2 * 0.1999
    assert n == pytest.approx(expected, rel=0.001)


def test_no_number_of_images_is_needed_for_equal_shares(predicting) -> None:
    assert images_needed(0.1, 0.1) is None
    assert compare(*two_runs(predicting, 10, 3, 3, 3)).images_needed is None


def test_runs_on_other_images_are_refused(make_run) -> None:
    with pytest.raises(EvaluationError, match="network_0 and network_1 were evaluated on different images"):
        compare_all([make_run(seed=0), make_run(seed=1).select(np.arange(100))])
    nothing = make_run().select(np.zeros(400, bool))
    with pytest.raises(EvaluationError, match="no images"):
        compare(nothing, nothing)


def test_leave_one_out_compares_the_ensemble_with_that_of_the_others(make_run) -> None:
    runs = [make_run(seed=s) for s in range(3)]
    results = leave_one_out(runs, [2, 1, 1])
    assert [r.second for r in results] == [f"ensemble without {r.model_id}" for r in runs]
    expected = compare(ensemble_run(runs, [2, 1, 1]), ensemble_run([runs[0], runs[2]], [2, 1]))
    assert results[1].difference == expected.difference
    assert results[1].p_value == expected.p_value <= results[1].p_holm
    with pytest.raises(EvaluationError, match="at least 2 members"):
        leave_one_out(runs[:1])
