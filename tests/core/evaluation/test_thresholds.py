import numpy as np

from core.evaluation import thresholds
from core.evaluation.thresholds import ThresholdCounts


def test_images_are_counted_by_score() -> None:
    counts = ThresholdCounts.of(np.array([0.2, 0.7, 0.2, 0.9]), np.array([True, False, False, True]))
    assert counts.scores.tolist() == [0.2, 0.7, 0.9]
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


def test_the_scores_of_many_images_are_rounded(monkeypatch) -> None:
    monkeypatch.setattr(thresholds, "EXACT_IMAGES", 3)
    counts = ThresholdCounts.of(np.array([0.0, 0.50001, 0.5, 1.0]), np.array([True, False, True, True]))
    assert len(counts.scores) == thresholds.LEVELS + 1
    assert counts.scores[counts.index].tolist() == [0.0, 0.5, 0.5, 1.0]
    assert (counts.positives.sum(), counts.negatives.sum()) == (3, 1)
