import numpy as np
import pytest

from core.evaluation import EvaluationRun, ensemble_run
from core.inference import (
    ENSEMBLE,
    LabelGroup,
    Prediction,
    ensemble_prediction,
    entropy_bits,
    group_predictions,
    predictions_by_model,
)
from core.labels import FER7, FERPLUS8, LabelSet

TWO = LabelSet("two", ("a", "b"))


def predicting(model_id: str, *probabilities: float, labels: LabelSet = TWO) -> Prediction:
    return Prediction(model_id, labels, np.log(np.array(probabilities, np.float32)))


def grouped(*predictions: Prediction) -> tuple[LabelGroup, ...]:
    return group_predictions({p.model_id: p for p in predictions})


def test_the_ensemble_is_the_mean_of_calibrated_probabilities():
    warm = Prediction("warm", TWO, 2 * np.log(np.array([0.9, 0.1], np.float32)), temperature=2.0)
    (group,) = grouped(warm, predicting("other", 0.3, 0.7))
    assert group.ensemble.probabilities == pytest.approx([0.6, 0.4], abs=1e-6)
    assert group.ensemble.is_ensemble
    assert group.ensemble.model_id == ENSEMBLE
    assert group.verdict is group.ensemble  # computed once


def test_a_single_network_is_its_own_verdict():
    alone = predicting("alone", 0.9, 0.1)
    (group,) = grouped(alone)
    assert group.ensemble is None
    assert group.verdict is alone
    assert not alone.is_ensemble
    assert group.disagreement_bits is None
    assert group.agreeing == 1


def test_agreeing_counts_the_networks_with_the_most_frequent_expression():
    (group,) = grouped(predicting("one", 0.9, 0.1), predicting("two", 0.4, 0.6), predicting("three", 0.8, 0.2))
    assert group.agreeing == 2
    assert group.model_ids == ("one", "two", "three")


def test_networks_with_other_classes_form_a_group_with_its_own_ensemble():
    eight = LabelSet("three", ("a", "b", "c"))
    groups = grouped(
        predicting("x", 0.2, 0.3, 0.5, labels=eight),
        predicting("one", 0.9, 0.1),
        predicting("y", 0.4, 0.3, 0.3, labels=eight),
        predicting("two", 0.3, 0.7),
        predicting("three", 0.3, 0.7),
    )
    assert [group.model_ids for group in groups] == [("one", "two", "three"), ("x", "y")]  # the largest first
    assert groups[0].ensemble.probabilities == pytest.approx([0.5, 0.5], abs=1e-6)
    assert groups[1].ensemble.probabilities == pytest.approx([0.3, 0.3, 0.4], abs=1e-6)
    assert list(predictions_by_model(groups)) == ["one", "two", "three", "x", "y"]


def test_equally_large_groups_keep_the_order_of_their_first_network():
    others = LabelSet("others", ("c", "a"))
    groups = grouped(predicting("one", 0.9, 0.1, labels=others), predicting("two", 0.9, 0.1))
    assert [group.labels.name for group in groups] == ["others", "two"]


def test_networks_with_the_same_classes_in_another_order_are_one_group_in_the_order_of_the_first():
    reversed_classes = LabelSet("reversed", ("b", "a"))
    (group,) = grouped(predicting("one", 0.9, 0.1), predicting("two", 0.6, 0.4, labels=reversed_classes))
    assert group.labels is TWO
    assert group.predictions["two"].probabilities == pytest.approx([0.4, 0.6], abs=1e-6)
    assert group.predictions["two"].expression == "b"
    assert group.ensemble.probabilities == pytest.approx([0.65, 0.35], abs=1e-6)
    assert group.agreeing == 1
    back = group.in_order_of(reversed_classes)
    assert back.ensemble.probabilities == pytest.approx([0.35, 0.65], abs=1e-6)
    assert back.predictions["one"].expression == "a"


def test_label_sets_of_one_group_may_have_different_names():
    assert (
        len(grouped(predicting("one", 0.9, 0.1), predicting("two", 0.9, 0.1, labels=LabelSet("ab", ("a", "b"))))) == 1
    )


def test_a_group_without_predictions_or_with_other_classes_is_refused():
    with pytest.raises(ValueError, match="at least one prediction"):
        LabelGroup(TWO, {})
    with pytest.raises(ValueError, match="expected predictions of FER7, got two by one"):
        LabelGroup(FER7, {"one": predicting("one", 0.9, 0.1)})
    with pytest.raises(ValueError, match=r"of FER7 .* got one of FERPLUS8 .* by b"):
        ensemble_prediction(
            [Prediction("a", FER7, np.zeros(7, np.float32)), Prediction("b", FERPLUS8, np.zeros(8, np.float32))]
        )


def test_entropy_is_in_bits():
    assert entropy_bits(np.array([1.0, 0.0])) == 0
    assert entropy_bits(np.array([0.25] * 4)) == pytest.approx(2)


def test_the_ensemble_of_a_photo_is_that_of_an_evaluation_also_for_the_smallest_probabilities():
    logits = [np.array([[40.0, 0.0]], np.float32), np.array([[42.0, 0.0]], np.float32)]
    runs = [EvaluationRun("one", "test", TWO, np.arange(1), np.zeros(1, int), values) for values in logits]
    found = ensemble_prediction([Prediction("one", TWO, values[0]) for values in logits])
    assert found.probabilities == pytest.approx(ensemble_run(runs).probabilities[0], rel=1e-5)
    assert found.probabilities[1] < 1e-17
