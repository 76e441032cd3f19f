"""A network with a broken weight gives no answer, and the others go on."""

import numpy as np
import pytest
import torch

from core.checkpoints import list_checkpoints
from core.errors import ExplainError, NotFiniteError
from core.faces import detector
from core.images import decode
from core.inference import (
    ENSEMBLE,
    Perturbation,
    Predictor,
    analyze,
    disagreement_bits,
    doubt,
    image_maps,
    perturbed,
    photo_values,
    summarize_faces,
    sweep,
)
from core.sample_photos import sample_photos


@pytest.fixture(scope="module")
def sound(checkpoint_root):
    return [Predictor.load(c) for c in list_checkpoints(checkpoint_root).checkpoints]


@pytest.fixture(scope="module")
def broken(checkpoint_root):
    """The tiny CNN with a head that is not a number."""
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
def silent_when_changed(sound, portrait, monkeypatch):
    """Both networks and their analysis; afterwards the tiny CNN answers nothing any more."""
    analysis = analyze(portrait, detector("haar"), sound)
    cnn = next(p for p in sound if p.model_id == "tiny_cnn")

    def refuse(*_, **__):
        raise NotFiniteError(cnn.model_id)

    monkeypatch.setattr(cnn, "predict_inputs", refuse)
    return sound, analysis


def test_an_answer_that_is_no_number_is_refused_with_the_networks_name(broken):
    with pytest.raises(NotFiniteError, match="tiny_cnn met a value that is not a finite number; check") as error:
        broken.predict([np.zeros((48, 48), np.uint8)])
    assert error.value.model_ids == ("tiny_cnn",)
    with pytest.raises(ExplainError, match="tiny_cnn met a value that is not a finite number"):
        image_maps(broken, [np.zeros((48, 48), np.uint8)], [0])


def test_the_analysis_names_that_network_and_goes_on_without_it(broken, residual, portrait):
    analysis = analyze(portrait, detector("haar"), [broken, residual])
    assert analysis.left_out == ("tiny_cnn",)
    assert analysis.answering([broken, residual]) == (residual,)
    face = analysis.faces[0]
    assert set(face.predictions) == {"tiny_residual"}  # a mean of one network is that network
    assert np.isfinite(face.verdict.probabilities).all()
    assert face.agreeing == 1
    assert photo_values("a.jpg", analysis)["left_out"] == ["tiny_cnn"]
    assert summarize_faces("a.jpg", analysis)[0].left_out == ("tiny_cnn",)
    found = doubt(analysis.answering([broken, residual]), analysis, 0)
    assert set(found.augmented) == {"tiny_residual"}
    assert found.disagreement is None


def test_without_any_answer_there_is_no_analysis(broken, portrait):
    with pytest.raises(NotFiniteError, match="tiny_cnn met"):
        analyze(portrait, detector("haar"), [broken])


def test_a_network_that_fails_on_the_changed_face_says_nothing_of_it(silent_when_changed):
    networks, analysis = silent_when_changed
    changed = perturbed(networks, analysis, 0, Perturbation(blur=5))
    assert set(changed.predictions) == {"tiny_residual"}
    assert set(changed.inputs) == {"tiny_cnn", "tiny_residual"}  # what it was shown is known
    cnn = [p for p in networks if p.model_id == "tiny_cnn"]
    with pytest.raises(NotFiniteError):
        perturbed(cnn, analysis, 0, Perturbation(blur=5))
    with pytest.raises(NotFiniteError):
        sweep(cnn[0], analysis, 0, Perturbation(), "blur")


def test_a_network_that_fails_on_a_view_is_left_out_of_the_doubt(silent_when_changed):
    networks, analysis = silent_when_changed
    assert ENSEMBLE in doubt(networks, analysis, 0).augmented  # the face alone was answered
    found = doubt(networks, analysis, 0, "mirror")
    assert set(found.raw) == set(found.calibrated) == set(found.augmented) == {"tiny_residual"}
    assert found.disagreement is None
    with pytest.raises(NotFiniteError):
        doubt([p for p in networks if p.model_id == "tiny_cnn"], analysis, 0, "mirror")


def test_disagreement_with_what_is_no_number_is_not_called_agreement():
    assert np.isnan(disagreement_bits([np.array([0.3, 0.7]), np.array([np.nan, np.nan])]))
