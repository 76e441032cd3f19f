"""What the live view finds in a frame, on real small networks and a real detector."""

import gc
import itertools
import json
import weakref
from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from core import images
from core.checkpoints import list_checkpoints
from core.faces import crop_corners, detector, points_in_crop
from core.inference import ENSEMBLE, Predictor, analyze, ensemble_prediction, margin_for
from core.labels import LabelSet
from core.sample_photos import sample_photos
from dashboard.live import frame_analysis
from dashboard.live.controls import series_titles
from dashboard.live.frame_analysis import FrameAnalysis, LiveSettings, series_of


@pytest.fixture(scope="module")
def networks(checkpoint_root):
    return tuple(Predictor.load(checkpoint) for checkpoint in list_checkpoints(checkpoint_root).checkpoints)


@pytest.fixture(scope="module")
def mtcnn():
    return detector("mtcnn")


@pytest.fixture(scope="module")
def two_faces():
    image = images.decode(sample_photos()["two_faces"].data)
    return cv2.resize(image, (640, round(640 * image.shape[0] / image.shape[1])), interpolation=cv2.INTER_AREA)


def jpeg(image) -> bytes:
    return cv2.imencode(".jpg", image[..., ::-1])[1].tobytes()


def test_the_probabilities_are_those_of_the_same_photo_in_analyze(networks, mtcnn, two_faces):
    frame = jpeg(two_faces)
    expected = analyze(images.decode(frame), mtcnn, networks)
    answer = json.loads(FrameAnalysis(LiveSettings(networks, mtcnn)).answer(frame))
    assert (answer["width"], answer["height"]) == (two_faces.shape[1], two_faces.shape[0])
    assert [face["track"] for face in answer["faces"]] == [1, 2]
    for face, found in zip(answer["faces"], expected.faces, strict=True):
        assert face["box"][0] == pytest.approx(found.face.box.left, abs=0.06)
        ensemble = ensemble_prediction(list(found.predictions.values()))
        series = {"+".join(found.predictions): ensemble, **found.predictions}
        assert set(face["series"]) == set(series) == {s.key for s in series_of(networks)}
        for key, prediction in series.items():
            raw, smoothed = face["series"][key]
            np.testing.assert_allclose(raw, prediction.probabilities, atol=6e-5)
            assert smoothed == raw  # nothing came before
        assert face["map"] is None


def test_tracks_are_kept_between_detections_and_smoothing_follows_a_track(networks, mtcnn, two_faces):
    analysis = FrameAnalysis(LiveSettings(networks, mtcnn, detection_interval=3, smoothing_s=1e6))
    dark = np.zeros_like(two_faces)
    first, between, other = (json.loads(analysis.answer(jpeg(frame))) for frame in (two_faces, two_faces, dark))
    assert [f["detected"] for f in first["faces"]] == [True, True]
    assert [f["detected"] for f in between["faces"] + other["faces"]] == [False] * 4
    assert [f["track"] for f in other["faces"]] == [1, 2]
    key = series_of(networks)[0].key
    for face, before in zip(other["faces"], first["faces"], strict=True):
        raw, smoothed = face["series"][key]
        assert raw != before["series"][key][0]  # the frame is black now
        np.testing.assert_allclose(smoothed, before["series"][key][1], atol=1e-3)
    assert json.loads(analysis.answer(jpeg(dark)))["faces"] == []  # searched again, and nothing is there

    analysis.reset()
    again = json.loads(analysis.answer(jpeg(two_faces)))
    assert [(f["track"], f["detected"]) for f in again["faces"]] == [(1, True), (2, True)]
    assert again["faces"][0]["series"][key][0] == again["faces"][0]["series"][key][1]


def test_a_track_lasts_when_a_slow_server_analyzes_a_frame_every_other_second(networks, mtcnn, two_faces, monkeypatch):
    times = itertools.count(start=0.0, step=0.9)  # it is asked twice per frame
    monkeypatch.setattr(frame_analysis, "time", SimpleNamespace(monotonic=lambda: next(times)))
    analysis = FrameAnalysis(LiveSettings(networks[:1], mtcnn, detection_interval=2))
    answers = [json.loads(analysis.answer(jpeg(two_faces))) for _ in range(4)]
    assert [[face["track"] for face in answer["faces"]] for answer in answers] == [[1, 2]] * 4


def test_the_saliency_map_lies_on_the_crop_of_its_network(networks, mtcnn, two_faces):
    network = networks[1]
    analysis = FrameAnalysis(LiveSettings(networks, mtcnn, saliency_of=network.model_id))
    answer = json.loads(analysis.answer(jpeg(two_faces)))
    found = analyze(images.decode(jpeg(two_faces)), mtcnn, [network])
    for face, expected in zip(answer["faces"], found.faces, strict=True):
        margin = margin_for(network.card, "mtcnn")
        assert face["map"]["class"] == expected.predictions[network.model_id].expression
        places = points_in_crop(np.array(face["map"]["corners"]), expected.face, margin)
        np.testing.assert_allclose(places, [[0, 0], [1, 0], [0, 1]], atol=0.01)
        np.testing.assert_allclose(face["map"]["corners"], crop_corners(expected.face, margin), atol=0.06)
        assert 0 <= np.min(face["map"]["cells"]) <= np.max(face["map"]["cells"]) <= 255


def test_networks_with_other_classes_have_series_of_their_own(networks):
    one, other = networks
    classes = LabelSet("other", ("a", "b", "c"))
    foreign = Predictor(other.network, replace(other.card, labels=classes, run_id="foreign"))
    names = {"tiny_cnn": "CNN", "tiny_residual": "Residual CNN", "foreign": "Other"}
    assert list(series_titles([foreign, one], names).values()) == ["Other", "CNN"]
    assert list(series_titles([foreign, *networks], names).values()) == ["Ensemble", "CNN", "Residual CNN", "Other"]
    assert [s.network for s in series_of([one, foreign, other])] == [ENSEMBLE, "tiny_cnn", "tiny_residual", "foreign"]


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [(b"", "empty"), (b"hello", "text file"), (b"\xff\xd8\xff\xe0 cut off", "Expected"), ("large", "megapixels")],
)
def test_a_bad_frame_is_answered_with_a_sentence(networks, mtcnn, frame, sentence):
    data = jpeg(np.zeros((1200, 1200, 3), np.uint8)) if frame == "large" else frame
    analysis = FrameAnalysis(LiveSettings(networks, mtcnn))
    answer = json.loads(analysis.answer(data))
    assert list(answer) == ["error"]
    assert sentence in answer["error"]


def test_no_frame_is_left_after_its_answer(networks, mtcnn, two_faces, monkeypatch):
    seen = []

    def decode(data, **options):
        image = images.decode(data, **options)
        seen.append(weakref.ref(image))
        return image

    class Images:  # the decoder, with a weak reference to what it returned
        pass

    Images.decode = staticmethod(decode)
    monkeypatch.setattr(frame_analysis, "images", Images)
    analysis = FrameAnalysis(LiveSettings(networks, mtcnn, saliency_of=networks[0].model_id))
    for _ in range(3):
        analysis.answer(jpeg(two_faces))
    gc.collect()
    assert len(seen) == 3
    assert [reference() for reference in seen] == [None] * 3
