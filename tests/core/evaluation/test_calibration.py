from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import auc, brier_score_loss, log_loss

from core.errors import EvaluationError
from core.evaluation import (
    EvaluationRun,
    abstention,
    brier,
    expected_calibration_error,
    fit_temperature,
    nll,
    reliability,
    risk_coverage,
    threshold_for,
)
from core.labels import LabelSet


def test_fit_temperature_matches_a_solution_by_hand() -> None:
    # Logit 4 for a prediction that is right 3 times in 4: sigmoid(4 / T) = 3/4, so T = 4 / ln 3.
    logits, truth = np.array([[4.0, 0.0]] * 4), np.array([0, 0, 0, 1])
    assert fit_temperature(logits, truth) == pytest.approx(4 / np.log(3), rel=1e-4)


@pytest.mark.parametrize("factor", [0.4, 1.0, 2.5])
def test_fit_temperature_finds_a_known_factor(factor) -> None:
    rng = np.random.default_rng(3)
    logits = 2 * rng.normal(size=(20_000, 5))
    # The truth is drawn from the softmax of the logits (Gumbel's trick), so that they are calibrated.
    truth = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    assert fit_temperature(logits * factor, truth) == pytest.approx(factor, rel=0.05)


def test_fit_temperature_stays_in_its_range_and_needs_images() -> None:
    sure = np.array([[5.0, 0.0], [0.0, 5.0]])
    # All predictions are right: the lower the temperature the better, until the loss rounds to 0.
    assert 0.05 <= fit_temperature(sure, np.array([0, 1])) < 0.2
    assert fit_temperature(sure, np.array([1, 0])) == pytest.approx(20, rel=0.01)
    with pytest.raises(EvaluationError, match="at least one image"):
        fit_temperature(np.empty((0, 2)), np.empty(0, int))


def test_nll_and_brier_match_scikit_learn(make_run) -> None:
    run = make_run()
    assert nll(run).value == pytest.approx(log_loss(run.truth, run.probabilities))
    assert brier(run).value == pytest.approx(brier_score_loss(run.truth, run.probabilities))


def test_the_loss_of_a_certain_wrong_prediction_is_finite(run_from) -> None:
    wrong = run_from([1], [[1.0, 0.0]], logits=np.array([[1000.0, 0.0]]))
    assert 700 < nll(wrong).value < 1000
    assert brier(wrong).value == 2


def test_intervals_stay_within_the_range_of_the_score(run_from) -> None:
    # 20 images and one confident mistake: a normal interval would begin at -0.58 for the loss and -0.1 for Brier.
    sure = run_from([0] * 20, [[0.999, 0.001]] * 19 + [[0.001, 0.999]])
    assert nll(sure).low == brier(sure).low == 0
    assert nll(sure).high > nll(sure).value > 0
    wrong = run_from([0] * 20, [[0.001, 0.999]] * 19 + [[0.999, 0.001]])
    assert brier(wrong).high == 2
    assert nll(wrong).high > 2


def test_the_calibration_error_matches_a_calculation_by_hand(run_from) -> None:
    # Two bins of two: confidences 0.6, 0.7 (one right) and 0.8, 0.9 (both right): (|0.65 - 0.5| + |0.85 - 1|) / 2.
    run = run_from([0, 1, 0, 0], [[0.6, 0.4], [0.7, 0.3], [0.8, 0.2], [0.9, 0.1]])
    for scheme, expected in (("equal_mass", 0.15), ("equal_width", abs(0.75 - 0.75))):
        error = expected_calibration_error(run, bins=2, scheme=scheme)
        assert error.value == pytest.approx(expected, abs=1e-6)
    diagram = reliability(run, bins=2)
    np.testing.assert_allclose(diagram.confidence, [0.65, 0.85], rtol=1e-6)
    assert diagram.accuracy.tolist() == [0.5, 1.0]
    assert diagram.count.tolist() == [2, 2]
    assert diagram.ece.value == pytest.approx(0.15)
    assert (diagram.low <= diagram.accuracy).all()
    assert (diagram.accuracy <= diagram.high).all()


