import threading

import numpy as np
import pytest
import torch

from core.checkpoints import list_checkpoints
from core.faces import detector
from core.images import decode
from core.inference import Prediction, Predictor, analyze, explain_face
from core.labels import FER7, LabelSet
from core.models import build_network, families
from core.sample_photos import sample_photos
from tests.conftest import CLASSES, draw

TWO = LabelSet("two", ("a", "b"))


@pytest.fixture(scope="module")
def predictors(checkpoint_root):
    return [Predictor.load(c) for c in list_checkpoints(checkpoint_root).checkpoints]


@pytest.fixture(scope="module")
def portrait():
    return decode(next(iter(sample_photos().values())).data)


def test_probabilities_are_the_softmax_at_the_temperature():
    prediction = Prediction("m", TWO, np.array([np.log(3.0), 0.0], np.float32))
    assert prediction.probabilities == pytest.approx([0.75, 0.25])
    warm = Prediction("m", TWO, np.array([2 * np.log(3.0), 0.0], np.float32), temperature=2.0)
    assert warm.probabilities == pytest.approx([0.75, 0.25])
    assert warm.expression == "a"


def test_logits_of_another_length_are_refused():
    with pytest.raises(ValueError, match=r"logits must have shape \(7,\) for FER7, got \(8,\)"):
        Prediction("m", FER7, np.zeros(8, np.float32))


def test_a_batch_gives_the_predictions_of_each_face_alone(predictors):
    random = np.random.default_rng(1)
    crops = [draw(name, random, size) for name in CLASSES for size in (48, 90)]
    for predictor in predictors:
        together = predictor.predict(crops)
        alone = [predictor.predict([c])[0] for c in crops]
        for a, b in zip(together, alone, strict=True):
            assert np.allclose(a.logits, b.logits, atol=1e-4)


def test_fusing_batch_norms_does_not_change_predictions(predictors):
    random = np.random.default_rng(3)
    crops = [draw(name, random) for name in CLASSES]
    for predictor in predictors:
        with torch.inference_mode():
            plain = predictor.network(predictor.card.preprocessing.to_tensor(crops))
        for i, prediction in enumerate(predictor.predict(crops)):
            assert np.allclose(prediction.logits, plain.logits[i], atol=1e-4)
            assert np.allclose(prediction.features, plain.features[i], atol=1e-4)


@pytest.mark.parametrize("name", list(families()))
def test_every_family_can_be_fused(name, checkpoint):
    torch.manual_seed(0)
    network = build_network(name, classes=3, channels=1)
    network.train()(torch.randn(4, 1, 48, 48))  # statistics other than the initial zeros and ones
    predictor = Predictor(network, checkpoint.card)
    crops = [draw("striped", np.random.default_rng(4))]
    with torch.inference_mode():
        plain = network(checkpoint.card.preprocessing.to_tensor(crops)).logits
    assert np.allclose(predictor.predict(crops)[0].logits, plain[0], atol=1e-4)


@pytest.mark.parametrize("condition", [lambda x: x.mean() > 0, lambda x: len(x) > 1, lambda x: float(x.sum()) > 0])
def test_a_network_that_cannot_be_traced_runs_unfused(condition, checkpoint):
    class Branching(torch.nn.Module):
        def forward(self, x):
            return x if condition(x) else 2 * x

    network = checkpoint.network()
    network.trunk.append(Branching())
    crops = [draw("striped", np.random.default_rng(4))]
    with torch.inference_mode():
        plain = network(checkpoint.card.preprocessing.to_tensor(crops)).logits
    (prediction,) = Predictor(network, checkpoint.card).predict(crops)
    assert np.allclose(prediction.logits, plain[0], atol=1e-4)


def test_a_portrait_is_detected_and_predicted(predictors, portrait):
    analysis = analyze(portrait, detector("haar"), predictors)
    assert len(analysis.faces) >= 1
    face = analysis.faces[0]
    assert set(face.predictions) == {"tiny_cnn", "tiny_residual"}
    (group,) = face.groups
    assert group.ensemble.probabilities == pytest.approx(
        np.mean([face.predictions[p.model_id].probabilities for p in predictors], axis=0), abs=1e-5
    )
    assert face.inputs["tiny_cnn"].shape == (48, 48)
    assert face.verdict is group.ensemble
    assert 1 <= group.agreeing <= 2


def test_a_photo_without_faces_has_none_and_can_be_taken_as_a_whole(predictors):
    blank = np.full((300, 400, 3), 128, np.uint8)
    assert analyze(blank, detector("haar"), predictors).faces == ()
    whole = analyze(blank, detector("haar"), predictors, whole_image=True)
    assert len(whole.faces) == 1
    assert whole.faces[0].face.box.width == 300


def test_an_analysis_without_networks_is_refused(portrait):
    with pytest.raises(ValueError, match="at least one network"):
        analyze(portrait, detector("haar"), [])


def heatmaps(predictor, face):
    return np.stack([e.heatmap for e in explain_face(predictor, face, stage="stage 2")])


def test_two_threads_share_one_network(predictors, portrait):
    predictor = predictors[0]
    random = np.random.default_rng(2)
    crops = [draw(name, random) for name in CLASSES]
    expected = [predictor.predict([c])[0].logits for c in crops]
    face = analyze(portrait, detector("haar"), predictors).faces[0]
    expected_maps = heatmaps(predictor, face)
    wrong: list[int] = []

    def ask(first: int) -> None:
        for call in range(first, 1000, 2):
            if call % 10 < 2:  # saliency by gradients between the predictions, on the same network
                same = np.allclose(heatmaps(predictor, face), expected_maps, atol=1e-6)
            else:
                same = np.allclose(predictor.predict([crops[call % 3]])[0].logits, expected[call % 3], atol=1e-5)
            if not same:
                wrong.append(call)

    threads = [threading.Thread(target=ask, args=(i,)) for i in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
