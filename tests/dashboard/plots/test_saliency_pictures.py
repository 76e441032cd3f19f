import re
from importlib.metadata import version

import numpy as np
import pytest

from core.explain import ChanceResult, ConfidenceDrop, Explanation, FaithfulnessCurves, RoadCurves
from core.inference import ENSEMBLE, Prediction
from core.labels import LabelSet
from core.probes import PERTURBATION_SETTINGS, FaithfulnessMeasures, MethodAgreement, Sweep, TrustFindings
from dashboard.plots import perturbation, trust
from dashboard.plots.dumbbells import SHAPES, dumbbells
from dashboard.reports import face_report
from dashboard.style import FAMILIES, LIGHT, OTHERS, class_color, ensemble_style, network_styles

TWO = LabelSet("two", ("happy", "sad"))
STYLES = network_styles({"one": "cnn", "other": "residual_cnn"}, LIGHT)
NAMES = {"one": "One", "other": "Other", ENSEMBLE: "mean of the networks"}


def saying(model_id: str, *probabilities: float) -> Prediction:
    return Prediction(model_id, TWO, np.log(np.array(probabilities, np.float32)))


def test_the_grid_has_a_marker_for_each_cell_that_knows_its_place(inks):
    figure = perturbation.grid(np.zeros((48, 48, 3), np.uint8), inks)
    (cells,) = figure.data
    assert len(cells.x) == 36
    assert (cells.x[8], cells.y[8]) == (2.5, 1.5)
    assert tuple(cells.customdata[8]) == (1, 2)
    assert figure.layout.yaxis.range == (6, 0)  # row 0 is the top, as in the picture


def test_before_and_after_stand_in_one_row_hollow_and_filled(inks):
    before, after = {"one": saying("one", 0.9, 0.1)}, {"one": saying("one", 0.4, 0.6)}
    text = dumbbells(before, after, STYLES, NAMES, inks, alt="now highest sad")
    happy, sad = re.findall(r"<span>(?:happy|sad)</span>(<p .*?</p>)", text)
    assert 'title="happy: 0.900, One, unchanged"' in happy
    assert 'title="happy: 0.400, One, changed"' in happy
    assert 'title="sad: 0.600, One, changed"' in sad
    assert re.findall(r"<u style=\"left:([\d.]+)%;width:([\d.]+)%", happy) == [("40.00", "50.00")]
    assert class_color("happy") in happy
    assert class_color("sad") not in happy
    assert re.findall(r'class="m0 (was|now)" style="left:([\d.]+)%', sad) == [("was", "10.00"), ("now", "60.00")]
    assert 'aria-label="now highest sad"' in text


def test_answers_before_and_after_as_a_table():
    table = perturbation.answers({"one": saying("one", 0.9, 0.1)}, {"one": saying("one", 0.4, 0.6)}, NAMES)
    assert list(table["face"]) == ["unchanged", "changed"]
    assert list(table["happy"]) == pytest.approx([0.9, 0.4])


def test_names_of_networks_and_classes_cannot_break_the_page(inks):
    odd = LabelSet("odd", ("<b>happy", 'sad"'))
    told = {"one": Prediction("one", odd, np.zeros(2, np.float32))}
    text = dumbbells(told, told, STYLES, {"one": "<script>"}, inks, alt='"')
    assert "<script" not in text
    assert "<b>happy" not in text
    assert "sad&quot;" in text


def test_every_marker_of_a_network_has_a_shape():
    symbols = {symbol for symbol, _ in (*FAMILIES.values(), *OTHERS)}
    assert symbols | {ensemble_style(LIGHT).symbol} <= set(SHAPES)


