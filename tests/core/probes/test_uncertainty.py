from dataclasses import replace

import numpy as np
import pytest

from core.checkpoints import list_checkpoints
from core.errors import EvaluationError
from core.evaluation import abstention, threshold_for
from core.faces import detector
from core.images import decode
from core.inference import Prediction, Predictor, analyze
from core.labels import LabelSet
from core.probes import Perturbation, decide, estimate_uncertainty, predict_perturbed, ten_crops
from core.sample_photos import sample_photos


@pytest.fixture(scope="module")
def predictors(checkpoint_root):
    return [Predictor.load(c) for c in list_checkpoints(checkpoint_root).checkpoints]


@pytest.fixture(scope="module")
def analysis(predictors):
    return analyze(decode(next(iter(sample_photos().values())).data), detector("haar"), predictors)


def test_ten_crops_are_four_corners_and_the_center_with_their_mirror_images():
    image = np.arange(48 * 48).reshape(48, 48).astype(np.uint16)
    crops = ten_crops(image)
    assert [c.shape for c in crops] == [(44, 44)] * 10
    assert [c[0, 0] for c in crops[:5]] == [image[0, 0], image[0, 4], image[4, 0], image[4, 4], image[2, 2]]
    assert all(np.array_equal(a, b[:, ::-1]) for a, b in zip(crops[:5], crops[5:], strict=True))


def test_a_single_view_gives_the_predictions_of_the_analysis(predictors, analysis):
    (group,) = estimate_uncertainty(predictors, analysis, 0).groups
    for model_id, given in analysis.faces[0].predictions.items():
        assert group.augmented.predictions[model_id].probabilities == pytest.approx(given.probabilities)
        assert group.raw.predictions[model_id].temperature == 1
    assert group.augmented.ensemble.probabilities == pytest.approx(analysis.faces[0].verdict.probabilities)
    assert group.augmented.disagreement_bits >= 0


@pytest.mark.parametrize("views", ["one", "mirror", "ten crops"])
def test_the_result_holds_no_features(predictors, analysis, views):
    (group,) = estimate_uncertainty(predictors, analysis, 0, views).groups
    predictions = [p for of in (group.raw, group.calibrated, group.augmented) for p in of.predictions.values()]
    assert all(prediction.features is None for prediction in predictions)


def test_the_mirror_view_is_the_mean_of_the_face_and_its_mirror_image(predictors, analysis):
    model_id = predictors[0].model_id
    plain = analysis.faces[0].predictions[model_id].probabilities
    mirrored = predict_perturbed(predictors, analysis, 0, Perturbation(mirrored=True)).predictions[model_id]
    found = estimate_uncertainty(predictors, analysis, 0, "mirror")
    assert found.predictions[model_id].probabilities == pytest.approx((plain + mirrored.probabilities) / 2, abs=1e-5)
    assert found.verdict.is_ensemble


def test_ten_crops_give_probabilities_and_unknown_views_are_refused(predictors, analysis):
    found = estimate_uncertainty(predictors[:1], analysis, 0, "ten crops")
    assert found.verdict.probabilities.sum() == pytest.approx(1)
    with pytest.raises(ValueError, match="views must be one of one, mirror, ten crops, got 'three'"):
        estimate_uncertainty(predictors, analysis, 0, "three")


def test_a_single_network_has_no_disagreement(predictors):
    alone = analyze(decode(next(iter(sample_photos().values())).data), detector("haar"), predictors[:1])
    (group,) = estimate_uncertainty(predictors[:1], alone, 0).groups
    assert group.augmented.disagreement_bits is None


def test_networks_with_other_classes_form_their_own_group(predictors):
    other = Predictor(predictors[1].network, replace(predictors[1].card, labels=LabelSet("letters", ("a", "b", "c"))))
    networks = [predictors[0], other]
    analysis = analyze(decode(next(iter(sample_photos().values())).data), detector("haar"), networks)
    found = estimate_uncertainty(networks, analysis, 0, "mirror")
    assert [group.augmented.model_ids for group in found.groups] == [(p.model_id,) for p in networks]
    assert [group.raw.labels.name for group in found.groups] == [p.card.labels.name for p in networks]
    assert all(group.augmented.ensemble is None for group in found.groups)


def test_a_prediction_is_sure_from_the_threshold_on(checkpoint):
    val, test = checkpoint.evaluation("val"), checkpoint.evaluation("test")
    threshold = threshold_for(val, 0.5)
    decisions = []
    for confidence in (threshold - (1 - threshold) / 2, threshold + (1 - threshold) / 2):
        rest = (1 - confidence) / 2
        prediction = Prediction("m", checkpoint.card.labels, np.log(np.array([confidence, rest, rest])))
        decisions.append(decide(prediction, val, test, 0.5))
    assert [d.sure for d in decisions] == [False, True]
    assert decisions[0].effect == abstention(test, threshold)
    assert (decisions[0].chosen_on, decisions[0].shown_on) == (36, 36)


def test_a_target_that_no_threshold_reaches_is_refused(checkpoint):
    val = checkpoint.evaluation("val")
    always_wrong = replace(val, truth=(val.logits.argmax(axis=1) + 1) % 3)
    prediction = Prediction("m", checkpoint.card.labels, np.zeros(3, np.float32))
    with pytest.raises(EvaluationError, match="at any confidence"):
        decide(prediction, always_wrong, val, 0.9)
