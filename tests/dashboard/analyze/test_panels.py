"""Methods, regions, trust that is stopped, on networks that were really trained."""

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core import inference, probes
from core.explain import Contrast, saliency_methods
from core.faces import Box, Detector, Face
from core.runtime import Runtime
from core.sample_photos import sample_photos
from dashboard import services
from dashboard.ui import progress

ENTRY = Path(__file__).resolve().parents[3] / "dashboard" / "app.py"


@pytest.fixture
def lab(networks, open_lab):
    """A panel of Analyze that opens without an error on it."""

    def opened(panel: str, photo: str = "grace_hopper", **link: str) -> AppTest:
        app = open_lab(panel, photo, **link)
        assert not app.error, app.error[0].value
        return app

    return opened


def labeled(widgets, label: str):
    return next(w for w in widgets if w.label == label)


def stopping_at(monkeypatch, name: str, number: int, key: str) -> list[int]:
    """``name`` of ``core.probes`` or ``core.inference`` is stopped at its ``number``-th call, as by a click.

    Returns the numbers of the calls that were made.
    """
    module = probes if hasattr(probes, name) else inference
    real, calls = getattr(module, name), []

    def interrupted(*args, progress=None, **options):
        calls.append(len(calls) + 1)
        if len(calls) == number:
            asked = st.session_state.get("asked-by-test")
            st.session_state[f"stopped-{key}"] = asked
            st.rerun()
        return real(*args, **options)

    monkeypatch.setattr(module, name, interrupted)
    return calls


@pytest.fixture
def remembers_the_question(monkeypatch):
    """A stop needs to know what was asked; a click on the button knows it, a test has to look."""
    real = progress.Work.__init__

    def looked_at(self, key, asked, parts):
        st.session_state["asked-by-test"] = asked
        real(self, key, asked, parts)

    monkeypatch.setattr(progress.Work, "__init__", looked_at)


def test_the_grid_has_a_row_a_method_and_a_map_a_network(lab, said):
    app = lab("Methods", methods="LayerCAM,Eigen-CAM")
    assert not app.exception
    app.pills(key="methods").set_value(["layercam", "eigencam", "occlusion"]).run()
    assert not app.exception
    text = said(app)
    for title in ("LayerCAM", "Eigen-CAM", "Occlusion", "**CNN**", "**Residual CNN**"):
        assert title in text
    assert "Eigen-CAM makes one map for all classes" in text
    assert {b.label for b in app.get("download_button")} >= {"Grid (PNG)", "Maps (CSV)"}
    app.pills(key="methods").set_value([]).run()
    assert "Choose at least one method." in said(app)


def test_methods_that_coincide_are_one_row_and_made_once(lab, said, monkeypatch):
    asked = []
    real = inference.explained
    monkeypatch.setattr(inference, "explained", lambda *a, **o: asked.append(o["method"]) or real(*a, **o))
    app = lab("Methods", stage="before the pooling")
    app.pills(key="methods").set_value(["gradcam", "hirescam", "xgradcam", "layercam"]).run()
    assert not app.exception
    assert "Grad-CAM  \n= HiResCAM  \n= XGrad-CAM" in said(app)
    assert "made and counted once" in said(app)
    assert {"hirescam", "xgradcam"}.isdisjoint(asked)
    assert asked.count("gradcam") == 2  # one a network
    app.selectbox(key="stage").set_value("stage 1").run()
    assert "= HiResCAM" not in said(app)


def test_the_grid_answers_one_class_rather_than_another(lab, said):
    app = lab("Methods", rather_than="dark")
    app.segmented_control(key=next(c.key for c in app.segmented_control if c.label == "Evidence for")).set_value(
        "bright"
    ).run()
    assert "Evidence for bright rather than dark" in said(app)


def test_a_stopped_grid_keeps_what_was_made_and_goes_on(lab, said, monkeypatch, remembers_the_question):
    calls = stopping_at(monkeypatch, "explained", 3, "grid")
    app = lab("Methods")
    assert "2 of 10 maps are made." in said(app)
    assert said(app).count("stopped") == 8
    assert calls == [1, 2, 3]
    labeled(app.button, "Go on").click().run()
    assert not app.exception
    assert "maps are made." not in said(app)
    assert len(calls) == 3 + 8


