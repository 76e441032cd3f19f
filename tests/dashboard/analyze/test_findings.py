"""What is taken along of a face: the report, the JSON file, the numbers of trust, and the words beside a map."""

import io
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from core import inference, probes
from core.explain import ChanceResult, ConfidenceDrop, Explanation, FaithfulnessCurves, RoadCurves
from dashboard.analyze import downloads, report
from dashboard.analyze import trust as trust_panel
from dashboard.plots import method_grid, saliency_pictures, trust
from dashboard.reports import face_report
from dashboard.ui import progress

ENTRY = Path(__file__).resolve().parents[3] / "dashboard" / "app.py"
# A stage at which both tiny networks have a map of the portrait.
STAGE = "stage 1"


@pytest.fixture
def lab(networks, open_lab, monkeypatch):
    """Analyze with a portrait at a panel. ``app.reports`` and ``app.files`` are what could be downloaded last."""

    def opened(panel: str, photo: str = "grace_hopper", **link: str) -> AppTest:
        reports, files = [], []
        made, drawn = report._report, downloads.draw

        def kept_report(*args, **options):
            reports.append(made(*args, **options))
            return reports[-1]

        def kept_file(face, table):
            asked = downloads.questions.last(face), *downloads.uncertainty.asked()
            files.append(json.loads(downloads.values(face, *asked)))
            drawn(face, table)

        monkeypatch.setattr(report, "_report", kept_report)
        monkeypatch.setattr(downloads, "draw", kept_file)
        app = open_lab(panel, photo, **link)
        app.reports, app.files = reports, files
        return app

    return opened


@pytest.fixture
def few_methods(monkeypatch):
    """Agreement between two methods instead of seven."""
    monkeypatch.setattr(trust_panel, "QUICK", ("gradcam", "layercam"))


def to(app: AppTest, panel: str) -> AppTest:
    app.segmented_control(key="panel").set_value(panel).run()
    assert not app.exception, app.exception
    return app


def measure(app: AppTest) -> AppTest:
    next(b for b in app.button if b.label == "Measure").click().run()
    assert not app.exception, app.exception
    return app


def section(made: face_report.Report, title: str) -> face_report.Section:
    return next(s for s in made.sections if s.title == title)


def test_the_report_says_the_verdict_and_what_its_threshold_does(lab):
    app = lab("Report", target="0.5")
    words = " ".join(section(app.reports[-1], "Doubt").sentences)
    assert re.search(r"(Sure enough to say \w+|Unsure): \w+ 0\.\d{3}, threshold 0\.\d{3}", words)
    assert "Threshold chosen on PublicTest (n = 36) for an accuracy of 0.50. On PrivateTest (n = 36)" in words
    assert "it answers" in words


def test_the_report_takes_the_chosen_views(lab):
    app = lab("Report", views="ten crops")
    app.segmented_control(key="views").set_value("ten crops").run()
    made = app.reports[-1]
    ((_, table),) = section(made, "Doubt").tables
    assert "over ten crops" in table.columns
    assert "the mean over ten crops" in made.summary[0]
    assert app.files[-1]["photos"][0]["faces"][0]["uncertainty"]["views"] == "ten crops"


def test_the_report_has_the_shares_by_region(lab):
    made = lab("Report", stage=STAGE).reports[-1]
    found = section(made, "Where the networks looked")
    ((_, table),) = found.tables
    assert list(table["region"]) == ["brows", "eyes", "nose", "mouth", "rest"]
    for column in table.columns[1:]:
        assert table[column].astype(float).sum() == pytest.approx(1, abs=0.003)
    assert "Regions from the template" in found.sentences[0]


def test_trust_that_was_measured_is_in_the_report_unasked(lab, said, few_methods):
    app = lab("Report", stage=STAGE)
    assert "Trust" not in [s.title for s in app.reports[-1].sections]
    app = measure(to(app, "Trust"))
    app.selectbox(key="stage").set_value(STAGE).run()
    measure(app)
    verdicts = dict(zip(app.dataframe[-1].value["network"], app.dataframe[-1].value["chance test"], strict=True))
    to(app, "Report")
    app.selectbox(key="stage").set_value(STAGE).run()
    made = app.reports[-1]
    assert not app.toggle(key="report_trust").value
    found = section(made, "Trust")
    assert sum(map(len, found.plots)) == 2 * 3 + 1  # curves, ROAD and agreement a network; random weights for all
    for picture in made.pictures:
        name = picture.caption.split(",")[0]
        assert picture.caption.endswith(f", {verdicts[name]}")
    text = face_report.html(made, "now")
    assert text.count("<svg") == sum(map(len, found.plots))
    assert "ROAD curves of CNN" in text
    assert "trust" in said(app)
    known = app.files[-1]["photos"][0]["faces"][0]
    assert known["trust"]["tiny_cnn"]["chance"]["better_than_chance"] == (verdicts["CNN"] == trust.BETTER)
    assert len(known["trust"]["tiny_cnn"]["measures"]["curves"]["deletion"]) == 25
    assert known["trust"]["tiny_cnn"]["randomization"][0][0] == "head"


