import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from core.checkpoints import list_checkpoints
from core.explain import ChanceResult, ConfidenceDrop, Explanation, FaithfulnessCurves, RandomizationStep, RoadCurves
from core.faces import Box, Face, detector
from core.images import decode
from core.inference import Predictor, analyze, entropy_bits, explain_face
from core.labels import LabelSet
from core.probes import FaithfulnessMeasures, MethodAgreement, TrustFindings, decide, estimate_uncertainty
from core.records import SCHEMA_VERSION, AnalysisRecord, FaceDetails, PhotoRecord, to_json
from core.sample_photos import sample_photos
from core.versions import versions

FRACTIONS = np.linspace(0, 1, 3)


@pytest.fixture(scope="module")
def checkpoints(checkpoint_root):
    return list_checkpoints(checkpoint_root).checkpoints


@pytest.fixture(scope="module")
def predictors(checkpoints):
    return [Predictor.load(c) for c in checkpoints]


@pytest.fixture(scope="module")
def analysis(predictors):
    return analyze(decode(next(iter(sample_photos().values())).data), detector("haar"), predictors)


@pytest.fixture(scope="module")
def explained(predictors, analysis):
    return {p.model_id: explain_face(p, analysis.faces[0])[1] for p in predictors}


@pytest.fixture(scope="module")
def document(checkpoints, predictors, analysis, explained):
    """Everything about the portrait's face, as it is read back from strict JSON."""
    uncertainty = estimate_uncertainty(predictors, analysis, 0, "mirror")
    run = checkpoints[0].evaluation("val")
    details = FaceDetails(
        uncertainty=uncertainty,
        decision=decide(uncertainty.verdict, run, checkpoints[0].evaluation("test"), 0.5),
        maps=explained,
        region_shares={"tiny_cnn": np.array([0.1, 0.2, 0.3, 0.4, np.nan])},
        trust={"tiny_cnn": measured(explained["tiny_cnn"])},
    )
    photo = PhotoRecord.of("a.jpg", analysis, [details, *[FaceDetails()] * (len(analysis.faces) - 1)])
    return json.loads(to_json(AnalysisRecord.of([photo], [c.card for c in checkpoints])))


@pytest.fixture(scope="module")
def face(document):
    return document["photos"][0]["faces"][0]


def measured(explanation: Explanation) -> TrustFindings:
    curves = FaithfulnessCurves(FRACTIONS, np.array([0.9, 0.4, 0.1]), np.array([0.1, 0.6, 0.9]), 0.45, 0.55)
    road = RoadCurves(FRACTIONS, np.array([0.5, 0.4, 0.3]), np.array([0.8, 0.7, 0.6]))
    made = FaithfulnessMeasures(explanation, curves, road, ConfidenceDrop(0.9, 0.5, 0.1))
    correlation = np.array([[1.0, np.nan], [np.nan, 1.0]])
    agreement = MethodAgreement(("Grad-CAM", "LayerCAM"), correlation)
    steps = (RandomizationStep("head", 0.25), RandomizationStep("stage3", np.nan))
    return TrustFindings(made, ChanceResult(0.2, 0.01, 0.1, 99), agreement, steps)


def test_a_document_names_the_schema_the_networks_and_the_versions(document, predictors):
    assert document["schema_version"] == SCHEMA_VERSION
    assert document["versions"] == versions()
    card = predictors[0].card
    network = document["networks"][card.run_id]
    assert network["weights_sha256"] == card.weights_sha256
    assert network["labels"]["classes"] == list(card.labels.classes)
    assert network["temperature"] == pytest.approx(card.temperature, abs=1e-6)


def test_a_photo_has_its_size_and_its_detector(document, analysis):
    photo = document["photos"][0]
    height, width = analysis.image.shape[:2]
    assert (photo["path"], photo["error"], photo["width"], photo["height"]) == ("a.jpg", None, width, height)
    assert photo["detector"] == "haar"
    assert photo["left_out"] == []


def test_a_box_beyond_the_border_is_clipped(analysis):
    height, width = analysis.image.shape[:2]
    (face, *_) = analysis.faces
    cut = replace(face, face=Face(Box(-40.0, -55.0, width, height), score=0.9))
    record = PhotoRecord.of("a.jpg", replace(analysis, faces=(cut,)))
    assert record.faces[0].box.model_dump() == {"left": 0, "top": 0, "width": width - 40, "height": height - 55}


def test_a_face_has_its_position_and_every_probability(face, analysis):
    found = analysis.faces[0]
    box = found.face.box
    assert (face["number"], face["landmarks"]) == (1, None)  # the Haar cascade finds no landmarks
    assert list(face["box"].values()) == pytest.approx([box.left, box.top, box.width, box.height], abs=1e-6)
    assert face["roll_deg"] == pytest.approx(found.face.roll_deg, abs=1e-6)
    (group,) = face["groups"]
    assert group["labels"] == {"name": "custom", "classes": ["bright", "dark", "striped"]}
    prediction, expected = group["predictions"]["tiny_cnn"], found.predictions["tiny_cnn"]
    assert list(prediction["probabilities"].values()) == pytest.approx(expected.probabilities, abs=1e-6)
    assert prediction["expression"] == expected.expression
    assert prediction["entropy_bits"] == pytest.approx(entropy_bits(expected.probabilities), abs=1e-6)
    mean = np.mean([list(p["probabilities"].values()) for p in group["predictions"].values()], axis=0)
    assert list(group["ensemble"]["probabilities"].values()) == pytest.approx(mean, abs=1e-5)
    assert group["agreeing"] in (1, 2)
    assert group["disagreement_bits"] >= 0


