"""The panels of Analyze on networks that were trained on generated pictures."""

import json

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core import inference, probes
from core.explain import Contrast, saliency_methods
from core.probes import uncertainty as probe
from dashboard import services
from dashboard.plots import method_grid
from dashboard.style import LIGHT
from dashboard.ui import progress
from tests.wrapped_tables import wrapped_tables


@pytest.fixture
def opened(networks, open_analyze):
    """A panel of Analyze that opens without an error message."""

    def make(panel: str, photo: str = "grace_hopper", **link: str | list[str]) -> AppTest:
        app = open_analyze(photo, panel=panel, **link)
        assert not app.error, app.error[0].value
        return app

    return make


def stopping_at(monkeypatch, module, name: str, number: int, key: str) -> list[int]:
    """``module.name`` is interrupted at its ``number``-th call as by a click on Stop: remembered, then a rerun.

    Returns the numbers of the calls. A call of the first page, which names no method, is not counted.
    """
    real, calls = getattr(module, name), []

    def interrupted(*args, progress=None, **options):
        if name == "explain_face" and "method" not in options:
            return real(*args, **options)
        calls.append(len(calls) + 1)
        if len(calls) == number:
            st.session_state[f"stopped-{key}"] = st.session_state.get("request-by-test")
            st.rerun()
        return real(*args, **options)

    monkeypatch.setattr(module, name, interrupted)
    return calls


@pytest.fixture
def remembers_the_request(monkeypatch):
    """Records the request of the current computation, which a click on Stop stores."""
    real = progress.work

    def recorded(key, request, parts):
        st.session_state["request-by-test"] = request
        return real(key, request, parts)

    monkeypatch.setattr(progress, "work", recorded)


def choose_class(app: AppTest, name: str) -> None:
    next(c for c in app.segmented_control if c.label == "Evidence for the class").set_value(name).run()
    assert not app.exception


def test_every_method_draws_a_map_of_every_network(opened, page_text):
    app = opened("Saliency", method="Occlusion")
    assert app.selectbox(key="method").value == "occlusion"
    for name, method in saliency_methods().items():
        app.selectbox(key="method").set_value(name).run()
        assert not app.exception
        text = page_text(app)
        assert text.count(f"· {method.title}, ") + text.count("no evidence for this class") == 2
        assert method.source in text


def test_methods_with_the_same_map_are_named_only_where_that_is_true(opened, page_text):
    app = opened("Saliency", method="HiResCAM", stage="before the pooling")
    same = "Grad-CAM, HiResCAM and XGrad-CAM give the same map on CNN and Residual CNN at this stage"
    assert same in page_text(app)
    app.selectbox(key="method").set_value("layercam").run()
    assert "the same map" not in page_text(app)
    app.selectbox(key="method").set_value("gradcam").run()
    app.selectbox(key="stage").set_value("stage 1").run()
    assert "the same map" not in page_text(app)


def test_one_class_rather_than_another(opened, page_text, labeled):
    app = opened("Saliency")
    predicted = labeled(app.segmented_control, "Evidence for the class").value
    contrast = labeled(app.selectbox, "Rather than")
    assert predicted not in contrast.options
    contrast.set_value(contrast.options[1]).run()
    assert not app.exception
    assert "own scale" not in page_text(app)
    app.selectbox(key="scale").set_value("common").run()
    assert "contrasts always have their own scale" in page_text(app)


def test_a_chosen_class_stays_for_the_next_face(opened, labeled):
    app = opened("Saliency", photo="two_faces")
    control = labeled(app.segmented_control, "Evidence for the class")
    other = next(c for c in control.options if c != control.value)
    choose_class(app, other)
    assert app.query_params["class"] == other
    labeled(app.segmented_control, "Face").set_value(1).run()
    assert app.query_params["face"] == "2"
    assert labeled(app.segmented_control, "Evidence for the class").value == other


