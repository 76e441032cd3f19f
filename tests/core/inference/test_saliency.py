import numpy as np
import pytest
import torch

from core.checkpoints import list_checkpoints
from core.errors import ExplainError, NotFiniteError
from core.explain import Contrast
from core.faces import detector
from core.images import decode
from core.inference import Predictor, analyze, explain_face, explain_images
from core.sample_photos import sample_photos
from tests.conftest import CLASSES, draw


@pytest.fixture(scope="module")
def predictor(checkpoint):
    return Predictor.load(checkpoint)


@pytest.fixture(scope="module")
def face(predictor):
    portrait = decode(next(iter(sample_photos().values())).data)
    return analyze(portrait, detector("haar"), [predictor]).faces[0]


@pytest.fixture(scope="module")
def images():
    random = np.random.default_rng(5)
    return [draw(name, random) for name in CLASSES]


def test_a_face_has_one_map_per_class_at_the_stage_of_the_card(predictor, face):
    found = explain_face(predictor, face)
    assert [(e.model_id, e.class_index, e.stage) for e in found] == [("tiny_cnn", k, "stage 3") for k in range(3)]
    assert all(e.heatmap.shape == (6, 6) for e in found)
    inner = explain_face(predictor, face, stage="stage 2", targets=Contrast(0, 2))
    assert [(e.target, e.heatmap.shape) for e in inner] == [(Contrast(0, 2), (12, 12))]


def test_the_closed_form_does_not_wait_for_the_lock(predictor, face):
    with predictor.lock:
        assert len(explain_face(predictor, face)) == 3
    assert predictor.lock.acquire(blocking=False)
    predictor.lock.release()


def test_unknown_classes_and_stages_are_refused_and_the_lock_is_released(predictor, face):
    with pytest.raises(ExplainError, match="no class 3"):
        explain_face(predictor, face, targets=3)
    with pytest.raises(ExplainError, match="no stage 'stage 9'"):
        explain_face(predictor, face, stage="stage 9")
    assert not predictor.lock.locked()


@pytest.mark.parametrize("stage", ["stage 2", "stage 3"])
def test_images_have_the_same_maps_as_analyzed_faces(predictor, images, stage):
    found = explain_images(predictor, images, [2, 0, 1], stage=stage)
    for image, k, explanation in zip(images, [2, 0, 1], found, strict=True):
        whole = analyze(np.repeat(image[..., None], 3, axis=2), detector("haar"), [predictor], whole_image=True)
        (alone,) = explain_face(predictor, whole.faces[0], stage=stage, targets=k)
        assert (explanation.class_index, explanation.stage) == (k, stage)
        assert np.allclose(explanation.heatmap, alone.heatmap, atol=1e-4)
        assert explanation.evidence == pytest.approx(alone.evidence, rel=1e-3, abs=1e-6)


def test_images_are_explained_for_their_predicted_class_by_default(predictor, images):
    predicted = [p.top for p in predictor.predict(images)]
    assert [e.class_index for e in explain_images(predictor, images)] == predicted
    assert explain_images(predictor, []) == ()
    with pytest.raises(ExplainError, match="expected one target per face, got 2 targets for 3 faces"):
        explain_images(predictor, images, [0, 1])


def test_damaged_weights_are_reported(checkpoint, images):
    broken = Predictor.load(checkpoint)
    with torch.no_grad():
        broken.network.head.weight[0, 0] = torch.nan
    with pytest.raises(NotFiniteError, match="tiny_cnn returned NaN or infinity"):
        explain_images(broken, images)


def test_networks_without_a_prediction_are_explained_from_their_input(checkpoint_root, face, predictor):
    other = Predictor.load(list_checkpoints(checkpoint_root).get("tiny_residual"))
    renamed = type(face)(face.face, {other.model_id: face.inputs[predictor.model_id]}, face.groups)
    assert len(explain_face(other, renamed)) == 3
