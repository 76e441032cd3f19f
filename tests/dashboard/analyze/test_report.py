"""What can be downloaded of a face: the report, the JSON file and the numbers; and the chance test with each map."""

import io
import json
import re
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from core import inference, probes
from core.explain import ChanceResult, ConfidenceDrop, Explanation, FaithfulnessCurves, RandomizationStep, RoadCurves
from dashboard.analyze import downloads, report
from dashboard.analyze import trust as trust_panel
from dashboard.plots import method_grid, saliency_pictures, trust
from dashboard.reports import html
from dashboard.style import DARK, LIGHT
from dashboard.ui import progress, theme
from tests.wrapped_tables import wrapped_tables

STAGE = "stage 1"  # at which both networks of the tests have a map of the portrait
NOT_BETTER = ChanceResult(0.1, 0.4, 0.2, 99)


@pytest.fixture
def opened(networks, open_analyze, monkeypatch):
    """Analyze at a panel. ``app.chapters`` and ``app.files`` are the contents of the last report and JSON file."""

    def make(panel: str, photo: str = "grace_hopper", **link: str) -> AppTest:
        chapters, files = [], []
        real_chapters, real_details = report.face_chapters, downloads.details.of_photo

        def recorded_chapters(*args, **options):
            built = real_chapters(*args, **options)
            chapters.append({chapter.title: list(chapter.sections()) for chapter in built})
            return built

        def recorded_details(face, options):
            found = real_details(face, options)
            files.append(json.loads(downloads.json_record(face, found)))
            return found

        monkeypatch.setattr(report, "face_chapters", recorded_chapters)
        monkeypatch.setattr(downloads.details, "of_photo", recorded_details)
        app = open_analyze(photo, panel=panel, **link)
        app.chapters, app.files = chapters, files
        return app

    return make


@pytest.fixture
def few_methods(monkeypatch):
    """Agreement between two methods instead of seven."""
    monkeypatch.setattr(trust_panel, "QUICK", ("gradcam", "layercam"))


@pytest.fixture
def measured(show_panel, labeled):
    """Measure the trust in the maps, then open a panel."""

    def measure(app: AppTest, then: str = "") -> AppTest:
        labeled(show_panel(app, "Trust").button, "Measure").click().run()
        assert not app.exception, app.exception
        return show_panel(app, then) if then else app

    return measure


def faces_of(app: AppTest) -> list[dict]:
    return app.files[-1]["photos"][0]["faces"]


def test_the_report_states_the_verdict_and_the_effect_of_its_threshold(opened):
    (section,) = opened("Report", accuracy="0.5").chapters[-1]["Uncertainty"]
    assert re.search(
        r"(Sure|Unsure): \w+\. The probability of \w+, 0\.\d{3}, (reaches|is below) the threshold 0\.\d{3}",
        section.text[0],
    )
    assert "(n = 36) with at least this probability have an accuracy of 0.50" in section.text[1]


@pytest.mark.parametrize("views", ["1: the face", "10: ten crops"])
def test_every_number_of_the_report_has_one_value(opened, page_text, views):
    app = opened("Report", views=views)
    chapters = app.chapters[-1]
    table = chapters["Predictions"][-1].table.data
    ensemble = table["ensemble"].astype(float)
    expression = table["class"][ensemble.idxmax()]
    (uncertainty,) = chapters["Uncertainty"]
    shown = f"{expression}, {ensemble.max():.3f}"
    assert shown in uncertainty.text[0]
    assert app.header[0].value.strip(":gray[]").startswith(f"{100 * ensemble.max():.0f} % {expression}")
    file_views = faces_of(app)[0]["uncertainty"]
    assert f"{max(file_views['groups'][0]['augmented']['ensemble']['probabilities'].values()):.3f}" in shown
    assert ("mean over 10 views" in page_text(app)) == (views != "1: the face")


