from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import auc, average_precision_score, roc_auc_score, roc_curve, top_k_accuracy_score

from core.evaluation import intervals, pareto_front, pr_curves, roc_curves, smoothed, thresholds, top_k
from core.evaluation.intervals import auc_score, wilson, wilson_bounds


def delong_variance(positives: np.ndarray, negatives: np.ndarray) -> float:
    """DeLong et al. (1988), as published: the kernel over all pairs of images."""
    kernel = (positives[:, None] > negatives).astype(float) + 0.5 * (positives[:, None] == negatives)
    return float(kernel.mean(axis=1).var(ddof=1) / len(positives) + kernel.mean(axis=0).var(ddof=1) / len(negatives))


def test_areas_match_scikit_learn(make_run) -> None:
    run = make_run()
    roc, pr = roc_curves(run), pr_curves(run)
    for k in range(7):
        truth, p = run.truth == k, run.probabilities[:, k]
        assert roc.classes[k].area.value == pytest.approx(roc_auc_score(truth, p))
        assert pr.classes[k].area.value == pytest.approx(average_precision_score(truth, p))
        assert roc.classes[k].support == truth.sum()
    macro = roc_auc_score(run.truth, run.probabilities, multi_class="ovr", average="macro")
    assert roc.macro.area.value == pytest.approx(macro)
    assert pr.macro.area.value == pytest.approx(
        average_precision_score(np.eye(7)[run.truth], run.probabilities, average="macro")
    )
    assert [c.name for c in roc.classes] == list(run.labels.classes)


def test_the_interval_of_a_roc_area_uses_delongs_variance(make_run) -> None:
    run = make_run()
    run = replace(run, logits=run.logits.round(0))  # with ties
    for k, curve in enumerate(roc_curves(run).classes):
        positives, negatives = run.probabilities[run.truth == k, k], run.probabilities[run.truth != k, k]
        variance = delong_variance(positives, negatives)
        expected = auc_score(curve.area.value, variance, len(positives), len(negatives))
        assert (curve.area.low, curve.area.high) == pytest.approx((expected.low, expected.high))


def test_a_class_with_a_single_image_has_an_approximate_interval(run_from) -> None:
    area = roc_curves(run_from([0, 1, 1, 1], [[0.6, 0.4], [0.7, 0.3], [0.2, 0.8], [0.1, 0.9]])).classes[0].area
    assert area.value == pytest.approx(2 / 3)
    assert area.approximate
    assert area.low < area.value < area.high


def test_the_interval_of_the_macro_area_matches_a_bootstrap_of_the_images(make_run) -> None:
    run = make_run()
    rng, drawn = np.random.default_rng(0), []
    ranks_of = [run.probabilities[:, k].argsort().argsort() for k in range(7)]
    for _ in range(300):
        weights = np.bincount(rng.integers(0, 400, 400), minlength=400)
        areas = []
        for k in range(7):
            order = np.argsort(ranks_of[k])
            positive, negative = (weights * (run.truth == k))[order], (weights * (run.truth != k))[order]
            areas.append((positive * (np.cumsum(negative) - negative / 2)).sum() / positive.sum() / negative.sum())
        drawn.append(np.mean(areas))
    macro = roc_curves(run).macro.area
    # A little wider, because the intervals of the classes are wider than DeLong's.
    assert 0.9 < (macro.high - macro.low) / 2 / 1.96 / np.std(drawn) < 1.25


def test_the_interval_of_an_average_precision_is_that_of_a_proportion_of_the_positives(make_run) -> None:
    run = make_run()
    area, positives = pr_curves(run).classes[0].area, int((run.truth == 0).sum())
    assert (area.low, area.high) == pytest.approx(wilson_bounds(np.array(area.value * positives), np.array(positives)))
    assert area.low < area.value < area.high


@pytest.mark.parametrize("positives", [10, 11, 51, 59, 60])
def test_a_class_that_is_ranked_perfectly_has_an_interval_and_so_has_the_mean(run_from, positives) -> None:
    truth = [0] * positives + [1] * 40
    certain = [[0.9, 0.1]] * positives + [[0.2, 0.8]] * 40
    curves = pr_curves(run_from(truth, certain))
    area = curves.classes[0].area
    assert (area.value, area.high) == pytest.approx((1, 1))
    assert area.high <= 1
    assert area.low == pytest.approx(wilson(positives, positives).low)
    assert curves.macro.area.low == pytest.approx((area.low + wilson(40, 40).low) / 2)