def test_the_uncertainty_holds_raw_predictions_and_those_over_the_views(face, analysis):
    uncertainty = face["uncertainty"]
    assert uncertainty["views"] == "mirror"
    raw = uncertainty["groups"][0]["raw"]["predictions"]["tiny_cnn"]["probabilities"]
    expected = replace(analysis.faces[0].predictions["tiny_cnn"], temperature=1.0).probabilities
    assert list(raw.values()) == pytest.approx(expected, abs=1e-6)
    assert uncertainty["groups"][0]["augmented"]["disagreement_bits"] >= 0


def test_a_decision_has_its_threshold_and_the_effect_of_it(face):
    decision = face["decision"]
    assert decision["sure"] == (decision["confidence"] >= decision["effect"]["threshold"])
    assert (decision["target"], decision["chosen_on"], decision["shown_on"]) == (0.5, 36, 36)
    assert set(decision["effect"]["coverage"]) == {"value", "low", "high", "n", "method"}


def test_maps_have_their_own_resolution_and_name_their_class(face, explained):
    found = face["maps"]["tiny_cnn"]
    assert (found["method"], found["expression"], found["against"]) == ("gradcam", "dark", None)
    assert found["stage"] == explained["tiny_cnn"].stage
    assert np.array(found["heatmap"]) == pytest.approx(explained["tiny_cnn"].heatmap, abs=1e-6)


def test_numbers_that_are_not_finite_are_null(face):
    assert face["region_shares"]["tiny_cnn"] == {"brows": 0.1, "eyes": 0.2, "nose": 0.3, "mouth": 0.4, "rest": None}
    assert face["trust"]["tiny_cnn"]["agreement"]["correlation"] == [[1.0, None], [None, 1.0]]


def test_measurements_of_a_map_are_complete(face):
    trust = face["trust"]["tiny_cnn"]
    assert trust["measures"]["curves"]["deletion"] == [0.9, 0.4, 0.1]
    assert trust["measures"]["curves"]["steps"] == 2
    assert trust["measures"]["road"]["least_relevant_first"] == [0.8, 0.7, 0.6]
    assert trust["measures"]["drop"] == {"part": 0.1, "before": 0.9, "after": 0.5}
    assert trust["chance"]["better_than_chance"] is True
    assert trust["randomization"] == [["head", 0.25], ["stage3", None]]
    assert "tiny_residual" not in face["trust"]


def test_what_was_not_measured_is_null(analysis):
    details = FaceDetails(trust={"tiny_cnn": TrustFindings(randomization=(RandomizationStep("head", 0.5),))})
    face = PhotoRecord.of("a.jpg", analysis, [details] * len(analysis.faces)).model_dump()["faces"][0]
    assert face["uncertainty"] is None
    assert face["decision"] is None
    assert face["maps"] == {}
    assert [face["trust"]["tiny_cnn"][k] for k in ("measures", "chance", "agreement")] == [None] * 3


def test_networks_with_other_classes_are_a_group_of_their_own(analysis):
    first = analysis.faces[0]
    tiny, residual = first.predictions.values()
    other = replace(residual, labels=LabelSet("other", ("a", "b", "c")))
    mixed = replace(first, predictions={"tiny_cnn": tiny, "tiny_residual": other})
    photo = replace(analysis, faces=(mixed,))
    groups = PhotoRecord.of("a.jpg", photo).model_dump()["faces"][0]["groups"]
    assert [list(g["predictions"]) for g in groups] == [["tiny_cnn"], ["tiny_residual"]]
    assert [g["ensemble"] for g in groups] == [None, None]
    assert [g["disagreement_bits"] for g in groups] == [None, None]


@pytest.mark.parametrize("name", [b"caf\xe9.jpg", "caf\u00e9.jpg".encode(), b"plain.jpg"])
def test_any_file_name_is_written_in_ascii(name):
    record = PhotoRecord(path=str(Path(os.fsdecode(name))), error="photo.jpg is not an image")
    text = to_json(record)
    assert text.isascii()
    expected = {b"caf\xe9.jpg": "caf\\xe9.jpg"}.get(name, os.fsdecode(name))
    assert json.loads(text)["path"] == expected
    assert json.loads(text)["faces"] == []


def test_an_unknown_field_is_refused():
    with pytest.raises(ValidationError, match="Extra inputs"):
        PhotoRecord.model_validate({"path": "a.jpg", "mood": "happy"})


def test_a_sentence_may_contain_a_file_name_that_is_not_unicode():
    name = os.fsdecode(b"r\xe9sultats.csv")
    record = PhotoRecord(path=name, error=f"{name}, row 3: damaged.")
    assert (record.path, record.error) == ("r\\xe9sultats.csv", "r\\xe9sultats.csv, row 3: damaged.")
    record.model_dump_json().encode()
