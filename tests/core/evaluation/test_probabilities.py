import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import special

from core.evaluation.probabilities import (
    BLOCK,
    Answers,
    by_blocks,
    first_highest,
    log_of_mean,
    predicted_by_means,
    softmax,
)


@pytest.fixture(params=[0, 1, BLOCK, 2 * BLOCK + 3], ids=lambda n: f"{n} rows")
def logits(request) -> np.ndarray:
    random = np.random.default_rng(request.param)
    return random.normal(scale=5, size=(request.param, 7)).astype(np.float32)


def test_every_row_is_the_softmax_of_its_logits_over_the_temperature(logits) -> None:
    np.testing.assert_allclose(softmax(logits, 1.7), special.softmax(logits.astype(float) / 1.7, axis=1), rtol=1e-12)


def test_the_answers_are_those_of_the_probabilities(logits) -> None:
    rows, truth = np.arange(len(logits)), np.random.default_rng(0).integers(0, 7, len(logits))
    probabilities = softmax(logits, 0.6)
    found = Answers.of(logits, truth, 0.6)
    assert (found.predicted == logits.argmax(axis=1)).all()
    assert (found.confidence == probabilities.max(axis=1, initial=0)).all()
    assert (found.of_truth == probabilities[rows, truth]).all()
    np.testing.assert_allclose(found.squares, (probabilities**2).sum(axis=1), rtol=1e-12)


@given(arrays(np.int8, st.tuples(st.integers(0, 20), st.integers(1, 9)), elements=st.integers(0, 3)))
def test_the_first_of_equals_is_the_highest(values) -> None:
    assert (first_highest(values) == values.argmax(axis=1)).all()


def test_a_mean_is_weighted_and_each_member_has_its_temperature(logits) -> None:
    other = logits[:, ::-1]
    expected = 0.8 * softmax(logits, 2.0) + 0.2 * softmax(other)
    np.testing.assert_allclose(log_of_mean([logits, other], [2.0, 1.0], [0.8, 0.2]), np.log(expected), atol=1e-5)


def test_what_means_predict_is_what_each_of_them_predicts(logits) -> None:
    other, weightings = logits[:, ::-1], [(0.8, 0.2), (0.0, 1.0)]
    found = predicted_by_means([logits, other], [2.0, 1.0], weightings)
    for predicted, shares in zip(found, weightings, strict=True):
        assert (predicted == log_of_mean([logits, other], [2.0, 1.0], shares).argmax(axis=1)).all()


def test_a_probability_of_nothing_keeps_a_logarithm() -> None:
    assert np.isfinite(log_of_mean([np.array([[2000.0, 0.0]])], [1.0], [1.0])).all()


def test_what_fails_in_a_block_is_raised() -> None:
    def work(rows: slice) -> None:
        if rows.start:
            raise ValueError("the second block")

    with pytest.raises(ValueError, match="the second block"):
        by_blocks(work, 2 * BLOCK)