def test_the_class_follows_the_prediction_until_the_user_chooses_one(opened, labeled):
    app = opened("Saliency", photo="eileen_collins", networks="CNN")
    assert labeled(app.segmented_control, "Evidence for the class").value == "bright"
    app.pills(key="networks").set_value(["tiny_residual"]).run()
    assert labeled(app.segmented_control, "Evidence for the class").value == "striped"
    assert "class" not in app.query_params
    choose_class(app, "dark")
    app.pills(key="networks").set_value(["tiny_cnn"]).run()
    assert labeled(app.segmented_control, "Evidence for the class").value == "dark"


def test_a_contrast_that_is_removed_leaves_no_chosen_class(opened, labeled, page_text):
    app = opened("Saliency", photo="eileen_collins", networks="CNN")
    contrast = labeled(app.selectbox, "Rather than")
    contrast.set_value("dark").run()
    assert (app.query_params["class"], app.query_params["rather_than"]) == ("bright", "dark")
    assert " · rather than dark · Grad-CAM" in page_text(app)
    labeled(app.selectbox, "Rather than").set_value(contrast.options[0]).run()
    assert "class" not in app.query_params
    assert "rather_than" not in app.query_params
    app.pills(key="networks").set_value(["tiny_residual"]).run()
    assert labeled(app.segmented_control, "Evidence for the class").value == "striped"


def test_a_slow_map_that_is_stopped_leaves_the_others(opened, page_text, labeled, monkeypatch, remembers_the_request):
    calls = stopping_at(monkeypatch, inference, "explain_face", 2, "maps")
    app = opened("Saliency", method="Occlusion")
    assert page_text(app).count("Occlusion, input") == 1
    assert "Residual CNN: this map has not been computed." in page_text(app)
    labeled(app.button, "Resume").click().run()
    assert page_text(app).count("Occlusion, input") + page_text(app).count("no evidence for this class") == 2
    assert calls == [1, 2, 3]


def test_a_stage_that_one_network_lacks_is_a_note_and_the_other_has_its_map(opened, page_text, show_panel):
    app = opened("Saliency")
    network = services.predictor(services.listing().get("tiny_cnn")).network
    path = network.stages.pop("stage 1")
    try:
        app.selectbox(key="stage").set_value("stage 1").run()
        assert "CNN: this network has no stage 1; available: stage 2, stage 3." in page_text(app)
        assert page_text(app).count("stage 1,") + page_text(app).count("at stage 1") == 1
        assert "CNN is left out: this network has no stage 1" in page_text(show_panel(app, "Methods"))
        for panel in ("Regions", "Trust", "Report"):
            show_panel(app, panel)
    finally:
        network.stages = {"stage 1": path, **network.stages}


def test_a_method_that_marks_pixels_needs_no_stage(opened, page_text, show_panel):
    app = opened("Saliency", stage="stage 1")
    network = services.predictor(services.listing().get("tiny_cnn")).network
    path = network.stages.pop("stage 1")
    try:
        app.selectbox(key="method").set_value("guided_backprop").run()
        assert app.selectbox(key="stage").disabled
        for panel in ("Saliency", "Methods", "Regions", "Trust", "Report"):
            show_panel(app, panel)
            assert not app.error, app.error[0].value
            assert "this network has no stage" not in page_text(app)
            assert [b for b in app.get("download_button") if b.label == "All results (JSON)"]
    finally:
        network.stages = {"stage 1": path, **network.stages}


def test_the_grid_has_a_row_per_method_and_a_map_per_network(opened, page_text):
    app = opened("Methods", methods=["LayerCAM", "Eigen-CAM"])
    app.pills(key="methods").set_value(["layercam", "eigencam", "occlusion"]).run()
    assert not app.exception
    text = page_text(app)
    for title in ("## LayerCAM", "## Eigen-CAM", "## Occlusion"):
        assert title in text
    assert "Eigen-CAM: one map for all classes." in text
    labels = {b.label for b in app.get("download_button")}
    assert labels >= {"Maps of all methods (PNG)", "Maps of all methods (CSV)"}
    app.pills(key="methods").set_value([]).run()
    assert "Choose at least one method." in page_text(app)