def test_a_curve_has_the_hue_of_its_class_and_the_line_style_of_its_network(inks):
    swept = {
        m: Sweep(PERTURBATION_SETTINGS["blur"], np.array([0.0, 10.0]), (saying(m, 0.9, 0.1), saying(m, 0.25, 0.75)))
        for m in STYLES
    }
    figure = perturbation.along(swept, "sad", 2.5, STYLES, NAMES, inks)
    one, other = figure.data
    assert one.y == pytest.approx([0.1, 0.75])
    assert one.line.color == other.line.color == class_color("sad")
    assert (one.line.dash, other.line.dash) == ("dot", "dash")
    assert figure.layout.shapes[0].x0 == 2.5
    table = perturbation.numbers(swept, NAMES)
    assert list(table["blur"]) == [0, 10, 0, 10]
    assert list(table["sad"]) == pytest.approx([0.1, 0.75] * 2)


def test_deletion_and_insertion_carry_their_areas(inks):
    found = FaithfulnessCurves(np.array([0, 0.5, 1]), np.array([0.9, 0.2, 0.1]), np.array([0.1, 0.8, 0.9]), 0.35, 0.65)
    deletion, insertion = trust.curves(found, class_color("happy"), STYLES["one"], inks).data
    assert (deletion.name, insertion.name) == ("deletion, area 0.350", "insertion, area 0.650")
    assert insertion.line.color == class_color("happy")
    assert insertion.y == pytest.approx([0.1, 0.8, 0.9])


def test_agreement_shows_a_map_that_ranks_nothing_as_a_dash(inks):
    found = MethodAgreement(("A = B", "C"), np.array([[1.0, np.nan], [np.nan, np.nan]]))
    (cells,) = trust.agreement(found, inks).data
    assert list(cells.text[0]) == ["1.00", "–"]
    assert (cells.zmin, cells.zmax) == (-1, 1)  # zero in the middle


def test_the_chance_test_is_said_in_words(inks):
    assert trust.verdict(measured(score=0.3).chance) == "better than chance"
    assert trust.verdict(measured(score=0.1).chance) == "no better than chance"
    row = trust.table({"one": measured(score=0.3)}, NAMES).iloc[0]
    assert row["insertion − deletion, in 6 steps"] == "0.300"
    assert row["drop, marked tenth hidden"] == "0.400"


def test_the_report_is_one_file_that_fetches_nothing(checkpoint):
    card = checkpoint.card
    answer = Prediction(card.run_id, card.labels, np.log(np.array([0.7, 0.2, 0.1], np.float32)))
    picture = face_report.Picture(np.zeros((4, 4, 3), np.uint8), 'a "map"', 'Saliency of <b>"CNN"</b>')
    report = face_report.Report(
        "Report: <script>alert(1)</script>",
        ["One & all."],
        {card.run_id: answer},
        {card.run_id: "CNN"},
        [card],
        [picture],
    )
    text = face_report.html(report, "2025-01-02T03:04:05+00:00")
    assert "<script" not in text
    assert "Report: &lt;script&gt;" in text
    assert 'alt="Saliency of &lt;b&gt;&quot;CNN&quot;&lt;/b&gt;"' in text
    assert not re.search(r"(src|href)=\"(?!data:)", text)
    assert "0.700" in text
    assert card.weights_sha256 in text
    assert version("torch") in text
    assert "2025-01-02T03:04:05+00:00" in text


def test_a_report_without_pictures_has_none(checkpoint):
    card = checkpoint.card
    answer = Prediction(card.run_id, card.labels, np.zeros(3, np.float32))
    text = face_report.html(face_report.Report("R", [], {card.run_id: answer}, {card.run_id: "CNN"}, [card]), "now")
    assert "<img" not in text
    assert "Pictures" not in text


def measured(score: float) -> TrustFindings:
    curves = FaithfulnessCurves(np.zeros(2), np.zeros(2), np.zeros(2), 0.3, 0.6)
    explanation = Explanation("one", "gradcam", 0, "stage 3", np.eye(2, dtype=np.float32), 1.0)
    road = RoadCurves(np.zeros(2), np.zeros(2), np.ones(2))
    measures = FaithfulnessMeasures(explanation, curves, road, ConfidenceDrop(0.9, 0.5, 0.1))
    return TrustFindings(measures, ChanceResult(score, 0.2, 99))
