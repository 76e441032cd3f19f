"""A network that returns NaN has no prediction; the others continue."""

import numpy as np
import pytest
import torch

from core.checkpoints import list_checkpoints
from core.errors import NotFiniteError
from core.faces import detector
from core.images import decode
from core.inference import Predictor, analyze, explain_images, summarize_faces
from core.probes import Perturbation, estimate_uncertainty, predict_perturbed, sweep
from core.sample_photos import sample_photos


@pytest.fixture(scope="module")
def sound(checkpoint_root):
    return [Predictor.load(c) for c in list_checkpoints(checkpoint_root).checkpoints]


@pytest.fixture(scope="module")
def broken(checkpoint_root):
    """The tiny CNN with NaN in its head."""
    checkpoint = list_checkpoints(checkpoint_root).get("tiny_cnn")
    network = checkpoint.network()
    with torch.no_grad():
        network.head.weight[0, 0] = torch.nan
    return Predictor(network, checkpoint.card)


@pytest.fixture(scope="module")
def residual(sound):
    return next(p for p in sound if p.model_id == "tiny_residual")


@pytest.fixture(scope="module")
def portrait():
    return decode(next(iter(sample_photos().values())).data)


@pytest.fixture
def failing_when_changed(sound, portrait, monkeypatch):
    """Both networks and their analysis; the tiny CNN fails in later predictions."""
    analysis = analyze(portrait, detector("haar"), sound)
    cnn = next(p for p in sound if p.model_id == "tiny_cnn")

    def refuse(*_, **__):
        raise NotFiniteError(cnn.model_id)

    monkeypatch.setattr(cnn, "predict_inputs", refuse)
    return sound, analysis


def test_nan_is_reported_with_the_name_of_the_network(broken):
    with pytest.raises(NotFiniteError, match="tiny_cnn returned NaN or infinity") as error:
        broken.predict([np.zeros((48, 48), np.uint8)])
    assert error.value.model_ids == ("tiny_cnn",)
    with pytest.raises(NotFiniteError, match="tiny_cnn returned NaN or infinity"):
        explain_images(broken, [np.zeros((48, 48), np.uint8)])


def test_the_analysis_names_the_network_and_continues_with_the_others(broken, residual, portrait):
    analysis = analyze(portrait, detector("haar"), [broken, residual])
    assert analysis.left_out == ("tiny_cnn",)
    assert analysis.predicting([broken, residual]) == (residual,)
    face = analysis.faces[0]
    assert set(face.predictions) == {"tiny_residual"}  # a single network has no ensemble
    assert np.isfinite(face.verdict.probabilities).all()
    assert face.groups[0].agreeing == 1
    assert summarize_faces("a.jpg", analysis)[0].left_out == ("tiny_cnn",)
    found = estimate_uncertainty(analysis.predicting([broken, residual]), analysis, 0)
    assert set(found.predictions) == {"tiny_residual"}
    assert found.groups[0].augmented.disagreement_bits is None


def test_an_analysis_without_any_prediction_is_refused(broken, portrait):
    with pytest.raises(NotFiniteError, match="tiny_cnn returned"):
        analyze(portrait, detector("haar"), [broken])


def test_a_network_that_fails_for_the_changed_face_has_no_prediction(failing_when_changed):
    networks, analysis = failing_when_changed
    changed = predict_perturbed(networks, analysis, 0, Perturbation(blur=5))
    assert set(changed.predictions) == {"tiny_residual"}
    assert set(changed.inputs) == {"tiny_cnn", "tiny_residual"}
    cnn = [p for p in networks if p.model_id == "tiny_cnn"]
    with pytest.raises(NotFiniteError):
        predict_perturbed(cnn, analysis, 0, Perturbation(blur=5))
    with pytest.raises(NotFiniteError):
        sweep(cnn[0], analysis, 0, Perturbation(), "blur")


def test_a_network_that_fails_for_a_view_is_left_out(failing_when_changed):
    networks, analysis = failing_when_changed
    assert estimate_uncertainty(networks, analysis, 0).verdict.is_ensemble  # both networks predicted the face itself
    found = estimate_uncertainty(networks, analysis, 0, "mirror")
    (group,) = found.groups
    assert group.raw.model_ids == group.calibrated.model_ids == group.augmented.model_ids == ("tiny_residual",)
    assert group.augmented.disagreement_bits is None
    with pytest.raises(NotFiniteError):
        estimate_uncertainty([p for p in networks if p.model_id == "tiny_cnn"], analysis, 0, "mirror")