def test_a_slow_map_that_is_stopped_leaves_the_others(lab, said, monkeypatch, remembers_the_question):
    calls = stopping_at(monkeypatch, "explained", 2, "map-tiny_residual")
    app = lab("Saliency", method="Occlusion")
    assert said(app).count("Occlusion, input") == 1
    assert "Stopped before this map was made." in said(app)
    labeled(app.button, "Go on").click().run()
    assert said(app).count("Occlusion, input") + said(app).count("no evidence for this class") == 2
    assert calls == [1, 2, 3]


def test_trust_that_is_stopped_keeps_what_was_measured(lab, said, monkeypatch, remembers_the_question):
    calls = stopping_at(monkeypatch, "compare_with_chance", 2, "trust")
    app = lab("Trust", stage="stage 1")
    labeled(app.button, "Measure").click().run()
    assert not app.exception
    text = said(app)
    if "marks no place" in text:
        pytest.skip("one of the tiny networks has no map here")
    assert "the chance test is done for 1 of 2 networks" in text
    table = app.dataframe[-1].value
    assert list(table["chance test"])[1] == "not tested"
    assert table["ROAD"][1] != ""
    labeled(app.button, "Go on").click().run()
    assert not app.exception
    assert set(app.dataframe[-1].value["chance test"]) <= {"better than chance", "no better than chance"}
    assert calls == [1, 2, 3]


def test_trust_is_about_the_chosen_method_and_contrast(lab, said, monkeypatch):
    asked, compared = [], []
    check, agreement = probes.randomization_check, probes.method_agreement
    monkeypatch.setattr(probes, "randomization_check", lambda *a, **o: asked.append(a[2:]) or check(*a, **o))
    monkeypatch.setattr(probes, "method_agreement", lambda *a, **o: compared.append((a[2], a[4])) or agreement(*a, **o))
    link = {"class": "striped", "rather_than": "dark", "method": "Occlusion", "networks": "CNN", "stage": "stage 1"}
    app = lab("Trust", **link)
    labeled(app.button, "Measure").click().run()
    assert not app.exception
    labels = services.listing().get("tiny_cnn").card.labels
    contrast = Contrast(labels.index("striped"), labels.index("dark"))
    stage = services.listing().get("tiny_cnn").card.cam_layer
    assert asked == [(contrast, stage, "occlusion")]
    assert [target for target, _ in compared] == [contrast]
    assert "occlusion" in compared[0][1]
    assert "scorecam" not in compared[0][1]
    text = said(app)
    assert "Occlusion of this face, evidence for striped rather than dark, against itself" in text
    assert "Occlusion and the quick methods' maps at stage 1, evidence for striped rather than dark" in text
    assert "Probability of striped where only it and dark are possible as the marked" in text


def test_the_check_by_random_weights_of_a_slow_method_can_be_stopped(lab, said, monkeypatch, remembers_the_question):
    calls = stopping_at(monkeypatch, "randomization_check", 2, "trust")
    app = lab("Trust", method="Occlusion")
    labeled(app.button, "Measure").click().run()
    assert not app.exception
    text = said(app)
    if "marks no place" in text:
        pytest.skip("one of the tiny networks has no map here")
    assert "Stopped; the check by random weights is done for 1 of 2 networks." in text
    labeled(app.button, "Go on").click().run()
    assert not app.exception
    assert "Stopped" not in said(app)
    assert calls == [1, 2, 3]


def test_regions_of_a_haar_face_are_the_templates(lab, said):
    app = lab("Regions")
    assert "Regions from the template" in said(app)
    assert "The bar is the region's part of the crop" in said(app) or "has no shares" in said(app)


def test_averages_without_the_data_set_are_a_sentence(lab, said):
    app = lab("Regions")
    labeled(app.button, "Average by class").click().run()
    assert not app.exception
    assert "set FERSCOPE_DATA" in said(app)