@pytest.mark.parametrize(("scheme", "strategy"), [("equal_mass", "quantile"), ("equal_width", "uniform")])
def test_bins_match_scikit_learn(make_run, scheme, strategy) -> None:
    run = make_run()
    accuracy, confidence = calibration_curve(run.correct, run.confidence, n_bins=10, strategy=strategy)
    diagram = reliability(run, bins=10, scheme=scheme)
    np.testing.assert_allclose(diagram.accuracy, accuracy)
    np.testing.assert_allclose(diagram.confidence, confidence)
    gaps = np.abs(diagram.accuracy - diagram.confidence)
    assert diagram.ece.value == pytest.approx((gaps * diagram.count).sum() / 400)


def two_class_run(confidence: np.ndarray, correct: np.ndarray) -> EvaluationRun:
    """A run on two classes with these confidences, at least 0.5, of the predicted class 0."""
    logits = np.column_stack([np.log(confidence), np.log(1 - confidence)])
    n = len(confidence)
    return EvaluationRun("net", "test", LabelSet("two", ("a", "b")), np.arange(n), (~correct).astype(int), logits)


@pytest.mark.parametrize("gap", [0.0, 0.03, 0.06])
def test_the_interval_of_the_calibration_error_covers_the_true_one(gap) -> None:
    # The accuracy is `gap` lower than the confidence.
    rng, missed = np.random.default_rng(0), []
    for _ in range(200):
        confidence = 0.5 + 0.49 * rng.beta(4, 1.5, 2000)
        error = expected_calibration_error(two_class_run(confidence, rng.random(2000) < confidence - gap))
        missed.append(not error.low <= gap <= error.high)
    assert np.mean(missed) < 0.08  # 5 %, and the standard error of 200 simulations


def test_the_interval_of_a_perfectly_calibrated_network_starts_at_zero() -> None:
    rng = np.random.default_rng(0)
    confidence = 0.5 + 0.49 * rng.beta(4, 1.5, 2000)
    error = expected_calibration_error(two_class_run(confidence, rng.random(2000) < confidence))
    assert error.value > 0.01
    assert error.low == 0


def test_equal_confidences_are_in_one_bin_in_any_order(run_from) -> None:
    truth = np.array([0, 1] * 50)
    for order in (np.arange(100), np.argsort(truth, kind="stable")):
        run = run_from(truth[order], [[0.5 + 1e-9, 0.5]] * 100)
        assert reliability(run).count.tolist() == [100]
        assert reliability(run).ece.value == pytest.approx(0, abs=1e-6)


def test_a_threshold_is_one_of_the_confidences(make_run) -> None:
    run = make_run()
    threshold = threshold_for(run, 0.6)
    assert threshold in run.confidence
    assert abstention(run, threshold).accuracy.value >= 0.6


def test_temperature_changes_the_diagram_but_not_the_predictions(make_run) -> None:
    sharp = make_run(temperature=0.5)
    before = sharp.uncalibrated
    assert reliability(sharp).confidence.mean() > reliability(before).confidence.mean()
    np.testing.assert_array_equal(sharp.predicted, before.predicted)


def test_unknown_bins_are_refused(make_run) -> None:
    run = make_run()
    with pytest.raises(EvaluationError, match="at least 1 bin, got 0"):
        reliability(run, bins=0)
    with pytest.raises(EvaluationError, match="equal_mass or equal_width, got 'equal'"):
        reliability(run, scheme="equal")


@given(st.integers(0, 40), st.integers(1, 20), st.integers(0, 5), st.sampled_from(["equal_mass", "equal_width"]))
@settings(max_examples=60, deadline=None)
def test_the_calibration_error_is_in_its_interval_and_in_0_to_1(make_run, n, bins, seed, scheme) -> None:
    run = make_run(n, seed=seed)
    error = reliability(run, bins, scheme).ece
    assert not error.defined if n == 0 else 0 <= error.low <= error.value <= error.high <= 1
    assert reliability(run, bins, scheme).count.sum() == n