def test_measuring_for_the_report_can_be_stopped_and_goes_on(lab, said, few_methods, monkeypatch):
    real, begun, asked = probes.compare_with_chance, [], []
    init = progress.Work.__init__
    monkeypatch.setattr(
        progress.Work, "__init__", lambda self, key, what, parts: asked.append(what) or init(self, key, what, parts)
    )

    def stopped_at_the_second(*args, progress=None, **options):
        begun.append(1)
        if len(begun) == 2:  # as a click on Stop: remembered, and the script runs again
            st.session_state["stopped-report"] = asked[-1]
            st.rerun()
        return real(*args, **options)

    monkeypatch.setattr(probes, "compare_with_chance", stopped_at_the_second)
    app = lab("Report")
    app.selectbox(key="stage").set_value(STAGE).run()
    app.toggle(key="report_trust").set_value(True).run()
    assert not app.exception
    assert "Stopped; what was measured by then goes in." in said(app)
    found = {m: of["chance"] for m, of in app.files[-1]["photos"][0]["faces"][0]["trust"].items()}
    assert [of is None for of in found.values()] == [False, True]
    next(b for b in app.button if b.label == "Go on").click().run()
    assert "Stopped;" not in said(app)
    assert len(begun) == 3
    assert all(of["chance"] for of in app.files[-1]["photos"][0]["faces"][0]["trust"].values())


def test_a_map_that_is_no_better_than_chance_is_called_so_wherever_it_is_drawn(lab, said, few_methods, monkeypatch):
    monkeypatch.setattr(probes, "compare_with_chance", lambda *_, **__: ChanceResult(0.1, 0.2, 99))
    app = lab("Regions")
    app.selectbox(key="stage").set_value(STAGE).run()
    assert "chance" not in said(app)
    measure_at(app)
    for panel, words in {
        "Saliency": "cells · no better than chance",
        "Regions": "No better than chance: the map of CNN, Residual CNN.",
        "Methods": "no better than chance",
    }.items():
        to(app, panel)
        app.selectbox(key="stage").set_value(STAGE).run()
        assert words in said(app), panel
    assert said(app).count("no better than chance") == 2  # Grad-CAM's row, and none of the other methods'


def measure_at(app: AppTest) -> None:
    to(app, "Trust")
    app.selectbox(key="stage").set_value(STAGE).run()
    measure(app)


def test_two_faces_side_by_side_say_it_too(lab, said, few_methods, monkeypatch):
    monkeypatch.setattr(probes, "compare_with_chance", lambda *_, **__: ChanceResult(0.1, 0.2, 99))
    app = lab("Trust", "two_faces")
    measure(app)
    if "marks no place" in said(app):
        pytest.skip("one of the tiny networks has no map here")
    app.segmented_control(key="show").set_value("All faces").run()
    for tick in [c.key for c in app.checkbox]:
        app.checkbox(key=tick).check().run()
    assert not app.exception
    assert said(app).count(", no better than chance") == 2  # both networks, and nothing of the other face


def test_the_file_of_a_panel_without_a_question_has_the_maps_asked_for_last(lab):
    app = lab("Saliency", method="LayerCAM", **{"class": "dark"})
    to(app, "Doubt")
    found = app.files[-1]["photos"][0]["faces"][0]["maps"]
    assert {(m["method"], m["expression"]) for m in found.values()} == {("layercam", "dark")}


def test_a_link_to_another_panel_is_followed_by_the_file(lab):
    face = lab("Saliency", target="0.5", views="with its mirror image", **{"class": "dark"}).files[-1]["photos"][0][
        "faces"
    ][0]
    assert face["decision"]["target"] == 0.5
    assert face["uncertainty"]["views"] == "mirror"
    assert {m["expression"] for m in face["maps"].values()} == {"dark"}