def test_methods_with_the_same_map_share_a_row_and_are_computed_once(opened, page_text, monkeypatch):
    computed = []
    real = inference.explain_face
    monkeypatch.setattr(inference, "explain_face", lambda *a, **o: computed.append(o["method"]) or real(*a, **o))
    app = opened("Methods", stage="before the pooling")
    app.pills(key="methods").set_value(["gradcam", "hirescam", "xgradcam", "layercam"]).run()
    assert not app.exception
    assert "## Grad-CAM = HiResCAM = XGrad-CAM" in page_text(app)
    assert {"hirescam", "xgradcam"}.isdisjoint(computed)
    assert computed.count("gradcam") == 2  # one per network
    app.selectbox(key="stage").set_value("stage 1").run()
    assert "= HiResCAM" not in page_text(app)


def test_the_grid_shows_one_class_rather_than_another(opened, page_text):
    app = opened("Methods", rather_than="dark")
    choose_class(app, "bright")
    assert "Evidence for bright rather than dark" in page_text(app)


def test_a_stopped_grid_keeps_what_was_computed_and_resumes(
    opened, page_text, labeled, monkeypatch, remembers_the_request
):
    calls = stopping_at(monkeypatch, inference, "explain_face", 3, "methods-work")
    app = opened("Methods")
    assert "Stopped: 2 of 10 results are ready." in page_text(app)
    assert "This method has not been computed." in page_text(app)
    labeled(app.button, "Resume").click().run()
    assert not app.exception
    assert "Stopped:" not in page_text(app)
    assert len(calls) == 3 + 8


def test_every_method_has_a_title_in_the_grid():
    for name, method in saliency_methods().items():
        assert method_grid.title((name,)) == method.title


def test_trust_is_measured_on_request_after_an_estimate(opened, page_text, labeled):
    app = opened("Trust", stage="stage 1")
    assert "ROAD" not in page_text(app)
    assert "on two CPU cores" in page_text(app)
    labeled(app.button, "Measure").click().run()
    assert not app.exception
    if "marks no place" not in page_text(app):
        table = wrapped_tables(app)[0]
        assert all("better than chance" in verdict for verdict in table["chance test"])
    app.selectbox(key="method").set_value("eigencam").run()
    assert "ROAD" not in page_text(app)  # other maps have not been measured


def test_trust_that_is_stopped_keeps_what_was_measured(opened, page_text, labeled, monkeypatch, remembers_the_request):
    calls = stopping_at(monkeypatch, probes, "compare_with_chance", 2, "trust")
    app = opened("Trust", stage="stage 1")
    labeled(app.button, "Measure").click().run()
    assert not app.exception
    if "marks no place" in page_text(app):
        pytest.skip("one of the tiny networks has no map here")
    assert "Stopped: " in page_text(app)
    assert list(wrapped_tables(app)[0]["chance test"])[-1] == "not tested"
    labeled(app.button, "Resume").click().run()
    assert not app.exception
    assert "not tested" not in set(wrapped_tables(app)[0]["chance test"])
    assert calls == [1, 2, 3]


def test_trust_is_about_the_chosen_method_and_contrast(opened, page_text, labeled, monkeypatch):
    checked, compared = [], []
    check, agreement = probes.randomization_check, probes.method_agreement
    monkeypatch.setattr(probes, "randomization_check", lambda *a, **o: checked.append(a[2:]) or check(*a, **o))
    monkeypatch.setattr(probes, "method_agreement", lambda *a, **o: compared.append((a[2], a[4])) or agreement(*a, **o))
    link = {"class": "striped", "rather_than": "dark", "method": "Occlusion", "networks": "CNN", "stage": "stage 1"}
    app = opened("Trust", **link)
    labeled(app.button, "Measure").click().run()
    assert not app.exception
    labels = services.listing().get("tiny_cnn").card.labels
    contrast = Contrast(labels.index("striped"), labels.index("dark"))
    stage = services.listing().get("tiny_cnn").card.cam_layer
    assert checked == [(contrast, stage, "occlusion")]
    assert [target for target, _ in compared] == [contrast]
    assert "occlusion" in compared[0][1]
    assert "scorecam" not in compared[0][1]
    text = page_text(app)
    assert "Occlusion of this face, evidence for striped rather than dark, compared with itself" in text
    assert f"the maps of Occlusion and of the quick methods, at {stage};" in text
    assert "Probability of striped, if only striped and dark are possible," in text