def test_risk_and_coverage_match_a_calculation_by_hand(run_from) -> None:
    # By confidence: right, wrong, right, right.
    run = run_from([0, 0, 1, 0], [[0.7, 0.3], [0.9, 0.1], [0.8, 0.2], [0.6, 0.4]])
    curve = risk_coverage(run)
    np.testing.assert_allclose(curve.coverages, [0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(curve.risks, [0, 1 / 2, 1 / 3, 1 / 4])
    assert curve.area.value == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 4) / 4)


def test_a_curve_is_thinned_but_its_area_uses_all_points(make_run) -> None:
    run = make_run(5000)
    curve = risk_coverage(run)
    assert len(curve.coverages) == 200
    assert curve.coverages[-1] == 1
    assert curve.risks[-1] == pytest.approx(1 - run.correct.mean())
    assert curve.area.value == pytest.approx(auc(curve.coverages, curve.risks), abs=0.005)


@pytest.mark.parametrize("ties", [False, True])
def test_the_interval_of_the_area_matches_a_bootstrap_of_the_images(make_run, ties) -> None:
    run = make_run(500, skill=1.0)
    if ties:
        run = replace(run, logits=run.logits.round(0))
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(400):
        rows = rng.integers(0, len(run), len(run))
        sampled = replace(run.select(np.arange(len(run))), image_ids=np.arange(len(run)))
        drawn.append(
            risk_coverage(replace(sampled, truth=run.truth[rows], logits=run.logits[rows], mirrored=None)).area.value
        )
    area = risk_coverage(run).area
    assert (area.high - area.low) / 2 / 1.96 == pytest.approx(np.std(drawn), rel=0.12)


def test_the_order_of_equal_confidences_does_not_matter(run_from) -> None:
    truth = np.array([0] * 30 + [1] * 10)
    areas = [risk_coverage(run_from(t, [[0.6, 0.4]] * 40)).area.value for t in (truth, truth[::-1])]
    assert areas == pytest.approx([0.25, 0.25])


def test_a_threshold_from_one_run_is_applied_to_another(run_from) -> None:
    chosen_on = run_from([0, 0, 1, 0], [[0.7, 0.3], [0.9, 0.1], [0.8, 0.2], [0.6, 0.4]])
    threshold = threshold_for(chosen_on, 0.7)
    assert threshold == pytest.approx(0.6)  # 3 of 4 right without abstaining
    assert threshold_for(chosen_on, 0.9) == pytest.approx(0.9)
    elsewhere = run_from([0, 1, 1], [[0.95, 0.05], [0.92, 0.08], [0.55, 0.45]])
    result = abstention(elsewhere, threshold_for(chosen_on, 0.9))
    assert (result.coverage.value, result.accuracy.value, result.accuracy.n) == (pytest.approx(2 / 3), 0.5, 2)


def test_a_network_that_always_abstains_has_no_accuracy(run_from) -> None:
    result = abstention(run_from([0], [[0.6, 0.4]]), 0.99)
    assert result.coverage.value == 0
    assert not result.accuracy.defined


def test_an_accuracy_that_is_not_reached_is_refused_and_the_best_named(run_from) -> None:
    run = run_from([0, 1], [[0.9, 0.1], [0.9, 0.1]])
    with pytest.raises(EvaluationError, match=r"0\.900 at any confidence on test; the best is 0\.500 from a .* 0\.900"):
        threshold_for(run, 0.9)
    with pytest.raises(EvaluationError, match="must lie in 0"):
        threshold_for(run, 73)


@given(st.integers(1, 60), st.integers(0, 3), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_a_threshold_reaches_its_target_on_the_run_it_was_chosen_on(make_run, n, seed, target) -> None:
    run = make_run(n, seed=seed, skill=3)
    try:
        threshold = threshold_for(run, target)
    except EvaluationError:
        return
    assert abstention(run, threshold).accuracy.value >= target