def test_the_interval_of_a_nearly_perfect_average_precision_is_narrow() -> None:
    area = intervals.average_precision_score(0.999, 50, 500)
    assert 0.92 < area.low < area.value < area.high
    assert area.high > 0.999


def test_curves_have_at_most_200_points_and_keep_their_shape(make_run) -> None:
    run = make_run(3000, skill=0.5)
    for curves in (roc_curves(run), pr_curves(run)):
        for curve in (*curves.classes, curves.macro):
            assert len(curve.x) == len(curve.y) <= 200
            assert (np.diff(curve.x) >= 0).all()
    for k, curve in enumerate(roc_curves(run).classes):
        assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0, 0, 1, 1)
        assert auc(curve.x, curve.y) == pytest.approx(curve.area.value, abs=0.003)
        false_rate, true_rate, _ = roc_curve(run.truth == k, run.probabilities[:, k], drop_intermediate=False)
        points = set(zip(false_rate.round(9), true_rate.round(9), strict=True))
        assert set(zip(curve.x.round(9), curve.y.round(9), strict=True)) <= points


def test_a_class_without_images_has_no_curve_and_does_not_enter_the_mean(predicting) -> None:
    run = predicting([0, 0, 2, 2], [0, 2, 2, 2])
    for curves in (roc_curves(run), pr_curves(run)):
        absent = curves.classes[1]
        assert not absent.area.defined
        assert len(absent.x) == len(absent.y) == absent.support == 0
        assert curves.macro.area.value == pytest.approx(
            np.mean([curves.classes[0].area.value, curves.classes[2].area.value])
        )


def test_there_is_no_roc_curve_without_negatives(predicting) -> None:
    curves = roc_curves(predicting([0, 0], [0, 1]))
    assert not curves.macro.area.defined
    assert len(curves.macro.x) == 0


@pytest.mark.parametrize("sharpness", [1, 5])
def test_rounding_the_scores_of_many_images_hardly_changes_areas(make_run, monkeypatch, sharpness) -> None:
    exact_run = make_run(3000)
    run = replace(exact_run, logits=exact_run.logits * sharpness)
    exact_roc, exact_pr = roc_curves(run), pr_curves(run)
    monkeypatch.setattr(thresholds, "EXACT_IMAGES", 100)
    for exact, rounded in ((exact_roc, roc_curves(run)), (exact_pr, pr_curves(run))):
        for a, b in zip((*exact.classes, exact.macro), (*rounded.classes, rounded.macro), strict=True):
            assert b.area.value == pytest.approx(a.area.value, abs=1e-3)


@given(st.integers(0, 30), st.integers(0, 5))
@settings(max_examples=15, deadline=None)
def test_areas_are_in_0_to_1_or_not_defined(make_run, n, seed) -> None:
    run = make_run(n, seed=seed)
    for curves in (roc_curves(run), pr_curves(run)):
        for curve in (*curves.classes, curves.macro):
            assert not curve.area.defined or 0 <= curve.area.value <= 1 + 1e-12
            assert np.isfinite(curve.x).all()
            assert np.isfinite(curve.y).all()


def test_top_k_matches_scikit_learn_and_starts_with_the_accuracy(make_run) -> None:
    run = make_run()
    found = [score.value for score in top_k(run)]
    expected = [top_k_accuracy_score(run.truth, run.logits, k=k) for k in range(1, 7)]
    assert found == pytest.approx([*expected, 1.0])
    assert found[0] == run.correct.mean()


def test_of_equal_logits_the_first_class_ranks_higher(run_from) -> None:
    scores = top_k(run_from([0, 1, 2], [[1 / 3] * 3] * 3))
    assert [s.value for s in scores] == pytest.approx([1 / 3, 2 / 3, 1])


def test_smoothing_is_a_moving_average_corrected_for_its_start() -> None:
    np.testing.assert_allclose(smoothed(np.array([1.0, 3.0]), 0.5), [1, (0.25 * 1 + 0.5 * 3) / 0.75])
    np.testing.assert_allclose(smoothed(np.array([5.0, np.nan, 5.0]), 0.9), [5, np.nan, 5])
    np.testing.assert_allclose(smoothed(np.array([1.0, 2.0, 9.0]), 0), [1, 2, 9])
    with pytest.raises(ValueError, match="smoothing weight"):
        smoothed(np.array([1.0]), 1)


def test_the_pareto_front_has_the_networks_that_no_other_dominates() -> None:
    costs, scores = np.array([1, 2, 3, 4, 2, np.nan]), np.array([0.6, 0.7, 0.65, 0.8, 0.7, 0.9])
    assert pareto_front(costs, scores).tolist() == [True, True, False, True, True, False]
