import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from core.errors import EvaluationError
from core.evaluation import disagreement, divergence_bits, ensemble_run, error_table, likely_label_errors


def test_certain_predictions_of_different_classes_disagree_by_one_bit(run_from) -> None:
    first = run_from([0, 0], [[1, 0], [0.5, 0.5]])
    second = run_from([0, 0], [[0, 1], [0.5, 0.5]])
    np.testing.assert_allclose(disagreement([first, second]), [1, 0], atol=1e-9)


def test_the_disagreement_of_two_networks_matches_scipy(make_run) -> None:
    a, b = make_run(50, seed=0, temperature=0.8), make_run(50, seed=1)
    expected = jensenshannon(a.probabilities, b.probabilities, base=2, axis=1) ** 2
    np.testing.assert_allclose(disagreement([a, b]), expected, atol=1e-9)


def test_the_divergence_is_zero_for_equal_and_one_bit_for_opposite_distributions() -> None:
    assert divergence_bits([np.array([0.3, 0.7])] * 3) == pytest.approx(0, abs=1e-12)
    assert divergence_bits([np.array([1.0, 0.0]), np.array([0.0, 1.0])]) == pytest.approx(1)
    # H(0.75, 0.25) minus the mean of H(1, 0) and H(0.5, 0.5).
    assert divergence_bits([np.array([1.0, 0.0]), np.array([0.5, 0.5])]) == pytest.approx(0.811278 - 0.5, abs=1e-6)


def test_the_divergence_with_nan_is_nan() -> None:
    assert np.isnan(divergence_bits([np.array([0.3, 0.7]), np.array([np.nan, np.nan])]))


@given(st.integers(1, 5), st.floats(0, 1000))
@settings(max_examples=30, deadline=None)
def test_a_disagreement_is_between_0_and_log2_of_the_number_of_networks(make_run, networks, sharpness) -> None:
    runs = [make_run(20, seed=s) for s in range(networks)]
    runs = [make_run(20, seed=s, logits=r.logits * sharpness) for s, r in enumerate(runs)]
    bits = disagreement(runs)
    assert (bits >= 0).all()
    assert (bits <= np.log2(networks) + 1e-6).all()


def test_the_error_table_has_one_row_per_image_with_all_predictions(run_from) -> None:
    run = run_from([0, 1, 1], [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]], model_id="mine", image_ids=np.array([7, 8, 9]))
    other = run_from([1, 1, 0], [[0.4, 0.6], [0.1, 0.9], [0.5, 0.5]], model_id="other", image_ids=np.array([9, 8, 7]))
    table = error_table(run, [other])
    assert table["image_id"].tolist() == [7, 8, 9]
    assert table["true"].tolist() == ["a", "b", "b"]
    assert table["predicted"].tolist() == ["a", "a", "b"]
    assert table["correct"].tolist() == [True, False, True]
    assert table["predicted_other"].tolist() == ["a", "b", "b"]  # in the order of the first run
    np.testing.assert_allclose(table["confidence"], [0.9, 0.8, 0.7], rtol=1e-6)
    np.testing.assert_allclose(table["probability_of_true"], [0.9, 0.2, 0.7], rtol=1e-6)
    np.testing.assert_allclose(table["loss"], -np.log([0.9, 0.2, 0.7]), rtol=1e-5)
    assert (table["disagreement"] > 0).all()
    assert (error_table(run)["disagreement"] == 0).all()


def test_an_ensemble_is_not_one_of_the_networks_that_disagree(make_run) -> None:
    runs = [make_run(seed=0), make_run(seed=1), make_run(seed=2)]
    ensemble = ensemble_run(runs)
    expected = disagreement(runs)
    for run, others in ((ensemble, runs), (runs[0], [*runs[1:], ensemble])):
        table = error_table(run, others, networks=runs)
        np.testing.assert_allclose(table["disagreement"], expected, atol=1e-9)
        assert {f"predicted_{other.model_id}" for other in others} <= set(table.columns)


def test_an_error_table_needs_runs_on_the_same_images(make_run) -> None:
    with pytest.raises(EvaluationError, match="different images"):
        error_table(make_run(), [make_run(seed=1).select(np.arange(9))])
    with pytest.raises(EvaluationError, match="at least one network"):
        disagreement([])


def test_confident_learning_matches_a_calculation_by_hand(run_from) -> None:
    # Labeled a: P(a) = 0.9, 0.8, 0.1 -> threshold 0.6. Labeled b: P(b) = 0.9, 0.6, 0.3 -> threshold 0.6.
    run = run_from(
        [0, 0, 0, 1, 1, 1],
        [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.1, 0.9], [0.4, 0.6], [0.7, 0.3]],
        image_ids=np.arange(10, 16),
    )
    issues = likely_label_errors(run)
    assert issues.confident_joint.tolist() == [[2, 1], [1, 2]]
    assert issues.table["image_id"].tolist() == [12, 15]  # margins 0.8 and 0.4
    assert issues.table["given"].tolist() == ["a", "b"]
    assert issues.table["suggested"].tolist() == ["b", "a"]
    np.testing.assert_allclose(issues.table["margin"], [0.8, 0.4], rtol=1e-5)
    np.testing.assert_allclose(issues.joint, [[1 / 3, 1 / 6], [1 / 6, 1 / 3]])
    assert issues.estimated_share.value == pytest.approx(1 / 3)


def test_an_uncertain_prediction_lists_no_label(run_from) -> None:
    # The probability of b of the second image is above that of a, but below the mean of images labeled b.
    issues = likely_label_errors(run_from([0, 0, 1], [[0.9, 0.1], [0.45, 0.55], [0.1, 0.9]]))
    assert issues.table.empty
    assert issues.confident_joint.tolist() == [[1, 0], [0, 1]]


def test_swapped_labels_are_found(make_run) -> None:
    run = make_run(2000, skill=6)
    swapped = np.arange(0, 2000, 20)
    truth = run.truth.copy()
    truth[swapped] = (truth[swapped] + 1) % 7
    issues = likely_label_errors(make_run(2000, skill=6, truth=truth, logits=run.logits))
    found = set(issues.table["image_id"])
    wrong = set(run.image_ids[swapped])
    assert len(found & wrong) > 0.8 * len(wrong)
    assert len(found - wrong) < 0.1 * len(wrong)
    assert issues.estimated_share.value == pytest.approx(0.05, abs=0.01)
    assert issues.estimated_share.low <= 0.05 <= issues.estimated_share.high
    assert issues.estimated_share.high - issues.estimated_share.low < 0.04


def test_a_class_without_images_is_never_suggested(run_from) -> None:
    issues = likely_label_errors(run_from([0, 0, 1], [[0.1, 0.1, 0.8], [0.8, 0.1, 0.1], [0.1, 0.8, 0.1]]))
    assert issues.confident_joint[:, 2].tolist() == [0, 0, 0]
    assert issues.joint.sum() == pytest.approx(1)


def test_without_images_the_tables_are_empty(make_run) -> None:
    empty = make_run().select(np.zeros(400, bool))
    assert error_table(empty, [empty]).empty
    assert isinstance(likely_label_errors(empty).table, pd.DataFrame)
