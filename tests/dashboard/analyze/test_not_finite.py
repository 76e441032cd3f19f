"""Analyze with a network whose weights contain NaN."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest

from core import checkpoints
from core.checkpoints import load_checkpoint, save_card
from core.checkpoints.weights import save_weights
from core.errors import NotFiniteError
from core.inference import Predictor
from dashboard.analyze import downloads
from tests.wrapped_tables import wrapped_tables

ENTRY = Path(__file__).resolve().parents[3] / "dashboard" / "app.py"
BROKEN = "returned NaN or infinity; its weights may be damaged"


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


def test_it_is_named_once_and_every_panel_continues_without_it(copied, open_analyze, page_text, show_panel):
    break_weights(copied / "tiny_cnn")
    app = open_analyze(panel="Uncertainty")
    for panel in ("Uncertainty", "Saliency", "Methods", "Regions", "What if", "Trust", "Report"):
        text = page_text(show_panel(app, panel))
        assert text.count(f"CNN {BROKEN}. Continuing with the other networks.") == 1, panel
        assert "nan" not in text.replace("NaN or", "").lower()
    assert "networks agree" not in page_text(app)


def test_its_prediction_is_in_no_verdict_and_no_number(copied, open_analyze, page_text, monkeypatch):
    break_weights(copied / "tiny_cnn")
    written, real = [], downloads.details.of_photo

    def recorded(face, options):
        found = real(face, options)
        written.append(downloads.json_record(face, found))
        return found

    monkeypatch.setattr(downloads.details, "of_photo", recorded)
    app = open_analyze(panel="Uncertainty", accuracy="0.5")
    assert list(wrapped_tables(app)[0]["network"]) == ["Residual CNN"]
    assert "Disagreement is defined for two or more networks" in page_text(app)
    assert "NaN" not in written[-1]
    record = json.loads(written[-1])
    assert record["photos"][0]["left_out"] == ["tiny_cnn"]
    assert list(record["networks"]) == ["tiny_residual"]


def test_without_any_prediction_there_is_a_sentence_and_nothing_more(copied, open_analyze):
    for name in ("tiny_cnn", "tiny_residual"):
        break_weights(copied / name)
    app = open_analyze()
    assert app.error[0].value == "CNN, Residual CNN returned NaN or infinity; their weights may be damaged."
    assert not app.header
    assert not app.get("plotly_chart")


def test_the_gallery_continues_without_it(copied, open_analyze, page_text):
    break_weights(copied / "tiny_cnn")
    app = open_analyze("two_faces", show="All faces")
    assert page_text(app).count(f"CNN {BROKEN}") == 1
    assert "2 faces in 1 photo. Probabilities of the network, one view per face." in page_text(app)


def test_what_if_names_a_network_without_a_prediction_for_the_changed_face(
    copied, open_analyze, page_text, show_panel, monkeypatch
):
    app = open_analyze(panel="What if")
    assert BROKEN not in page_text(app)
    real = Predictor.predict_inputs

    def one_fails(self, images, **options):
        if self.model_id == "tiny_cnn":
            raise NotFiniteError(self.model_id)
        return real(self, images, **options)

    monkeypatch.setattr(Predictor, "predict_inputs", one_fails)
    app.slider(key="brightness").set_value(0.3).run()
    assert not app.exception
    assert page_text(app).count(f"CNN {BROKEN}") == 1  # the curve of this slider was computed before
    assert " prediction: " in page_text(app)

    def all_fail(self, images, **options):
        raise NotFiniteError(self.model_id)

    monkeypatch.setattr(Predictor, "predict_inputs", all_fail)
    app.slider(key="brightness").set_value(0.25).run()
    assert not app.exception
    assert "CNN, Residual CNN returned NaN or infinity" in page_text(app)
    assert app.slider(key="brightness").value == 0.25
    app.selectbox(key="views").set_value("ten crops").run()
    assert not app.exception
    assert (
        "CNN, Residual CNN returned NaN or infinity; their weights may be damaged. Using one view per face."
        in page_text(app)
    )


def test_overview_opens_without_its_example(copied, page_text):
    for path in copied.iterdir():
        break_weights(path)
    app = AppTest.from_file(ENTRY, default_timeout=120).run()
    assert not app.exception
    assert "Installed networks" in "\n".join([page_text(app), *(s.value for s in app.header)])
