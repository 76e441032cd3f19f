"""Regions of analyzed faces and shares over a split, for trained networks."""

from dataclasses import replace

import numpy as np
import pytest

from core.checkpoints import list_checkpoints
from core.data import read
from core.errors import ExplainError
from core.explain import REGION_NAMES, face_regions
from core.explain.regions import TEMPLATE_LANDMARKS
from core.faces import MEASURED, Box, Face, crop, points_in_crop
from core.inference import FaceAnalysis, PhotoAnalysis, Predictor, explain_face
from core.labels import LabelSet
from core.probes import regions_in_crop, split_region_shares


@pytest.fixture(scope="module")
def predictor(checkpoint_root):
    return Predictor.load(list_checkpoints(checkpoint_root).checkpoints[0])


@pytest.fixture(scope="module")
def samples(image_folder):
    return read(image_folder)


def analysis_of(face: Face) -> PhotoAnalysis:
    return PhotoAnalysis(np.zeros((200, 300, 3), np.uint8), "yunet", (FaceAnalysis(face, {}, {}),), {})


def test_a_face_without_landmarks_has_the_regions_of_the_template(predictor):
    found = regions_in_crop(predictor, analysis_of(Face(Box(50, 40, 100, 100), 0.9)), 0)
    assert not found.from_landmarks


def test_landmarks_are_mapped_into_the_rotated_crop(predictor):
    face = Face(Box(50, 40, 100, 110), 0.9, roll_deg=30.0)
    image = np.zeros((200, 300, 3), np.uint8)
    image[70:73, 120:123] = 255
    margin = MEASURED["yunet"]
    ((x, y),) = points_in_crop(np.array([[121.5, 71.5]]), face, margin)
    seen = crop(image, face, margin)[..., 0].astype(float)
    rows, columns = np.indices(seen.shape)
    assert (columns * seen).sum() / seen.sum() == pytest.approx(x * len(seen) - 0.5, abs=0.2)
    assert (rows * seen).sum() / seen.sum() == pytest.approx(y * len(seen) - 0.5, abs=0.2)


def test_regions_follow_the_landmarks_of_the_detector(predictor):
    margin = predictor.card.preprocessing.crop_margin.get("yunet") or (
        MEASURED["yunet"].side,
        MEASURED["yunet"].dx,
        MEASURED["yunet"].dy,
    )
    side = 100 * (1 + 2 * margin[0])
    left_top = np.array([100 + 100 * margin[1], 90 + 100 * margin[2]]) - side / 2
    face = Face(Box(50, 40, 100, 100), 0.9, landmarks=left_top + TEMPLATE_LANDMARKS * side)
    found = regions_in_crop(predictor, analysis_of(face), 0)
    assert found.from_landmarks
    assert (found.labels != face_regions().labels).mean() < 0.002


def test_shares_of_a_split_are_those_of_its_images(predictor, samples):
    counted = []
    found = split_region_shares(predictor, samples, "test", batch_size=10, progress=lambda d, t: counted.append((d, t)))
    assert counted[-1] == (36, 36)
    assert found.shares.shape == (36, len(REGION_NAMES))
    images = samples.of("test").images
    for row in (0, 17, 35):
        prediction = predictor.predict_inputs([images[row]])[0]
        assert found.predicted[row] == prediction.top
        face = FaceAnalysis(Face(Box(0, 0, 48, 48), 1.0), {predictor.model_id: images[row]}, {})
        (one,) = explain_face(predictor, face, targets=prediction.top)
        if one.has_evidence:
            assert found.shares[row] == pytest.approx(face_regions().shares(one.heatmap), abs=1e-4)


def test_maps_without_evidence_are_left_out_of_the_mean_by_class(predictor, samples):
    found = split_region_shares(predictor, samples, "test")
    by_hand = replace(
        found,
        labels=LabelSet("letters", ("a", "b", "c")),
        predicted=np.array([0, 0, 0, 1]),
        shares=np.array([[0, 0.2, 0, 0, 0.8], [0, 0.4, 0, 0, 0.6], [np.nan] * 5, [0, 0, 1.0, 0, 0]]),
    )
    assert by_hand.counts().tolist() == [2, 1, 0]
    assert by_hand.mean()[0] == pytest.approx([0, 0.3, 0, 0, 0.7])
    assert np.isnan(by_hand.mean()[2]).all()
    # s = 0.1 * sqrt(2), over two images: 0.1 times the quantile of 95 %
    assert by_hand.half_width()[0] == pytest.approx([0, 0.1959964, 0, 0, 0.1959964])
    assert np.isnan(by_hand.half_width()[1]).all()


def test_an_unknown_stage_is_refused_and_the_lock_is_released(predictor, samples):
    with pytest.raises(ExplainError, match="no stage 'stage 9'"):
        split_region_shares(predictor, samples, "test", stage="stage 9")
    assert not predictor.lock.locked()
