import json
import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, precision_recall_fscore_support

from core.evaluation import (
    EvaluationRun,
    RunSummary,
    accuracy,
    balanced_accuracy,
    macro_f1,
    mirror_consistency,
    per_class,
    summarize,
    wilson,
)
from core.labels import LabelSet


def test_scores_match_scikit_learn(make_run) -> None:
    run = make_run()
    assert accuracy(run) == wilson(int((run.truth == run.predicted).sum()), 400)
    assert macro_f1(run).value == pytest.approx(f1_score(run.truth, run.predicted, average="macro"))
    assert balanced_accuracy(run).value == pytest.approx(balanced_accuracy_score(run.truth, run.predicted))
    expected = precision_recall_fscore_support(run.truth, run.predicted)
    for k, scores in enumerate(per_class(run)):
        found = (scores.precision.value, scores.recall.value, scores.f1.value, scores.support)
        assert found == pytest.approx(tuple(column[k] for column in expected))


def test_scores_match_a_calculation_by_hand(predicting) -> None:
    # a: 2 of 3 found, 2 of 3 predictions right; b: 1 of 2 found, 1 of 1 right; c: 1 of 1 found, 1 of 2 right.
    run = predicting([0, 0, 0, 1, 1, 2], [0, 0, 2, 1, 0, 2])
    a, b, c = per_class(run)
    assert (a.class_name, a.support, a.predicted) == ("a", 3, 3)
    assert [round(s.value, 6) for s in (a.precision, b.precision, c.precision)] == [0.666667, 1, 0.5]
    assert [round(s.value, 6) for s in (a.recall, b.recall, c.recall)] == [0.666667, 0.5, 1]
    assert [round(s.value, 6) for s in (a.f1, b.f1, c.f1)] == [0.666667, 0.666667, 0.666667]
    assert macro_f1(run).value == pytest.approx(2 / 3)
    assert balanced_accuracy(run).value == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)


def test_bootstrap_intervals_match_a_bootstrap_of_the_images(make_run) -> None:
    run = make_run()
    rng, drawn = np.random.default_rng(0), {"f1": [], "recall": []}
    for _ in range(2000):
        rows = rng.integers(0, len(run), len(run))
        counts = np.bincount(run.truth[rows] * 7 + run.predicted[rows], minlength=49).reshape(7, 7)
        hits, support, predicted = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
        drawn["f1"].append((2 * hits / (support + predicted)).mean())
        drawn["recall"].append((hits / support).mean())
    for score, values in ((macro_f1(run), drawn["f1"]), (balanced_accuracy(run), drawn["recall"])):
        assert [score.low, score.high] == pytest.approx(np.percentile(values, [2.5, 97.5]), abs=0.006)
        assert score.low < score.value < score.high
        assert (score.n, score.method) == (400, "bootstrap")


def test_intervals_are_deterministic(make_run) -> None:
    assert macro_f1(make_run()) == macro_f1(make_run())


def test_a_class_without_images_is_not_defined_and_does_not_enter_the_means(predicting) -> None:
    run = predicting([0, 0, 2, 2], [0, 1, 2, 2])
    _, absent, _ = per_class(run)
    assert (absent.support, absent.predicted) == (0, 1)
    assert not absent.recall.defined
    assert not absent.f1.defined
    assert absent.precision.value == 0  # it was predicted once, wrongly
    assert macro_f1(run).value == pytest.approx((2 / 3 + 1) / 2)
    assert balanced_accuracy(run).value == pytest.approx((1 / 2 + 1) / 2)
    assert summarize(run).absent_classes == ("b",)


def test_a_class_that_is_never_predicted_has_no_precision_and_recall_0(predicting) -> None:
    _, never, _ = per_class(predicting([0, 1, 2], [0, 0, 2]))
    assert not never.precision.defined
    assert (never.recall.value, never.f1.value) == (0, 0)


def test_without_images_no_score_is_defined(make_run) -> None:
    empty = make_run().select(np.zeros(400, bool))
    summary = summarize(empty)
    assert summary.n == 0
    for score in (
        summary.accuracy,
        summary.macro_f1,
        summary.balanced_accuracy,
        summary.nll,
        summary.ece,
        summary.brier,
    ):
        assert not score.defined
    assert not any(scores.f1.defined for scores in per_class(empty))


def test_a_summary_has_the_accuracy_without_copies_if_they_are_known(make_run) -> None:
    run = make_run()
    assert summarize(run).accuracy_without_copies == accuracy(run.select(~run.copy_in_train))
    assert summarize(make_run(copy_in_train=None)).accuracy_without_copies is None


@pytest.mark.parametrize("n", [400, 0])
def test_a_summary_survives_json(make_run, n) -> None:
    summary = summarize(make_run().select(np.arange(n)))
    data = json.loads(json.dumps(summary.to_json(), allow_nan=False))
    assert RunSummary.from_json(data | {"added later": 1}) == summary
    assert data["n"] == n
    assert math.isnan(summary.accuracy.value) == (data["accuracy"]["value"] is None) == (n == 0)


def test_a_summary_has_the_scores_of_the_mirrored_average() -> None:
    labels = LabelSet("two", ("no", "yes"))
    wrong, right = np.array([[1.0, 0.0]] * 4), np.array([[0.0, 3.0]] * 4)
    copies = np.array([True, False, False, False])
    run = EvaluationRun("m", "test", labels, np.arange(4), np.ones(4, int), wrong, copies, mirrored=right)
    summary = summarize(run)
    assert (summary.accuracy.value, summary.accuracy_mirrored.value) == (0.0, 1.0)
    assert summary.mirrored_without_copies.n == 3
    assert RunSummary.from_json(summary.to_json()) == summary


def test_mirror_consistency_is_the_share_of_equal_predictions(make_run) -> None:
    run = make_run(4)
    mirrored = run.logits.copy()
    mirrored[0] = -mirrored[0]
    assert mirror_consistency(replace(run, mirrored=mirrored)) == wilson(3, 4)
    assert mirror_consistency(run) is None
