from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.errors import EvaluationError
from core.evaluation import (
    annotator_agreement,
    ferplus_majority,
    human_agreement,
    label_against_votes,
    truth_against_votes,
)
from core.evaluation.human import VOTE_COLUMNS
from core.labels import FER7, FERPLUS8, PAIN6

# The vote columns as fer2013new.csv names them.
FILE_COLUMNS = ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF"]


def votes_of(*images: dict[str, int]) -> np.ndarray:
    """Votes by column name, e.g. ``votes_of({"happy": 10})``."""
    return np.array([[image.get(c, 0) for c in VOTE_COLUMNS] for image in images])


def names(majority: np.ndarray) -> list[str]:
    return [VOTE_COLUMNS[i] if i >= 0 else "none" for i in majority]


def test_a_majority_is_more_than_half_of_the_votes_that_are_not_single() -> None:
    votes = votes_of(
        {"happy": 10},
        {"sad": 5, "angry": 4, "fear": 1},  # 5 of 9 remain
        {"sad": 5, "angry": 5},  # half is not more than half
        {"neutral": 4, "sad": 3, "fear": 1, "angry": 1, "disgust": 1},  # 4 of 7 remain
        {"unknown": 6, "sad": 4},  # the winner is no expression
        {"NF": 10},
        {},
    )
    assert names(ferplus_majority(votes)) == ["happy", "sad", "none", "neutral", "none", "none", "none"]


def test_agreement_and_cross_entropy_counted_by_hand(run_from) -> None:
    probabilities = np.full((3, 7), 0.1)
    happy, sad = FER7.index("happy"), FER7.index("sad")
    probabilities[[0, 1], happy] = 0.4
    probabilities[2, sad] = 0.4
    run = run_from([happy, sad, sad], probabilities, labels=FER7)
    votes = votes_of({"happy": 10}, {"happy": 4, "sad": 6}, {"sad": 6, "contempt": 2, "unknown": 2})
    result = human_agreement(run, votes)
    assert result.network.value == pytest.approx((1 + 0.4 + 0.6) / 3)
    # Two of ten annotators agree: 1, (4·3 + 6·5)/90, (6·5 + 2·1 + 2·1)/90.
    assert result.annotators.value == pytest.approx((1 + 42 / 90 + 34 / 90) / 3)
    # Contempt and unknown are no classes of the run: the third image is all sad.
    # Most votes for a class of the run: 10, 6 and 6 of 10.
    assert result.favorite.value == pytest.approx((1 + 0.6 + 0.6) / 3)
    expected = (-np.log(0.4) - (0.4 * np.log(0.4) + 0.6 * np.log(0.1)) - np.log(0.4)) / 3
    assert result.cross_entropy.value == pytest.approx(expected, rel=1e-6)
    assert result.vote_entropy.value == pytest.approx(-(0.4 * np.log(0.4) + 0.6 * np.log(0.6)) / 3)
    assert [(g.low, g.high, g.accuracy.n, g.accuracy.value) for g in result.groups] == [
        (0.5, 0.6, 2, 0.5),
        (0.9, 1.0, 1, 1.0),
    ]
    assert [g.accuracy_to_majority.value for g in result.groups] == [0.5, 1.0]


def test_a_network_that_answers_the_votes_reaches_the_lower_bound(make_run) -> None:
    votes = np.random.default_rng(0).multinomial(10, [0.12] * 8 + [0.02] * 2, 400)
    run = make_run(labels=FERPLUS8)
    shares = votes[:, :8] / votes[:, :8].sum(axis=1, keepdims=True)
    perfect = replace(run, logits=np.log(np.maximum(shares, 1e-12)))
    result = human_agreement(perfect, votes)
    assert result.cross_entropy.value == pytest.approx(result.vote_entropy.value, abs=1e-5)
    assert human_agreement(run, votes).cross_entropy.value > result.vote_entropy.value


def test_images_without_votes_are_left_out(make_run) -> None:
    run = make_run(3)
    result = human_agreement(run, votes_of({"happy": 10}, {}, {"unknown": 10}))
    assert (result.network.n, result.cross_entropy.n) == (2, 1)
    nobody = human_agreement(run, votes_of({}, {}, {}))
    assert not nobody.network.defined
    assert nobody.groups == ()


def test_three_votes_of_ten_stand_at_the_top_of_their_group(make_run) -> None:
    votes = votes_of({"happy": 3, "sad": 2, "angry": 2, "fear": 2, "neutral": 1})
    np.testing.assert_allclose(annotator_agreement(votes), [0.3])
    (group,) = human_agreement(make_run(1), votes).groups
    assert (group.low, group.high) == (0.2, 0.3)
    assert not group.accuracy_to_majority.defined
    assert np.isnan(annotator_agreement(votes_of({}))).all()


def test_labels_are_counted_against_the_majority(make_run) -> None:
    happy, sad = FER7.index("happy"), FER7.index("sad")
    run = make_run(3, truth=np.array([happy, happy, sad]))
    matrix = label_against_votes(
        run, votes_of({"happy": 9, "sad": 1}, {"contempt": 8, "sad": 2}, {"sad": 5, "fear": 5})
    )
    assert matrix.rows == FER7.classes
    assert matrix.columns[-1] == "no majority"
    assert matrix.counts.sum() == 3
    for row, column in (("happy", "happy"), ("happy", "contempt"), ("sad", "no majority")):
        assert matrix.counts[FER7.index(row), matrix.columns.index(column)] == 1


def test_a_label_without_images_has_no_shares() -> None:
    happy, sad = FER7.index("happy"), FER7.index("sad")
    matrix = truth_against_votes(
        FER7,
        np.array([happy, happy, happy, sad]),
        votes_of({"happy": 10}, {"contempt": 8, "sad": 2}, {"sad": 5, "fear": 5}, {"sad": 10}),
    )
    shares = matrix.by_row()
    assert shares[happy].sum() == pytest.approx(1)
    assert shares[happy, FERPLUS8.index("contempt")] == pytest.approx(1 / 3)
    assert np.isnan(shares[FER7.index("fear")]).all()
    # Of three images with a majority two keep their label.
    assert (matrix.agreement.value, matrix.agreement.n) == (2 / 3, 3)
    assert not truth_against_votes(FER7, np.array([happy]), votes_of({})).agreement.defined


def test_votes_that_do_not_fit_are_refused(make_run) -> None:
    run = make_run(3)
    with pytest.raises(EvaluationError, match=r"shape \(3, 10\).*got \(2, 10\)"):
        human_agreement(run, votes_of({}, {}))
    with pytest.raises(EvaluationError, match=r"got \(3, 8\)"):
        label_against_votes(run, np.zeros((3, 8), int))
    with pytest.raises(EvaluationError, match="negative"):
        ferplus_majority(-votes_of({"happy": 1}))
    with pytest.raises(EvaluationError, match="no votes on 'pain'"):
        human_agreement(make_run(3, labels=PAIN6), votes_of({}, {}, {}))


def test_the_majority_rule_keeps_as_many_images_as_ferplus_has(fer2013) -> None:
    table = pd.read_parquet(fer2013, columns=["Usage", *FILE_COLUMNS])
    kept = ferplus_majority(table[FILE_COLUMNS].to_numpy()) >= 0
    counts = table["Usage"][kept].value_counts()
    assert [counts[u] for u in ("Training", "PublicTest", "PrivateTest")] == [25_060, 3_199, 3_153]
