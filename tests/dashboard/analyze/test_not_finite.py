"""Analyze beside a network whose weights hold a value that is not a number."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest

from core import checkpoints
from core.checkpoints import load_checkpoint, save_card, save_weights
from core.errors import NotFiniteError
from core.inference import Predictor
from dashboard.analyze import downloads

ENTRY = Path(__file__).resolve().parents[3] / "dashboard" / "app.py"
BROKEN = "met a value that is not a finite number; check the network's weights"


def break_weights(path: Path) -> None:
    """Put a value that is not a number into a stored network; its card describes the new file."""
    checkpoint = load_checkpoint(path)
    network = checkpoint.network()
    with torch.no_grad():
        network.head.weight[0, 0] = torch.nan
    sha256 = save_weights(network, checkpoint.weights_path)
    save_card(dataclasses.replace(checkpoint.card, weights_sha256=sha256), path)


@pytest.fixture
def copied(checkpoint_root, monkeypatch, tmp_path):
    root = tmp_path / "checkpoints"
    shutil.copytree(checkpoint_root, root)
    monkeypatch.setattr(checkpoints, "ROOT", root)
    monkeypatch.delenv("FERSCOPE_DATA", raising=False)
    st.cache_resource.clear()
    return root


def test_it_is_named_once_and_every_panel_goes_on_without_it(copied, open_lab, said):
    break_weights(copied / "tiny_cnn")
    app = open_lab("Doubt")
    for panel in ("Doubt", "Saliency", "Methods", "Regions", "What if", "Trust", "Report"):
        app.segmented_control(key="panel").set_value(panel).run()
        assert not app.exception, panel
        text = said(app)
        assert text.count(f"CNN {BROKEN}") == 1
        assert "nan" not in text.lower()
        assert "Network says" in app.subheader[0].value
    assert "Sure enough" not in text


def test_its_answer_is_in_no_verdict_and_no_number(copied, open_lab, said, monkeypatch):
    break_weights(copied / "tiny_cnn")
    written, real = [], downloads.draw

    def written_too(face, table):
        written.append((downloads.values(face, downloads.questions.last(face), 0.5, "one"), table))
        real(face, table)

    monkeypatch.setattr(downloads, "draw", written_too)
    app = open_lab("Doubt", target="0.5")
    assert list(app.dataframe[-1].value["network"]) == ["Residual CNN"]
    assert "Disagreement needs two networks" in said(app)
    text, table = written[-1]
    assert "NaN" not in text
    assert json.loads(text)["photos"][0]["left_out"] == ["tiny_cnn"]
    assert list(json.loads(text)["networks"]) == ["tiny_residual"]
    assert list(table.columns) == ["Residual CNN"]


def test_without_any_answer_there_is_a_sentence_and_nothing_more(copied, open_lab, said):
    for name in ("tiny_cnn", "tiny_residual"):
        break_weights(copied / name)
    app = open_lab("Saliency")
    assert app.error[0].value == (
        "CNN, Residual CNN met a value that is not a finite number; check the networks' weights."
    )
    assert not app.subheader
    assert not app.get("plotly_chart")


def test_the_gallery_goes_on_without_it(copied, open_lab, said):
    break_weights(copied / "tiny_cnn")
    app = open_lab("Saliency", "two_faces", show="All faces")
    assert said(app).count(f"CNN {BROKEN}") == 1
    assert "2 faces in 1 photo. Probability of the network" in said(app)
    break_weights(copied / "tiny_residual")
    st.cache_resource.clear()
    app = open_lab("Saliency", "two_faces", show="All faces")
    assert "check the networks' weights" in app.error[0].value
    assert "No face was found" not in said(app)


def test_what_if_names_a_network_that_has_no_answer_to_the_changed_face(copied, open_lab, said, monkeypatch):
    app = open_lab("What if")
    assert BROKEN not in said(app)
    real = Predictor.predict_inputs

    def answers(self, images, **options):
        if self.model_id == "tiny_cnn":
            raise NotFiniteError(self.model_id)
        return real(self, images, **options)

    monkeypatch.setattr(Predictor, "predict_inputs", answers)
    app.slider(key="brightness").set_value(0.3).run()
    assert not app.exception
    assert said(app).count(f"CNN {BROKEN}") == 1  # the curve along this slider was made before
    assert "The answer" in said(app)

    def silent(self, images, **options):
        raise NotFiniteError(self.model_id)

    monkeypatch.setattr(Predictor, "predict_inputs", silent)
    app.slider(key="brightness").set_value(0.25).run()
    assert not app.exception
    assert "CNN, Residual CNN met a value that is not a finite number" in said(app)
    assert app.slider(key="brightness").value == 0.25
    app.segmented_control(key="panel").set_value("Doubt").run()
    app.segmented_control(key="views").set_value("ten crops").run()
    assert not app.exception
    assert "CNN, Residual CNN met a value that is not a finite number" in said(app)


def test_overview_opens_without_its_example(copied, said):
    for path in copied.iterdir():
        break_weights(path)
    app = AppTest.from_file(ENTRY, default_timeout=120).run()
    assert not app.exception
    assert "Networks installed" in "\n".join([said(app), *(s.value for s in app.subheader)])