def test_a_slow_map_is_in_the_file_once_it_was_made(lab, monkeypatch):
    app = lab("Doubt")
    assert app.files[-1]["photos"][0]["faces"][0]["maps"]["tiny_cnn"]["method"] == "gradcam"
    to(app, "Saliency")
    app.selectbox(key="method").set_value("occlusion").run()
    assert app.files[-1]["photos"][0]["faces"][0]["maps"]["tiny_cnn"]["method"] == "occlusion"
    monkeypatch.setattr(inference, "explained", lambda *_, **__: pytest.fail("made for a file"))
    to(app, "Doubt")
    assert app.files[-1]["photos"][0]["faces"][0]["maps"]["tiny_cnn"]["stage"] == "input"


def test_every_face_of_the_photo_is_in_the_file_and_the_one_in_question_has_maps(lab):
    faces = lab("Saliency", "two_faces", face="2").files[-1]["photos"][0]["faces"]
    assert [face["number"] for face in faces] == [1, 2]
    assert [bool(face["maps"]) for face in faces] == [False, True]
    assert all(face["uncertainty"]["groups"][0]["raw"] for face in faces)


def test_the_numbers_of_trust_hold_every_point_and_correlation():
    fractions = np.linspace(0, 1, 3)
    explanation = Explanation("one", "gradcam", 0, "stage 3", np.eye(2, dtype=np.float32), 1.0)
    found = probes.TrustFindings(
        probes.FaithfulnessMeasures(
            explanation,
            FaithfulnessCurves(fractions, np.array([0.9, 0.4, 0.1]), np.array([0.1, 0.6, 0.9]), 0.45, 0.55),
            RoadCurves(fractions[1:], np.array([0.4, 0.3]), np.array([0.7, 0.6])),
            ConfidenceDrop(0.9, 0.5, 0.1),
        ),
        ChanceResult(0.2, 0.1, 99),
        probes.MethodAgreement(("A = B", "C"), np.array([[1.0, 0.5], [0.5, 1.0]])),
        (("head", 0.25), ("stage3", 0.0)),
    )
    table = trust.numbers({"one": found, "other": probes.TrustFindings()}, {"one": "One", "other": "Other"})
    assert set(table["network"]) == {"One"}
    points = table[table["measure"] == "insertion"]
    assert list(points["at"]) == [0, 0.5, 1]
    assert list(points["value"]) == [0.1, 0.6, 0.9]
    assert list(table[table["measure"] == "ROAD, least relevant first"]["value"]) == [0.7, 0.6]
    single = table.set_index("measure")
    assert single.loc["deletion area", "steps"] == 2
    assert single.loc["chance test: insertion − deletion", "steps"] == 6
    assert single.loc["chance test: better than chance", "value"] == 1
    assert tuple(single.loc["rank correlation of methods", ["at", "value"]]) == ("A = B, C", 0.5)
    random = table[table["measure"].str.contains("weights random")]
    assert dict(zip(random["at"], random["value"], strict=True)) == {"head": 0.25, "stage3": 0.0}
    assert not pd.isna(table["value"]).any()


def test_the_pictures_files_have_room_for_the_words():
    def size(data: bytes) -> tuple[int, int]:
        return Image.open(io.BytesIO(data)).size

    picture = np.zeros((336, 336, 3), np.uint8)
    plain, worded = (
        size(saliency_pictures.contact_sheet({name: picture}, "T", "viridis")) for name in ("CNN", "CNN\nwords")
    )
    assert worded[1] > plain[1]
    cell = np.zeros((176, 176, 3), np.uint8)
    rows = {"Grad-CAM": {"CNN": cell}, "LayerCAM": {"CNN": cell}}
    note = {("Grad-CAM", "CNN"): "no better than chance"}
    plain, worded = (size(method_grid.sheet(rows, "T", "viridis", notes)) for notes in (None, note))
    assert worded[1] == plain[1] + 2 * 18


def test_the_json_follows_a_link_that_opens_a_panel_without_a_question(lab):
    app = lab("Doubt", **{"class": "dark", "rather_than": "bright", "method": "LayerCAM", "stage": STAGE})
    maps = app.files[-1]["photos"][0]["faces"][0]["maps"]
    asked = {(m["method"], m["expression"], m["against"], m["stage"]) for m in maps.values()}
    assert asked == {("layercam", "dark", "bright", STAGE)}
