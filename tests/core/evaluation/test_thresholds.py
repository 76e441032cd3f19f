import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.evaluation import thresholds
from core.evaluation.thresholds import ThresholdCounts


def test_images_are_counted_by_score() -> None:
    counts = ThresholdCounts.of(np.array([0.2, 0.7, 0.2, 0.9]), np.array([True, False, False, True]))
    assert counts.positives.tolist() == [1, 0, 1]
    assert counts.negatives.tolist() == [1, 1, 0]
    assert counts.index.tolist() == [0, 1, 0, 2]
    false_positives, true_positives = counts.at_or_above()
    assert (false_positives.tolist(), true_positives.tolist()) == ([0, 1, 2], [1, 1, 2])


def test_placements_count_ties_half() -> None:
    counts = ThresholdCounts.of(np.array([0.2, 0.7, 0.2, 0.9]), np.array([True, False, False, True]))
    above, below = counts.placements()
    assert above[[0, 2]].tolist() == [0.25, 1.0]  # of the positives at 0.2 and 0.9
    assert below[[0, 1]].tolist() == [0.75, 0.5]  # of the negatives at 0.2 and 0.7


def test_the_scores_of_many_images_are_rounded_where_they_are_dense(monkeypatch) -> None:
    monkeypatch.setattr(thresholds, "EXACT_IMAGES", 3)
    scores = np.array([0.0, 1e-6, 1.1e-6, 0.37511, 0.3751, 1 - 1.1e-6, 1 - 1e-6, 1.0])
    counts = ThresholdCounts.of(scores, np.arange(8) % 2 == 0)
    assert counts.index.tolist() == [0, 1, 2, 3, 3, 4, 5, 6]
    assert counts.positives.tolist() == [1, 0, 1, 1, 0, 1, 0]
    assert counts.negatives.tolist() == [0, 1, 0, 1, 1, 0, 1]


@given(st.lists(st.floats(0, 1), min_size=2, max_size=50))
def test_rounding_keeps_the_order_of_scores(scores) -> None:
    ordered = np.sort(np.array(scores))
    levels = thresholds._rounded(ordered)
    assert (np.diff(levels) >= 0).all()
    assert levels.min() >= 0
    assert levels.max() <= 2 * thresholds.HALF
