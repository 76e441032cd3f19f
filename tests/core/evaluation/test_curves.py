import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import auc, average_precision_score, roc_auc_score, roc_curve, top_k_accuracy_score

from core.evaluation import curves as curves_module
from core.evaluation import levels as levels_module
from core.evaluation import pareto_front, pr_curves, roc_curves, smoothed, top_k


def delong_variance(positives: np.ndarray, negatives: np.ndarray) -> float:
    """DeLong et al. (1988), equations as printed: the kernel over all pairs of images."""
    kernel = (positives[:, None] > negatives).astype(float) + 0.5 * (positives[:, None] == negatives)
    return float(kernel.mean(axis=1).var(ddof=1) / len(positives) + kernel.mean(axis=0).var(ddof=1) / len(negatives))


def test_areas_are_scikit_learns(make_run) -> None:
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


def test_a_roc_interval_is_delongs(make_run) -> None:
    run = make_run()
    for k, curve in enumerate(roc_curves(run).classes):
        p = np.round(run.probabilities[:, k], 2)  # ties, too
        half = 1.959964 * np.sqrt(
            delong_variance(run.probabilities[run.truth == k, k], run.probabilities[run.truth != k, k])
        )
        assert curve.area.value - curve.area.low == pytest.approx(half, rel=1e-5)
        levels = curves_module._Levels.of(*levels_module.levels(p), run.truth == k)
        influence = levels.area_influence(roc_auc_score(run.truth == k, p))[levels.cell]
        assert (influence**2).sum() == pytest.approx(delong_variance(p[run.truth == k], p[run.truth != k]))


def test_the_macro_interval_is_that_of_drawing_images(make_run) -> None:
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
    assert (macro.high - macro.low) / 2 / 1.96 == pytest.approx(np.std(drawn), rel=0.15)


def test_a_precision_interval_is_the_logit_one(make_run) -> None:
    area = pr_curves(make_run()).classes[0].area
    logit = np.log(area.value / (1 - area.value))
    tau = 1 / np.sqrt((make_run().truth == 0).sum() * area.value * (1 - area.value))
    assert area.low == pytest.approx(1 / (1 + np.exp(-(logit - 1.959964 * tau))), rel=1e-5)
    assert area.low < area.value < area.high


def test_curves_are_bounded_and_keep_their_shape(make_run) -> None:
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


def test_a_class_without_images_has_no_curve_and_is_not_in_the_mean(answering) -> None:
    run = answering([0, 0, 2, 2], [0, 2, 2, 2])
    for curves in (roc_curves(run), pr_curves(run)):
        absent = curves.classes[1]
        assert not absent.area.defined
        assert len(absent.x) == len(absent.y) == absent.support == 0
        assert curves.macro.area.value == pytest.approx(
            np.mean([curves.classes[0].area.value, curves.classes[2].area.value])
        )


def test_one_class_alone_has_no_roc_curve(answering) -> None:
    curves = roc_curves(answering([0, 0], [0, 1]))
    assert not curves.macro.area.defined
    assert len(curves.macro.x) == 0


def test_many_images_are_rounded_to_levels_with_hardly_a_change(make_run, monkeypatch) -> None:
    run = make_run(3000)
    exact_roc, exact_pr = roc_curves(run), pr_curves(run)
    monkeypatch.setattr(levels_module, "EXACT_IMAGES", 100)
    for exact, rounded in ((exact_roc, roc_curves(run)), (exact_pr, pr_curves(run))):
        for a, b in zip((*exact.classes, exact.macro), (*rounded.classes, rounded.macro), strict=True):
            assert b.area.value == pytest.approx(a.area.value, abs=1e-3)


@given(st.integers(0, 30), st.integers(0, 5))
@settings(max_examples=15, deadline=None)
def test_any_run_has_curves_with_areas_in_0_to_1_or_undefined(make_run, n, seed) -> None:
    run = make_run(n, seed=seed)
    for curves in (roc_curves(run), pr_curves(run)):
        for curve in (*curves.classes, curves.macro):
            assert not curve.area.defined or 0 <= curve.area.value <= 1 + 1e-12
            assert np.isfinite(curve.x).all()
            assert np.isfinite(curve.y).all()


def test_top_k_is_scikit_learns_and_begins_with_accuracy(make_run) -> None:
    run = make_run()
    found = [score.value for score in top_k(run)]
    expected = [top_k_accuracy_score(run.truth, run.logits, k=k) for k in range(1, 7)]
    assert found == pytest.approx([*expected, 1.0])
    assert found[0] == run.correct.mean()


def test_of_equal_logits_the_first_class_is_higher(run_from) -> None:
    scores = top_k(run_from([0, 1, 2], [[1 / 3] * 3] * 3))
    assert [s.value for s in scores] == pytest.approx([1 / 3, 2 / 3, 1])


def test_smoothing_is_a_moving_average_that_starts_right() -> None:
    np.testing.assert_allclose(smoothed(np.array([1.0, 3.0]), 0.5), [1, (0.25 * 1 + 0.5 * 3) / 0.75])
    np.testing.assert_allclose(smoothed(np.array([5.0, np.nan, 5.0]), 0.9), [5, np.nan, 5])
    np.testing.assert_allclose(smoothed(np.array([1.0, 2.0, 9.0]), 0), [1, 2, 9])
    with pytest.raises(ValueError, match="smoothing weight"):
        smoothed(np.array([1.0]), 1)


def test_the_pareto_front_holds_what_no_other_beats() -> None:
    costs, scores = np.array([1, 2, 3, 4, 2, np.nan]), np.array([0.6, 0.7, 0.65, 0.8, 0.7, 0.9])
    assert pareto_front(costs, scores).tolist() == [True, True, False, True, True, False]
