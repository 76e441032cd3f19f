from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.data import FERPLUS_COLUMNS, ferplus_majority
from core.errors import EvaluationError
from core.evaluation import (
    AnnotatorVotes,
    annotator_agreement,
    compare_with_annotators,
    label_against_majority,
)
from core.evaluation.annotators import VOTE_COLUMNS
from core.labels import FER7, FERPLUS8, PAIN6


def votes_of(*images: dict[str, int]) -> np.ndarray:
    """Votes by class, e.g. ``votes_of({"happy": 10})``."""
    columns = (*FERPLUS8.classes, "unknown", "NF")
    return np.array([[image.get(c, 0) for c in columns] for image in images])


def with_majority(votes: np.ndarray) -> AnnotatorVotes:
    return AnnotatorVotes(votes, ferplus_majority(votes))


def test_the_vote_columns_are_those_of_the_data_set() -> None:
    assert len(FERPLUS_COLUMNS) == VOTE_COLUMNS


def test_agreement_and_cross_entropy_match_a_calculation_by_hand(run_from) -> None:
    probabilities = np.full((3, 7), 0.1)
    happy, sad = FER7.index("happy"), FER7.index("sad")
    probabilities[[0, 1], happy] = 0.4
    probabilities[2, sad] = 0.4
    run = run_from([happy, sad, sad], probabilities, labels=FER7)
    votes = votes_of({"happy": 10}, {"happy": 4, "sad": 6}, {"sad": 6, "contempt": 2, "unknown": 2})
    result = compare_with_annotators(run, with_majority(votes))
    assert result.network.value == pytest.approx((1 + 0.4 + 0.6) / 3)
    # Pairs of annotators that agree: all, 4·3 + 6·5 of 90, 6·5 + 2·1 + 2·1 of 90.
    assert result.annotators.value == pytest.approx((1 + 42 / 90 + 34 / 90) / 3)
    # Most votes for a class of the run: 10, 6 and 6 of 10.
    assert result.best_possible.value == pytest.approx((1 + 0.6 + 0.6) / 3)
    # Contempt and unknown are no classes of the run: all votes of the third image are for sad.
    expected = (-np.log(0.4) - (0.4 * np.log(0.4) + 0.6 * np.log(0.1)) - np.log(0.4)) / 3
    assert result.cross_entropy.value == pytest.approx(expected, rel=1e-6)
    assert result.vote_entropy.value == pytest.approx(-(0.4 * np.log(0.4) + 0.6 * np.log(0.6)) / 3)
    assert [(g.low, g.high, g.accuracy.n, g.accuracy.value) for g in result.groups] == [
        (0.5, 0.6, 2, 0.5),
        (0.9, 1.0, 1, 1.0),
    ]
    assert [g.accuracy_to_majority.value for g in result.groups] == [0.5, 1.0]


def test_a_network_that_predicts_the_votes_reaches_the_lower_bound(make_run) -> None:
    votes = np.random.default_rng(0).multinomial(10, [0.12] * 8 + [0.02] * 2, 400)
    of_images = with_majority(votes)
    run = make_run(labels=FERPLUS8)
    shares = votes[:, :8] / votes[:, :8].sum(axis=1, keepdims=True)
    perfect = replace(run, logits=np.log(np.maximum(shares, 1e-12)))
    result = compare_with_annotators(perfect, of_images)
    assert result.cross_entropy.value == pytest.approx(result.vote_entropy.value, abs=1e-5)
    assert compare_with_annotators(run, of_images).cross_entropy.value > result.vote_entropy.value


def test_intervals_of_shares_and_entropies_stay_within_their_range(run_from) -> None:
    happy = FER7.index("happy")
    run = run_from([happy] * 20, np.where(np.arange(7) == happy, 0.9, 0.1 / 6)[None].repeat(20, axis=0), labels=FER7)
    votes = votes_of({"happy": 9, "sad": 1}, *[{"happy": 10}] * 19)
    result = compare_with_annotators(run, with_majority(votes))
    assert result.network.high == result.annotators.high == result.best_possible.high == 1
    assert result.vote_entropy.low == 0
    opposed = compare_with_annotators(run, with_majority(votes_of({"happy": 1, "sad": 9}, *[{"sad": 10}] * 19)))
    assert opposed.network.low == 0


