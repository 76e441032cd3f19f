import numpy as np
import pytest
from scipy.stats import fisher_exact
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportions_ztest

from core.errors import EvaluationError
from core.evaluation import bin_columns, slice_report, wilson
from core.evaluation.intervals import difference_of_proportions


def report_of(run, columns):
    return slice_report(run, bin_columns(columns))


def by_value(slices, column: str):
    return {s.value: s for s in slices if s.column == column}


def test_few_images_are_compared_by_fishers_test(predicting) -> None:
    # Fisher's tea tasting: 3 of 4 right against 1 of 4, p = 0.4857.
    run = predicting([0] * 8, [0, 0, 0, 1, 0, 1, 1, 1])
    slices = by_value(report_of(run, {"milk": np.array(["first"] * 4 + ["last"] * 4)}), "milk")
    first = slices["first"]
    assert (first.accuracy.value, first.rest.value, first.difference) == (0.75, 0.25, 0.5)
    assert first.test == "Fisher"
    assert first.p_value == pytest.approx(0.4857, abs=1e-4)
    assert first.p_value == pytest.approx(fisher_exact([[3, 1], [1, 3]]).pvalue)
    assert first.image_ids.tolist() == [0, 1, 2, 3]


def test_many_images_are_compared_by_two_proportions(make_run) -> None:
    run = make_run()
    member = np.arange(400) < 150
    found = by_value(report_of(run, {"early": member}), "early")["yes"]
    hits = [int(run.correct[member].sum()), int(run.correct[~member].sum())]
    assert found.test == "z"
    assert found.p_value == pytest.approx(proportions_ztest(hits, [150, 250])[1])


def test_a_significantly_worse_slice_comes_first(predicting) -> None:
    n = 800
    dark = np.arange(n) % 4 == 0
    wrong = np.where(
        dark, np.arange(n) % 8 == 0, np.arange(n) % 10 == 1
    )  # half of the dark images, a tenth of the others
    run = predicting([0] * n, wrong.astype(int))
    noise = np.random.default_rng(0).random(n)
    report = report_of(run, {"noise": noise, "dark": dark})
    assert (report[0].column, report[0].value) == ("dark", "yes")
    assert report[0].significantly_worse
    assert sum(s.significantly_worse for s in report) == 1
    assert [s.difference for s in report[1:]] == sorted(s.difference for s in report[1:])


def test_holms_correction_counts_the_test_of_a_column_with_two_values_once(make_run) -> None:
    columns = {"noise": np.random.default_rng(0).random(400), "dark": np.arange(400) % 4 == 0}
    report = report_of(make_run(), columns)
    tests = {s.p_value: s.p_holm for s in report}  # both slices of dark have the same p-value
    assert (len(report), len(tests)) == (6, 5)
    corrected = multipletests(list(tests), method="holm")[1]
    assert list(tests.values()) == pytest.approx(list(corrected))


def test_a_better_slice_is_not_significantly_worse(predicting) -> None:
    n = 400
    dark = np.arange(n) < 100
    run = predicting([0] * n, np.where(dark, np.arange(n) % 2, 0))
    better = by_value(report_of(run, {"dark": dark}), "dark")["no"]
    assert better.p_holm < 0.001
    assert not better.significantly_worse


def test_numbers_are_divided_at_their_quantiles(make_run) -> None:
    report = report_of(make_run(), {"brightness": np.arange(400.0)})
    assert sorted(s.accuracy.n for s in report) == [100] * 4
    assert {s.value for s in report} == {"0 to 99", "100 to 199", "200 to 299", "300 to 399"}


@pytest.mark.parametrize(
    ("numbers", "sizes"),
    [
        (np.arange(400) % 2, [200, 200]),  # few different values are taken as they are
        (np.r_[np.zeros(350), np.arange(1, 51)], [50, 350]),  # most have the lowest
        (np.r_[np.full(350, 99.0), np.arange(50)], [50, 350]),  # most have the highest
    ],
)
def test_a_number_that_most_images_have_is_a_slice(make_run, numbers, sizes) -> None:
    assert sorted(s.accuracy.n for s in report_of(make_run(), {"x": numbers})) == sizes


def test_images_without_a_value_are_in_no_slice_of_the_column(make_run) -> None:
    numbers = np.arange(400.0)
    numbers[:40] = np.nan
    words = np.array([None, "left", "right", "right"] * 100, object)
    report = report_of(make_run(), {"number": numbers, "word": words})
    assert sum(s.accuracy.n for s in report if s.column == "number") == 360
    word = by_value(report, "word")
    assert (word["left"].accuracy.n, word["left"].rest.n) == (100, 200)
    assert set(word) == {"left", "right"}


def test_a_column_with_a_single_value_gives_no_slice(make_run) -> None:
    constant = {"same": np.full(400, 3.0), "word": np.full(400, "x"), "none": np.full(400, np.nan)}
    assert report_of(make_run(), constant) == ()
    assert report_of(make_run(), {}) == ()


def test_columns_that_do_not_fit_are_refused(make_run) -> None:
    with pytest.raises(EvaluationError, match="'x' must have 400 rows like network_0, got 3"):
        report_of(make_run(), {"x": np.zeros(3)})
    with pytest.raises(EvaluationError, match="'name' has 400 different texts"):
        report_of(make_run(), {"name": np.arange(400).astype(str)})


def test_a_perfect_network_has_no_significant_slice(predicting) -> None:
    report = report_of(predicting([0] * 40, [0] * 40), {"half": np.arange(40) < 20})
    assert [s.p_value for s in report] == [1, 1]


def test_a_truth_value_without_images_is_not_defined_and_comes_last(make_run) -> None:
    run = make_run()
    report = report_of(run, {"copy": np.zeros(400, bool), "half": np.arange(400) < 200})
    assert [(s.column, s.value) for s in report[2:]] == [("copy", "no"), ("copy", "yes")]
    everything, nothing = report[2:]
    assert str(nothing.accuracy) == str(everything.rest) == str(nothing.difference_score) == "not defined"
    assert everything.accuracy.n == 400
    assert len(nothing.image_ids) == 0
    assert np.isnan(nothing.p_holm)
    assert not nothing.significantly_worse
    # Only one test was made: half against the other half.
    assert report[0].p_holm == pytest.approx(report[0].p_value)


def test_a_slice_has_the_difference_of_its_accuracy_and_that_of_the_rest(predicting) -> None:
    wrong = np.r_[np.arange(70) >= 56, np.arange(80) >= 48].astype(int)
    first = by_value(report_of(predicting([0] * 150, wrong), {"first": np.arange(150) < 70}), "first")["yes"]
    assert first.difference_score == difference_of_proportions(wilson(56, 70), wilson(48, 80))
    assert first.difference == first.difference_score.value


def test_columns_can_be_binned_once_for_all_networks(make_run) -> None:
    columns = {"brightness": np.random.default_rng(0).normal(size=400), "dark": np.arange(400) % 3 == 0}
    binned = bin_columns(columns)
    for seed in (0, 1):
        run = make_run(seed=seed)
        assert slice_report(run, binned) == report_of(run, columns)
    assert [s.position for s in sorted(slice_report(run, binned[:1]), key=lambda s: s.position)] == [0, 1, 2, 3]
    with pytest.raises(EvaluationError, match="must have 3 rows like network_0, got 400"):
        slice_report(make_run(3), binned)
