"""Every view of Compare through the entry file, with networks that were really trained."""

import pytest


def test_significance_says_each_pair_in_words(networks, open_view, said):
    app = open_view("Significance")
    assert not app.error
    text = said(app)
    assert "PrivateTest, n = 36." in text
    assert "CNN and Residual CNN." in text
    assert "if both were equally good" in text
    table = app.dataframe[1].value
    assert len(table) == 3  # two networks and their ensemble
    assert set(table["p (Holm)"]) - {"not defined"}


def test_significance_of_one_network_asks_for_another(networks, open_view, said):
    app = open_view("Significance", networks="CNN")
    assert "A difference needs two networks" in said(app)


def test_calibration_stands_before_and_after_temperature(networks, open_view, said):
    app = open_view("Calibration", silent="0.9", bins="equally wide")
    assert not app.error
    assert "Before temperature" in said(app)
    assert app.segmented_control(key="bins").value == "equal_width"
    scores = app.dataframe[1].value.set_index("network")
    assert scores.loc["Ensemble", "ECE before"] == "not defined"
    assert "±" in scores.loc["CNN", "NLL after"] or "to" in scores.loc["CNN", "NLL after"]
    app.slider(key="silent").set_value(0.0).run()
    answers = app.dataframe[2].value["answers"]
    assert all(text.startswith("1.000") for text in answers)