def test_votes_are_shared_by_networks_with_different_classes(make_run) -> None:
    votes = with_majority(np.random.default_rng(0).multinomial(10, [0.1] * 10, 400))
    for labels in (FER7, FERPLUS8, FER7):
        run = make_run(labels=labels)
        alone = AnnotatorVotes(votes.votes, votes.majority)
        assert compare_with_annotators(run, votes) == compare_with_annotators(run, alone)


def test_images_without_votes_are_left_out(make_run) -> None:
    run = make_run(3)
    result = compare_with_annotators(run, with_majority(votes_of({"happy": 10}, {}, {"unknown": 10})))
    assert (result.network.n, result.cross_entropy.n) == (2, 1)
    without_votes = compare_with_annotators(run, with_majority(votes_of({}, {}, {})))
    assert not without_votes.network.defined
    assert without_votes.groups == ()


def test_three_of_ten_votes_belong_to_the_group_up_to_0_3(make_run) -> None:
    votes = votes_of({"happy": 3, "sad": 2, "angry": 2, "fear": 2, "neutral": 1})
    np.testing.assert_allclose(annotator_agreement(votes), [0.3])
    (group,) = compare_with_annotators(make_run(1), with_majority(votes)).groups
    assert (group.low, group.high) == (0.2, 0.3)
    assert not group.accuracy_to_majority.defined
    assert np.isnan(annotator_agreement(votes_of({}))).all()


def test_labels_are_counted_against_the_majority() -> None:
    happy, sad = FER7.index("happy"), FER7.index("sad")
    votes = votes_of({"happy": 10}, {"contempt": 8, "sad": 2}, {"sad": 5, "fear": 5}, {"sad": 10})
    matrix = label_against_majority(FER7, np.array([happy, happy, happy, sad]), ferplus_majority(votes))
    assert matrix.rows == FER7.classes
    assert matrix.columns[-1] == "no majority"
    assert matrix.counts.sum() == 4
    for row, column in (("happy", "happy"), ("happy", "contempt"), ("happy", "no majority"), ("sad", "sad")):
        assert matrix.counts[FER7.index(row), matrix.columns.index(column)] == 1
    shares = matrix.by_row()
    assert shares[happy].sum() == pytest.approx(1)
    assert shares[happy, FERPLUS8.index("contempt")] == pytest.approx(1 / 3)
    assert np.isnan(shares[FER7.index("fear")]).all()
    # For two of three images with a majority, label and majority are the same.
    assert (matrix.agreement.value, matrix.agreement.n) == (2 / 3, 3)


def test_without_a_majority_the_agreement_is_not_defined() -> None:
    assert not label_against_majority(FER7, np.array([0]), np.array([-1])).agreement.defined


def test_votes_that_do_not_fit_are_refused(make_run) -> None:
    with pytest.raises(EvaluationError, match="one row for each of 3 images, got 2"):
        compare_with_annotators(make_run(3), with_majority(votes_of({}, {})))
    with pytest.raises(EvaluationError, match=r"shape \(N, 10\).*got \(3, 8\)"):
        AnnotatorVotes(np.zeros((3, 8), int), np.zeros(3, int))
    with pytest.raises(EvaluationError, match=r"majority must have shape \(1,\)"):
        AnnotatorVotes(votes_of({}), np.zeros(3, int))
    with pytest.raises(EvaluationError, match="negative"):
        annotator_agreement(-votes_of({"happy": 1}))
    with pytest.raises(EvaluationError, match="no votes on 'pain'"):
        compare_with_annotators(make_run(3, labels=PAIN6), with_majority(votes_of({}, {}, {})))


def test_the_labels_of_fer2013_differ_from_the_majority_as_often_as_published(fer2013) -> None:
    columns = ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF"]
    table = pd.read_parquet(fer2013, columns=["emotion", *columns])
    majority = ferplus_majority(table[columns].to_numpy())
    matrix = label_against_majority(FER7, table["emotion"].to_numpy(), majority)
    # 25,060 + 3,199 + 3,153 images of the three splits have a majority.
    assert matrix.agreement.n == 31_412
