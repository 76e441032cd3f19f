from dataclasses import replace

import numpy as np
import pytest

from core.evaluation import abstention, reliability, risk_coverage, summarize
from dashboard.plots import calibration
from dashboard.style import LIGHT, ensemble_style, network_styles

STYLES = network_styles({"net": "cnn"}, LIGHT) | {"mean": ensemble_style(LIGHT)}
NAMES = {"net": "Net", "mean": "Ensemble"}


@pytest.fixture
def run(predicted_run):
    """Four predictions with confidence 0.8, three of them correct."""
    return predicted_run([0, 0, 1, 2], [0, 0, 1, 1], "net")


def test_a_bin_is_drawn_at_its_confidence_and_accuracy(run, inks):
    figure = calibration.reliability({"net": reliability(run)}, STYLES, NAMES, inks)
    diagonal, line = figure.data
    assert list(diagonal.x) == list(diagonal.y) == [0, 1]
    assert line.x == pytest.approx([0.8])
    assert line.y == pytest.approx([0.75])
    assert line.customdata == pytest.approx([4])


def test_networks_differ_in_hue_line_and_marker(run, inks):
    figure = calibration.reliability({m: reliability(run) for m in STYLES}, STYLES, NAMES, inks)
    first, second = figure.data[1:]
    assert first.line.color == first.marker.color == inks.hues[0]
    assert second.line.color == inks.text
    assert first.line.dash != second.line.dash
    assert first.marker.symbol != second.marker.symbol


def table_row(model_id, run):
    before = {} if model_id == "mean" else {model_id: replace(run, temperature=1.0)}
    area = {model_id: risk_coverage(run)}
    return calibration.table({model_id: run}, before, {model_id: summarize(run)}, area, NAMES).iloc[0]


def test_scores_are_given_before_and_after_temperature_scaling(predicted_run):
    soft = predicted_run([0, 0, 1, 2], [0, 0, 1, 1], "net", temperature=2.0)
    row = table_row("net", soft)
    # Before: 3 right at -ln 0.8 and 1 wrong at -ln 0.1; after: the square roots, renormalized.
    before = np.mean([-np.log(0.8)] * 3 + [-np.log(0.1)])
    after = np.log(np.sqrt(0.8) + 2 * np.sqrt(0.1)) + before / 2
    assert row["NLL before"].startswith(f"{before:.3f}")
    assert row["NLL after"].startswith(f"{after:.3f}")
    assert row["ECE before"].startswith("0.050")
    assert row["temperature"] == "2.000"
    assert row["AURC"].startswith("0.250 ±")  # equally confident predictions share the one mistake


def test_the_ensemble_has_no_temperature_of_its_own(predicted_run):
    mean = predicted_run([0, 1], [0, 1], "mean")
    row = table_row("mean", mean)
    assert row["temperature"] == "that of each network"
    assert row["ECE before"] == "not defined"


def test_the_threshold_is_marked_and_no_prediction_has_no_accuracy(run, inks):
    curves = {"net": risk_coverage(run)}
    figure = calibration.risk_coverage(curves, {"net": abstention(run, 0.5)}, STYLES, NAMES, inks)
    assert figure.data[1].x == (1.0,)
    assert figure.data[1].y == pytest.approx([0.25])
    never = abstention(run, 0.9)
    assert len(calibration.risk_coverage(curves, {"net": never}, STYLES, NAMES, inks).data) == 1
    assert calibration.abstention_table({"net": never}, NAMES)["accuracy"][0] == "not defined"


def test_the_file_has_every_bin_and_point(run):
    bins = calibration.reliability_numbers({"net": reliability(run)}, "after")
    assert bins["count"].sum() == 4
    assert len(calibration.risk_numbers({"net": risk_coverage(run)})) == 4
    assert calibration.reliability_numbers({}, "before").empty