def test_regions_of_a_haar_face_are_those_of_the_template(opened, page_text):
    app = opened("Regions", detector="Haar cascade")
    assert "Regions of the template" in page_text(app)
    assert "The bar marks the share of a uniform map" in page_text(app) or "no evidence for" in page_text(app)


def test_regions_of_a_face_with_landmarks_follow_them(opened, page_text):
    assert "Regions placed by the five landmarks" in page_text(opened("Regions", detector="MTCNN"))


def test_means_without_the_data_set_are_a_note(opened, page_text, labeled):
    app = opened("Regions")
    labeled(app.button, "Compute means by class").click().run()
    assert not app.exception
    assert "set FERSCOPE_DATA" in page_text(app)


def test_means_over_the_data_set_are_computed_once(opened, page_text, labeled, image_folder, monkeypatch):
    app = opened("Regions")
    monkeypatch.setenv("FERSCOPE_DATA", str(image_folder))
    calls = []
    real = probes.split_region_shares
    monkeypatch.setattr(probes, "split_region_shares", lambda *a, **o: calls.append(1) or real(*a, **o))
    labeled(app.button, "Compute means by class").click().run()
    assert not app.exception
    assert "n = 36, by predicted class" in page_text(app)
    app.segmented_control(key="region").set_value("eyes").run()
    assert not app.exception
    assert len(calls) == 2


def test_the_uncertainty_panel_names_the_views(opened, page_text):
    app = opened("Uncertainty", accuracy="0.5")
    assert "Jensen-Shannon" in page_text(app)
    assert "(n = 36) with at least this probability have an accuracy of 0.50" in page_text(app)
    app.selectbox(key="views").set_value("mirror").run()
    assert not app.exception
    assert "mean over 2 views" in wrapped_tables(app)[0].columns
    assert "Both were measured with one view per face." in page_text(app)


def test_a_prediction_below_the_threshold_is_unsure(opened, page_text, monkeypatch):
    monkeypatch.setattr(probe, "threshold_for", lambda *_: 1.1)
    assert "Unsure: " in page_text(opened("Uncertainty"))


@pytest.mark.parametrize("networks", [["CNN"], ["CNN", "Residual CNN"]])
def test_risk_and_coverage_are_drawn_in_the_style_of_the_network_or_the_ensemble(opened, networks):
    app = opened("Uncertainty", accuracy="0.5", networks=networks)
    (chart,) = [c for c in app.get("plotly_chart") if c.proto.alt.startswith("Error rate by")]
    line = json.loads(chart.proto.spec)["data"][0]["line"]
    assert line["dash"] == ("dot" if networks == ["CNN"] else "solid")
    assert line["color"] == (LIGHT.hues[0] if networks == ["CNN"] else LIGHT.text)


def test_uncertainty_without_stored_predictions_has_no_threshold(opened, page_text, monkeypatch):
    from core.checkpoints import Checkpoint
    from core.errors import CheckpointError

    def missing(self, split):
        raise CheckpointError(f"{self.card.run_id} has no stored predictions for the {split} split")

    monkeypatch.setattr(Checkpoint, "evaluation", missing)
    assert "There is no threshold: tiny_cnn has no stored predictions for the val split." in page_text(
        opened("Uncertainty")
    )
