from dataclasses import replace

import numpy as np
import pytest

from core.checkpoints import list_checkpoints
from core.errors import EvaluationError
from core.evaluation import abstention, threshold_for
from core.faces import detector
from core.images import decode
from core.inference import (
    ENSEMBLE,
    Perturbation,
    Prediction,
    Predictor,
    analyze,
    decide,
    disagreement_bits,
    doubt,
    entropy_bits,
    perturbed,
    ten_crops,
)
from core.sample_photos import sample_photos


@pytest.fixture(scope="module")
def predictors(checkpoint_root):
    return [Predictor.load(c) for c in list_checkpoints(checkpoint_root).checkpoints]


@pytest.fixture(scope="module")
def analysis(predictors):
    return analyze(decode(next(iter(sample_photos().values())).data), detector("haar"), predictors)


def test_entropy_counts_in_bits():
    assert entropy_bits(np.array([1.0, 0.0])) == 0
    assert entropy_bits(np.array([0.25] * 4)) == pytest.approx(2)


def test_disagreement_is_nothing_among_equals_and_one_bit_between_opposites():
    assert disagreement_bits([np.array([0.3, 0.7])] * 3) == pytest.approx(0, abs=1e-12)
    assert disagreement_bits([np.array([1.0, 0.0]), np.array([0.0, 1.0])]) == pytest.approx(1)
    # H(0.75, 0.25) less the mean of H(1, 0) and H(0.5, 0.5).
    assert disagreement_bits([np.array([1.0, 0.0]), np.array([0.5, 0.5])]) == pytest.approx(0.811278 - 0.5, abs=1e-6)


def test_ten_crops_are_five_and_their_mirror_images():
    picture = np.arange(48 * 48).reshape(48, 48).astype(np.uint16)
    crops = ten_crops(picture)
    assert [c.shape for c in crops] == [(44, 44)] * 10
    assert [c[0, 0] for c in crops[:5]] == [picture[0, 0], picture[0, 4], picture[4, 0], picture[4, 4], picture[2, 2]]
    assert all(np.array_equal(a, b[:, ::-1]) for a, b in zip(crops[:5], crops[5:], strict=True))


def test_one_view_is_the_answer_that_was_given(predictors, analysis):
    found = doubt(predictors, analysis, 0)
    for model_id, given in analysis.faces[0].predictions.items():
        assert found.augmented[model_id].probabilities == pytest.approx(given.probabilities)
    raw = next(iter(found.raw.values()))
    assert raw.temperature == 1
    assert found.disagreement >= 0


@pytest.mark.parametrize("views", ["one", "mirror", "ten crops"])
def test_a_doubt_that_is_kept_holds_no_feature_maps(predictors, analysis, views):
    found = doubt(predictors, analysis, 0, views)
    answers = [*found.raw.values(), *found.calibrated.values(), *found.augmented.values()]
    assert all(answer.features is None for answer in answers)


def test_the_mirror_view_is_the_mean_of_the_face_and_its_mirror_image(predictors, analysis):
    model_id = predictors[0].model_id
    plain = analysis.faces[0].predictions[model_id].probabilities
    mirrored = perturbed(predictors, analysis, 0, Perturbation(mirrored=True)).predictions[model_id].probabilities
    found = doubt(predictors, analysis, 0, "mirror")
    assert found.augmented[model_id].probabilities == pytest.approx((plain + mirrored) / 2, abs=1e-5)
    assert found.verdict.model_id == ENSEMBLE


def test_ten_crops_give_probabilities_and_other_views_are_refused(predictors, analysis):
    found = doubt(predictors[:1], analysis, 0, "ten crops")
    assert found.verdict.probabilities.sum() == pytest.approx(1)
    with pytest.raises(ValueError, match="views must be one of one, mirror, ten crops, got 'three'"):
        doubt(predictors, analysis, 0, "three")


def test_one_network_disagrees_with_nobody(predictors, checkpoint_root):
    alone = analyze(decode(next(iter(sample_photos().values())).data), detector("haar"), predictors[:1])
    assert doubt(predictors[:1], alone, 0).disagreement is None


def test_an_answer_is_sure_from_the_threshold_on(checkpoint):
    val, test = checkpoint.evaluation("val"), checkpoint.evaluation("test")
    threshold = threshold_for(val, 0.5)
    decisions = []
    for confidence in (threshold - (1 - threshold) / 2, threshold + (1 - threshold) / 2):
        rest = (1 - confidence) / 2
        answer = Prediction("m", checkpoint.card.labels, np.log(np.array([confidence, rest, rest])))
        decisions.append(decide(answer, val, test, 0.5))
    assert [d.sure for d in decisions] == [False, True]
    assert decisions[0].effect == abstention(test, threshold)
    assert (decisions[0].chosen_on, decisions[0].shown_on) == (36, 36)


def test_without_a_threshold_there_is_no_decision(checkpoint):
    val = checkpoint.evaluation("val")
    hopeless = replace(val, truth=(val.logits.argmax(axis=1) + 1) % 3)
    answer = Prediction("m", checkpoint.card.labels, np.zeros(3, np.float32))
    with pytest.raises(EvaluationError, match="at no confidence"):
        decide(answer, hopeless, val, 0.9)
