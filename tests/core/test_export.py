import json
from dataclasses import replace

import numpy as np
import pytest

from core.checkpoints import list_checkpoints
from core.explain import ChanceResult, ConfidenceDrop, Explanation, FaithfulnessCurves, RoadCurves
from core.export import FaceFindings, detailed_photo_record, photo_record
from core.faces import detector
from core.images import decode
from core.inference import Predictor, analyze, class_saliency, entropy_bits
from core.probes import FaithfulnessMeasures, MethodAgreement, TrustFindings, decide, estimate_uncertainty
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
    return {p.model_id: class_saliency(p, analysis.faces[0]).explanation(1) for p in predictors}


@pytest.fixture(scope="module")
def written(checkpoints, predictors, analysis, explained):
    """Everything on the portrait's face, as it is read back from strict JSON."""
    found = estimate_uncertainty(predictors, analysis, 0, "mirror")
    run = checkpoints[0].evaluation("val")
    known = FaceFindings(
        uncertainty=found,
        decision=decide(found.verdict, run, checkpoints[0].evaluation("test"), 0.5),
        explained=explained,
        shares={"tiny_cnn": np.array([0.1, 0.2, 0.3, 0.4, np.nan])},
        trust={"tiny_cnn": measured(explained["tiny_cnn"])},
    )
    others = [FaceFindings(estimate_uncertainty(predictors, analysis, n)) for n in range(1, len(analysis.faces))]
    return json.loads(
        json.dumps(detailed_photo_record("a.jpg", analysis, predictors, [known, *others]), allow_nan=False)
    )


def measured(explanation: Explanation) -> TrustFindings:
    curves = FaithfulnessCurves(FRACTIONS, np.array([0.9, 0.4, 0.1]), np.array([0.1, 0.6, 0.9]), 0.45, 0.55)
    road = RoadCurves(FRACTIONS, np.array([0.5, 0.4, 0.3]), np.array([0.8, 0.7, 0.6]))
    made = FaithfulnessMeasures(explanation, curves, road, ConfidenceDrop(0.9, 0.5, 0.1))
    correlation = np.array([[1.0, np.nan], [np.nan, 1.0]])
    return TrustFindings(
        made, ChanceResult(0.2, 0.1, 99), MethodAgreement(("Grad-CAM", "LayerCAM"), correlation), (("head", 0.25),)
    )


def test_the_networks_are_named_with_their_weights_and_versions(written, predictors):
    assert written["versions"] == versions()
    assert {"FERscope", "torch", "grad-cam"} <= set(written["versions"])
    card = predictors[0].card
    network = written["networks"][card.run_id]
    assert network["weights_sha256"] == card.weights_sha256
    assert network["temperature"] == pytest.approx(card.temperature, abs=1e-6)
    assert written["detector"] == "haar"
    assert written["left_out"] == []


def test_it_holds_what_the_command_line_prints(written, analysis):
    printed = photo_record("a.jpg", analysis)
    assert written["path"] == printed["path"]
    for face, short in zip(written["faces"], printed["faces"], strict=True):
        assert {k: face[k] for k in short} == short


def test_a_face_has_its_place_and_every_probability(written, analysis):
    face, found = written["faces"][0], analysis.faces[0]
    assert (face["number"], face["landmarks"]) == (1, None)  # the Haar cascade finds none
    assert face["roll_deg"] == pytest.approx(found.face.roll_deg, abs=1e-6)
    answer = found.predictions["tiny_cnn"]
    assert list(face["predictions"]["tiny_cnn"].values()) == pytest.approx(answer.probabilities, abs=1e-5)
    raw = replace(answer, temperature=1.0).probabilities
    assert list(face["raw"]["tiny_cnn"].values()) == pytest.approx(raw, abs=1e-5)
    of_views = face["uncertainty"]
    assert of_views["views"] == "mirror"
    over = np.array(list(of_views["probabilities"]["tiny_cnn"].values()))
    assert of_views["entropy_bits"]["tiny_cnn"] == pytest.approx(entropy_bits(over), abs=1e-4)
    assert of_views["disagreement_bits"] >= 0


def test_the_verdict_carries_its_threshold_and_what_that_does(written):
    verdict = written["faces"][0]["verdict"]
    assert verdict["sure"] == (verdict["probability"] >= verdict["threshold"])
    assert verdict["target_accuracy"] == 0.5
    assert verdict["chosen_on"] == {"split": "PublicTest", "images": 36}
    assert {"value", "low", "high", "n", "method"} == set(verdict["shown_on"]["coverage"])


def test_maps_stand_at_their_own_resolution_with_their_question(written, explained):
    found = written["faces"][0]["maps"]["tiny_cnn"]
    assert (found["method"], found["class"], found["against"]) == ("gradcam", "dark", None)
    assert found["layer"] == explained["tiny_cnn"].layer
    assert np.array(found["heatmap"]) == pytest.approx(explained["tiny_cnn"].heatmap, abs=1e-5)


def test_what_was_measured_is_there_and_no_number_is_null(written):
    face = written["faces"][0]
    assert face["shares"]["tiny_cnn"] == {"brows": 0.1, "eyes": 0.2, "nose": 0.3, "mouth": 0.4, "rest": None}
    trust = face["trust"]["tiny_cnn"]
    assert trust["deletion_insertion"]["deletion"] == [0.9, 0.4, 0.1]
    assert trust["deletion_insertion"]["steps"] == 2
    assert trust["road"]["least_relevant_first"] == [0.8, 0.7, 0.6]
    assert trust["chance"]["steps"] == 6
    assert trust["chance"]["better_than_chance"] is True
    assert trust["agreement"]["rank_correlation"] == [[1.0, None], [None, 1.0]]
    assert trust["randomized"] == [{"down_to": "head", "rank_correlation": 0.25}]
    assert "tiny_residual" not in face["trust"]


def test_what_was_not_measured_is_null(predictors, analysis):
    found = estimate_uncertainty(predictors, analysis, 0)
    known = FaceFindings(found, trust={"tiny_cnn": TrustFindings(randomization=(("head", 0.5),))})
    others = [FaceFindings(found)] * (len(analysis.faces) - 1)
    face = detailed_photo_record("a.jpg", analysis, predictors, [known, *others])["faces"][0]
    assert face["verdict"] is None
    assert face["maps"] == {}
    empty = dict.fromkeys(("deletion_insertion", "road", "drop", "chance", "agreement"))
    assert {k: face["trust"]["tiny_cnn"][k] for k in empty} == empty
