import numpy as np
import pytest
from sklearn.metrics import confusion_matrix
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from core.errors import EvaluationError
from core.evaluation import ConfusionMatrix, confusion_difference, wilson
from core.evaluation.confusion import resampled_counts
from core.labels import FERPLUS8


def test_rows_are_true_classes_and_columns_predicted_classes(predicting) -> None:
    matrix = ConfusionMatrix.from_run(predicting([0, 0, 0, 1, 1, 2], [0, 0, 2, 1, 0, 2]))
    assert matrix.counts.tolist() == [[2, 0, 1], [1, 1, 0], [0, 0, 1]]
    assert matrix.n == 6
    np.testing.assert_allclose(matrix.by_true(), [[2 / 3, 0, 1 / 3], [1 / 2, 1 / 2, 0], [0, 0, 1]])
    np.testing.assert_allclose(matrix.by_predicted(), [[2 / 3, 0, 1 / 2], [1 / 3, 1, 0], [0, 0, 1 / 2]])


def test_counts_match_scikit_learn(make_run) -> None:
    run = make_run()
    np.testing.assert_array_equal(ConfusionMatrix.from_run(run).counts, confusion_matrix(run.truth, run.predicted))


def test_a_class_without_images_or_predictions_has_no_shares(predicting) -> None:
    matrix = ConfusionMatrix.from_run(predicting([0, 0, 2], [0, 0, 0]))
    assert np.isnan(matrix.by_true()[1]).all()
    assert not np.isnan(matrix.by_true()[[0, 2]]).any()
    assert np.isnan(matrix.by_predicted()[:, [1, 2]]).all()


def test_the_bounds_of_shares_are_wilsons(predicting) -> None:
    matrix = ConfusionMatrix.from_run(predicting([0, 0, 0, 1, 1], [0, 0, 2, 1, 0]))
    low, high = matrix.bounds_by_true()
    assert (low[0, 0], high[0, 0]) == pytest.approx((wilson(2, 3).low, wilson(2, 3).high))
    assert np.isnan(low[2]).all()
    assert matrix.bounds_by_predicted()[0][0, 0] == pytest.approx(wilson(2, 3).low)


def test_the_difference_is_that_of_the_shares_by_true_class(predicting) -> None:
    first, second = predicting([0, 0, 1, 1], [0, 0, 1, 0], 2), predicting([0, 0, 1, 1], [0, 1, 1, 1], 2)
    np.testing.assert_allclose(confusion_difference(first, second).shares, [[0.5, -0.5], [0.5, -0.5]])


def test_a_cell_that_always_differs_is_significant(predicting) -> None:
    truth = [0] * 40
    difference = confusion_difference(predicting(truth, truth), predicting(truth, [1] * 40))
    assert difference.significant.tolist() == [[True, True, False], [False] * 3, [False] * 3]
    # Two of nine cells have the p-value of 40 against 0; Holm multiplies it by 9.
    assert difference.p_holm[0, 0] == pytest.approx(9 * 2 * 0.5**40)
    assert difference.p_holm[2, 2] == 1


def test_six_differing_images_are_not_significant_after_the_correction(predicting) -> None:
    # 6 against 0: 2 / 64 = 0.031 for each of two cells, 0.28 after Holm's correction over 9 cells.
    truth = [0] * 6
    difference = confusion_difference(predicting(truth, truth), predicting(truth, [1] * 6))
    assert difference.p_holm[0, 0] == pytest.approx(9 * 2 / 64)
    assert not difference.significant.any()


def test_each_cell_is_tested_by_mcnemar_and_corrected_by_holm(make_run) -> None:
    first, second = make_run(seed=0), make_run(seed=1)
    p_values = []
    for true in range(7):
        for predicted in range(7):
            one, two = ((run.truth == true) & (run.predicted == predicted) for run in (first, second))
            table = [[0, int((one & ~two).sum())], [int((two & ~one).sum()), 0]]
            p_values.append(min(1.0, mcnemar(table, exact=True).pvalue))
    expected = multipletests(p_values, method="holm")[1]
    np.testing.assert_allclose(confusion_difference(first, second).p_holm.ravel(), expected)


def test_the_difference_needs_runs_that_can_be_paired(make_run) -> None:
    with pytest.raises(EvaluationError, match="choose networks with the same classes"):
        confusion_difference(make_run(), make_run(labels=FERPLUS8))


def test_counts_of_another_shape_are_refused() -> None:
    with pytest.raises(EvaluationError, match=r"shape \(8, 8\) for FERPLUS8, got \(7, 7\)"):
        ConfusionMatrix(FERPLUS8, np.zeros((7, 7), int))


def test_counts_without_images_are_zero(make_run) -> None:
    assert ConfusionMatrix.from_run(make_run().select(np.zeros(400, bool))).counts.tolist() == [[0] * 7] * 7


def test_resamples_have_the_same_number_of_images_and_no_new_cells() -> None:
    counts = np.array([[30, 0], [5, 65]])
    drawn = resampled_counts(counts, 500, seed=0)
    assert (drawn.sum(axis=(1, 2)) == 100).all()
    assert (drawn[:, 0, 1] == 0).all()
    # The mean and variance of a binomial with 100 draws at 0.3.
    assert drawn[:, 0, 0].mean() == pytest.approx(30, abs=1)
    assert drawn[:, 0, 0].var() == pytest.approx(21, rel=0.25)
