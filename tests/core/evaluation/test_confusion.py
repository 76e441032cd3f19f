import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from core.errors import EvaluationError
from core.evaluation import ConfusionMatrix
from core.evaluation.confusion import resampled_counts
from core.labels import FERPLUS8


def test_rows_are_true_classes_and_columns_answers(answering) -> None:
    matrix = ConfusionMatrix.from_run(answering([0, 0, 0, 1, 1, 2], [0, 0, 2, 1, 0, 2]))
    assert matrix.counts.tolist() == [[2, 0, 1], [1, 1, 0], [0, 0, 1]]
    assert matrix.n == 6
    np.testing.assert_allclose(matrix.by_true(), [[2 / 3, 0, 1 / 3], [1 / 2, 1 / 2, 0], [0, 0, 1]])
    np.testing.assert_allclose(matrix.by_predicted(), [[2 / 3, 0, 1 / 2], [1 / 3, 1, 0], [0, 0, 1 / 2]])


def test_counts_are_scikit_learns(make_run) -> None:
    run = make_run()
    np.testing.assert_array_equal(ConfusionMatrix.from_run(run).counts, confusion_matrix(run.truth, run.predicted))


def test_a_class_without_images_or_answers_has_no_shares(answering) -> None:
    matrix = ConfusionMatrix.from_run(answering([0, 0, 2], [0, 0, 0]))
    assert np.isnan(matrix.by_true()[1]).all()
    assert not np.isnan(matrix.by_true()[[0, 2]]).any()
    assert np.isnan(matrix.by_predicted()[:, [1, 2]]).all()


def test_the_difference_is_that_of_shares_by_true_class(answering) -> None:
    first = ConfusionMatrix.from_run(answering([0, 0, 1, 1], [0, 0, 1, 0], 2))
    second = ConfusionMatrix.from_run(answering([0, 0, 1, 1], [0, 1, 1, 1], 2))
    np.testing.assert_allclose(first.minus(second), [[0.5, -0.5], [0.5, -0.5]])


def test_matrices_of_other_classes_have_no_difference(make_run) -> None:
    with pytest.raises(EvaluationError, match="same classes"):
        ConfusionMatrix.from_run(make_run()).minus(ConfusionMatrix.from_run(make_run(labels=FERPLUS8)))


def test_counts_of_another_shape_are_refused() -> None:
    with pytest.raises(EvaluationError, match=r"shape \(8, 8\) for FERPLUS8, got \(7, 7\)"):
        ConfusionMatrix(FERPLUS8, np.zeros((7, 7), int))


def test_no_images_are_counted_as_zeros(make_run) -> None:
    assert ConfusionMatrix.from_run(make_run().select(np.zeros(400, bool))).counts.tolist() == [[0] * 7] * 7


def test_resamples_have_as_many_images_and_no_new_kind_of_mistake() -> None:
    counts = np.array([[30, 0], [5, 65]])
    drawn = resampled_counts(counts, 500, seed=0)
    assert (drawn.sum(axis=(1, 2)) == 100).all()
    assert (drawn[:, 0, 1] == 0).all()
    # The mean and variance of a binomial with 100 draws at 0.3.
    assert drawn[:, 0, 0].mean() == pytest.approx(30, abs=1)
    assert drawn[:, 0, 0].var() == pytest.approx(21, rel=0.25)
