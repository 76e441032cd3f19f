"""A network whose classes are the same in another order: its predictions, maps and rows are those of the original."""

import copy
import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from core.batch.scorer import RowLayout
from core.checkpoints import load_checkpoint
from core.faces import detector
from core.faces.tracking import TrackedFace
from core.images import decode
from core.inference import Predictor, analyze, explain_face
from core.labels import LabelSet
from core.records import PhotoRecord
from core.sample_photos import sample_photos
from core.video import TimelineRecorder
from dashboard.live.frame_analysis import FrameAnalysis, LiveSettings, series_of


@pytest.fixture(scope="module")
def original(checkpoint_root):
    return Predictor.load(load_checkpoint(checkpoint_root / "tiny_cnn"))


@pytest.fixture(scope="module")
def reordered(original):
    """The same network with its logits in another order."""
    classes = original.card.labels.classes
    order = [2, 0, 1]
    network = copy.deepcopy(original.network)
    with torch.no_grad():
        network.head.weight.copy_(original.network.head.weight[order])
        network.head.bias.copy_(original.network.head.bias[order])
    labels = LabelSet("reordered", tuple(classes[k] for k in order))
    return Predictor(network, replace(original.card, run_id="reordered", labels=labels))


@pytest.fixture(scope="module")
def photo(original, reordered):
    image = decode(sample_photos()["two_faces"].data)
    return analyze(image, detector("mtcnn"), (original, reordered))


def test_both_networks_are_one_group_that_agrees(photo, original):
    for face in photo.faces:
        (group,) = face.groups
        assert group.labels == original.card.labels
        assert group.agreeing == 2
        assert group.disagreement_bits == pytest.approx(0, abs=1e-6)
        assert group.ensemble.probabilities == pytest.approx(face.predictions["tiny_cnn"].probabilities, abs=1e-6)


def test_maps_are_for_the_same_class(photo, original, reordered):
    face = photo.faces[0]
    maps = []
    for network in (original, reordered):
        prediction = face.predictions[network.model_id]
        assert prediction.labels == network.card.labels
        (found,) = explain_face(network, face, targets=prediction.top)
        maps.append(found.heatmap)
    np.testing.assert_allclose(maps[0], maps[1], atol=1e-5)


def test_rows_and_timelines_have_equal_values_for_both(photo, original, reordered):
    cards = [original.card, reordered.card]
    layout = RowLayout.of(cards)
    assert len(layout.groups) == 1
    recorder = TimelineRecorder({card.run_id: card.labels for card in cards})
    recorder.add_frame(0.0)
    for row, face in zip(layout.rows(PhotoRecord.of("a.jpg", photo)), photo.faces, strict=True):
        recorder.add(TrackedFace(1, face.face), face.predictions)
        assert row["agreeing"] == 2
        for name in original.card.labels.classes:
            probability = row[f"tiny_cnn_p_{name}"]
            assert [row[f"p_{name}"], row[f"reordered_p_{name}"]] == pytest.approx([probability] * 2, abs=1e-6)
    (group,) = recorder.timeline().groups
    np.testing.assert_allclose(group.probabilities[0], group.probabilities[1], atol=1e-6)


def test_the_series_of_the_live_view_have_equal_values(original, reordered):
    frame = cv2.imencode(".jpg", decode(sample_photos()["two_faces"].data)[..., ::-1])[1].tobytes()
    networks = (reordered, original)
    answer = json.loads(FrameAnalysis(LiveSettings(networks, detector("mtcnn"))).answer(frame))
    assert len({series.labels for series in series_of(networks)}) == 1
    for face in answer["faces"]:
        ensemble, first, second = (face["series"][series.key][0] for series in series_of(networks))
        assert first == pytest.approx(second, abs=2e-4)
        assert ensemble == pytest.approx(second, abs=2e-4)