def test_averages_over_the_data_set_are_made_once(lab, said, image_folder, monkeypatch):
    app = lab("Regions")
    monkeypatch.setenv("FERSCOPE_DATA", str(image_folder))
    calls = []
    real = probes.split_region_shares
    monkeypatch.setattr(probes, "split_region_shares", lambda *a, **o: calls.append(1) or real(*a, **o))
    labeled(app.button, "Average by class").click().run()
    assert not app.exception
    assert "PrivateTest, n = 36, by the class each network answered with" in said(app)
    app.segmented_control(key="region").set_value("eyes").run()
    assert not app.exception
    assert len(calls) == 2


def test_a_face_number_in_a_link_is_that_face_and_belongs_to_the_first_photo(lab, said):
    app = lab("Saliency", photo="two_faces", face="2")
    assert "Face 2 of 2" in said(app)
    app.file_uploader(key="uploads").upload("other.jpg", sample_photos()["two_faces"].data + b"\0").run()
    assert not app.exception
    assert "other.jpg" in said(app)
    assert "Face 1 of 2" in said(app)


def test_a_chosen_class_goes_into_the_link_and_stays_for_the_next_face(lab, said):
    app = lab("Saliency", photo="two_faces")
    control = labeled(app.segmented_control, "Evidence for")
    other = next(c for c in control.options if c != control.value)
    control.set_value(other).run()
    assert app.query_params["class"] == other
    labeled(app.segmented_control, "Face").set_value(1).run()
    assert app.query_params["face"] == "2"
    assert labeled(app.segmented_control, "Evidence for").value == other


def test_every_method_can_stand_in_the_grid():
    from dashboard.plots import method_grid

    for name, method in saliency_methods().items():
        assert method_grid.title((name,), plain=True) == method.title


class FindsASpeck(Detector):
    """Says that every photo has a face of 12 px in its corner."""

    name = "haar"

    def _find(self, view):
        return [Face(Box(4.0, 4.0, 12.0 * len(view) / 600, 12.0 * len(view) / 600), score=0.9)]


def test_a_face_below_16_px_is_warned_of_and_every_panel_still_opens(lab, said, monkeypatch):
    monkeypatch.setattr(Runtime, "detector", lambda *_: FindsASpeck(min_score=0.5))
    app = lab("Saliency")
    assert "This face is only 12 px wide. Below 16 px there is little to see" in said(app)
    for panel in ("Methods", "Regions", "What if", "Trust", "Doubt", "Report"):
        app.segmented_control(key="panel").set_value(panel).run()
        assert not app.exception


def test_a_stage_that_one_network_lacks_is_a_sentence_and_the_other_has_its_map(lab, said):
    app = lab("Saliency")
    network = services.predictor(services.listing().get("tiny_cnn")).network
    path = network.stages.pop("stage 1")
    try:
        app.selectbox(key="stage").set_value("stage 1").run()
        assert "This network has no stage 1; it has stage 2, stage 3." in said(app)
        assert said(app).count("stage 1,") + said(app).count("at stage 1") == 1
        app.segmented_control(key="panel").set_value("Methods").run()
        assert "CNN is left out: this network has no stage 1; it has stage 2, stage 3." in said(app)
        assert not app.exception
    finally:
        network.stages = {"stage 1": path, **network.stages}


def test_a_network_with_a_weight_that_is_not_a_number_is_a_sentence(lab, said):
    import torch

    app = lab("Saliency")
    weight = services.predictor(services.listing().get("tiny_cnn")).network.trunk.stage1
    parameter = next(weight.parameters())
    before = parameter.detach().clone()
    try:
        with torch.no_grad():
            parameter[0] = torch.nan
        for method in ("layercam", "occlusion"):
            app.selectbox(key="method").set_value(method).run()
            assert not app.exception
            assert "met a value that is not a finite number" in said(app)
    finally:
        with torch.no_grad():
            parameter.copy_(before)