def test_the_report_shows_the_face_unless_the_photo_is_left_out(opened):
    app = opened("Report")
    assert "Photo" in app.chapters[-1]
    assert app.chapters[-1]["Saliency"][0].color_scale.caption.startswith("0: no evidence, 1: maximum.")
    assert app.chapters[-1]["Saliency"][0].pictures[0].alt == "Input of the networks"
    app.toggle(key="report_photo").set_value(False).run()
    assert not app.exception
    assert "Photo" not in app.chapters[-1]
    assert not [p for s in app.chapters[-1]["Saliency"] for p in s.pictures if not p.alt.startswith("Saliency of")]
    assert not [p for s in app.chapters[-1]["Regions"] for p in s.pictures]


def test_the_report_of_a_dark_page_has_the_hues_for_light_paper(opened, monkeypatch):
    drawn = []
    real = report.face_chapters
    monkeypatch.setattr(report, "face_chapters", lambda face, *a, **o: drawn.append(face) or real(face, *a, **o))
    monkeypatch.setattr(theme, "ink", lambda: DARK)
    opened("Report")
    (face,) = drawn
    assert face.inks == LIGHT
    assert {style.color for style in face.styles.values()} <= set(LIGHT.hues)


def test_the_report_is_one_file_that_needs_nothing_else(opened):
    app = opened("Report")
    chapters = [html.Chapter(title, lambda built=built: built) for title, built in app.chapters[-1].items()]
    text = html.write("<Report>", ["summary"], chapters, created_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert "&lt;Report&gt;" in text
    assert 'src="http' not in text
    for title in ("Photo", "Predictions", "Uncertainty", "Saliency", "Regions", "Model cards", "Versions"):
        assert f">{title}</h2>" in text


def test_the_region_shares_of_the_report_add_up_to_one(opened):
    _, shares = opened("Report", stage=STAGE, detector="Haar cascade").chapters[-1]["Regions"]
    (numbers,) = shares.downloads
    table = pd.read_csv(io.StringIO(numbers.make()))
    assert len(table) == table["network"].nunique() * 5
    for _, of_network in table.groupby("network"):
        assert list(of_network["region"]) == ["brows", "eyes", "nose", "mouth", "rest"]
        assert of_network["share"].sum() == pytest.approx(1, abs=0.003)
        assert of_network["area"].sum() == pytest.approx(1, abs=0.003)


def test_measured_trust_is_part_of_the_report_and_the_file(opened, few_methods, measured):
    app = opened("Report", stage=STAGE)
    assert "Trust" not in app.chapters[-1]
    measured(app)
    verdicts = dict(zip(wrapped_tables(app)[0]["network"], wrapped_tables(app)[0]["chance test"], strict=True))
    measured(app, "Report")
    chapters = app.chapters[-1]
    assert not app.toggle(key="report_trust").value
    assert sum(len(section.figures) for section in chapters["Trust"]) == 2 * 2 + 1  # curves, agreement; randomization
    numbers, randomized = [section.table.data for section in chapters["Trust"] if section.table is not None]
    assert list(numbers["network"]) == list(randomized["network"]) == ["CNN", "Residual CNN"]
    assert "no map to compare" in randomized
    for picture in chapters["Saliency"][0].pictures[1:]:
        assert picture.caption.endswith(f" · {verdicts[picture.title]}")
    known = faces_of(app)[0]["trust"]["tiny_cnn"]
    assert known["chance"]["better_than_chance"] == verdicts["CNN"].startswith(trust.BETTER)


def test_measuring_for_the_report_can_be_stopped_and_resumes(opened, page_text, labeled, few_methods, monkeypatch):
    real, begun, requests = probes.compare_with_chance, [], []
    work = progress.work
    monkeypatch.setattr(progress, "work", lambda key, what, parts: requests.append(what) or work(key, what, parts))

    def stopped_at_the_second(*args, progress=None, **options):
        begun.append(1)
        if len(begun) == 2:  # as a click on Stop: remembered, and the script reruns
            st.session_state["stopped-trust"] = requests[-1]
            st.rerun()
        return real(*args, **options)

    monkeypatch.setattr(probes, "compare_with_chance", stopped_at_the_second)
    app = opened("Report", stage=STAGE)
    app.toggle(key="report_trust").set_value(True).run()
    assert not app.exception
    assert "Stopped: " in page_text(app)
    found = {m: of["chance"] for m, of in faces_of(app)[0]["trust"].items()}
    assert [of is None for of in found.values()] == [False, True]
    labeled(app.button, "Resume").click().run()
    assert "Stopped: " not in page_text(app)
    assert len(begun) == 3
    assert all(of["chance"] for of in faces_of(app)[0]["trust"].values())


def test_the_chance_test_is_named_with_every_drawing_of_the_map(
    opened, page_text, few_methods, measured, show_panel, monkeypatch
):
    monkeypatch.setattr(probes, "compare_with_chance", lambda *_, **__: NOT_BETTER)
    app = opened("Regions", stage=STAGE)
    assert "chance" not in page_text(app)
    measured(app)
    for panel, words in {
        "Saliency": "cells · no better than chance",
        "Regions": "No better than chance: the maps of CNN and Residual CNN.",
        "Methods": "no better than chance",
    }.items():
        assert words in page_text(show_panel(app, panel)), panel
    assert page_text(app).count("no better than chance") == 2  # in the row of Grad-CAM only


def test_the_file_has_the_maps_of_the_chosen_options_in_every_panel(opened):
    link = {"class": "dark", "rather_than": "bright", "method": "LayerCAM", "stage": STAGE}
    maps = faces_of(opened("Uncertainty", **link))[0]["maps"]
    assert {(m["method"], m["expression"], m["against"], m["stage"]) for m in maps.values()} == {
        ("layercam", "dark", "bright", STAGE)
    }


def test_the_file_follows_the_options_of_the_page(opened):
    (face,) = faces_of(opened("Saliency", accuracy="0.5", views="2: with its mirror image", **{"class": "dark"}))
    assert face["decision"]["target"] == 0.5
    assert face["uncertainty"]["views"] == "mirror"
    assert {m["expression"] for m in face["maps"].values()} == {"dark"}


def test_a_slow_map_is_part_of_the_file_and_not_computed_for_it(opened, show_panel, monkeypatch):
    app = opened("Uncertainty")
    assert faces_of(app)[0]["maps"]["tiny_cnn"]["method"] == "gradcam"
    app.selectbox(key="method").set_value("occlusion").run()
    assert faces_of(app)[0]["maps"]["tiny_cnn"]["method"] == "occlusion"
    monkeypatch.setattr(inference, "explain_face", lambda *_, **__: pytest.fail("computed for a file"))
    show_panel(app, "Report")
    assert faces_of(app)[0]["maps"]["tiny_cnn"]["stage"] == "input"


def test_every_face_is_part_of_the_file_and_the_selected_one_has_maps(opened):
    faces = faces_of(opened("Saliency", "two_faces", face="2"))
    assert [face["number"] for face in faces] == [1, 2]
    assert [bool(face["maps"]) for face in faces] == [False, True]
    assert all(face["uncertainty"] for face in faces)


def test_only_the_selected_face_is_predicted_over_all_views(opened):
    faces = faces_of(opened("Saliency", "two_faces", face="2", views="10: ten crops"))
    assert [face["uncertainty"]["views"] for face in faces] == ["one", "ten crops"]


def test_the_numbers_of_trust_contain_every_point_and_correlation():
    fractions = np.linspace(0, 1, 3)
    explanation = Explanation("one", "gradcam", 0, "stage 3", np.eye(2, dtype=np.float32), 1.0)
    found = probes.TrustFindings(
        probes.FaithfulnessMeasures(
            explanation,
            FaithfulnessCurves(fractions, np.array([0.9, 0.4, 0.1]), np.array([0.1, 0.6, 0.9]), 0.45, 0.55),
            RoadCurves(fractions[1:], np.array([0.4, 0.3]), np.array([0.7, 0.6])),
            ConfidenceDrop(0.9, 0.5, 0.1),
        ),
        ChanceResult(0.2, 0.01, 0.1, 99),
        probes.MethodAgreement(("A = B", "C"), np.array([[1.0, 0.5], [0.5, 1.0]])),
        (RandomizationStep("head", 0.25), RandomizationStep("stage3", 0.0)),
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
    randomized = table[table["measure"].str.contains("weights randomized")]
    assert dict(zip(randomized["at"], randomized["value"], strict=True)) == {"head": 0.25, "stage3": 0.0}
    assert not pd.isna(table["value"]).any()


def test_the_picture_files_have_space_for_the_text():
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
