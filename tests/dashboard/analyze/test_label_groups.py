"""Analyze with two networks of the same classes and one of others: every panel shows both groups."""

import json
import re
import shutil

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core import checkpoints
from core.checkpoints import load_checkpoint
from dashboard.analyze import downloads
from tests.wrapped_tables import wrapped_tables

CLASSES = ("bright", "dark", "striped", "checkered")


@pytest.fixture
def two_groups(checkpoint_root, monkeypatch, tmp_path):
    """Two networks on three classes, and one on four whose fourth class is never predicted."""
    import torch
    from torch import nn

    from core.checkpoints.weights import save_weights

    root = tmp_path / "checkpoints"
    shutil.copytree(checkpoint_root, root)
    path = root / "tiny_four"
    shutil.copytree(root / "tiny_cnn", path)
    card = json.loads((path / "card.json").read_text())
    card |= {"run_id": "tiny_four", "title": "Four classes", "labels": {"name": "four", "classes": list(CLASSES)}}
    network = load_checkpoint(root / "tiny_cnn").network()
    head = nn.Linear(network.head.in_features, 4)
    with torch.no_grad():
        head.weight[:3], head.bias[:3] = network.head.weight, network.head.bias
        head.weight[3], head.bias[3] = 0.0, -20.0
    network.head = head
    card["weights_sha256"] = save_weights(network, path / "weights.safetensors")
    (path / "card.json").write_text(json.dumps(card))
    for predictions in path.glob("predictions-*"):
        predictions.unlink()
    monkeypatch.setattr(checkpoints, "ROOT", root)
    monkeypatch.delenv("FERSCOPE_DATA", raising=False)
    st.cache_resource.clear()
    return root


def test_both_groups_have_their_headline_and_chart(two_groups, open_analyze, page_text):
    app = open_analyze()
    assert len(app.header) == 2
    text = page_text(app)
    assert "3 classes (" in text
    assert "4 classes (four)" in text
    assert text.count("of 2 networks agree") == 1
    charts = [c.proto.alt for c in app.get("plotly_chart") if c.proto.alt.startswith("Probability of each")]
    assert len(charts) == 2
    tables = [list(table.columns) for table in wrapped_tables(app)]
    assert ["class", "CNN", "Residual CNN", "ensemble"] in tables
    assert ["class", "Four classes"] in tables


@pytest.mark.parametrize("panel", ["Saliency", "Methods", "Regions", "What if", "Trust", "Uncertainty", "Report"])
def test_every_panel_shows_both_groups(two_groups, open_analyze, page_text, panel):
    app = open_analyze(panel=panel)
    assert not app.error
    text = page_text(app)
    alts = " ".join(image.proto.imgs[0].alt for image in app.get("image"))
    assert "Four classes" in text + alts


def test_a_class_of_one_group_is_a_note_for_the_other(two_groups, open_analyze, page_text, labeled):
    app = open_analyze(**{"class": "checkered"})
    assert labeled(app.segmented_control, "Evidence for the class").options[-1] == "checkered"
    assert "CNN: this network has no class checkered; available: bright, dark, striped." in page_text(app)


def test_the_file_and_the_report_have_both_groups(two_groups, open_analyze, monkeypatch):
    from dashboard.analyze import report

    files, summaries = [], []
    real, summary = downloads.details.of_photo, report.report_summary

    def recorded(face, options):
        found = real(face, options)
        files.append(json.loads(downloads.json_record(face, found)))
        return found

    monkeypatch.setattr(downloads.details, "of_photo", recorded)
    monkeypatch.setattr(report, "report_summary", lambda *a: summaries.append(summary(*a)) or summaries[-1])
    open_analyze(panel="Report")
    groups = files[-1]["photos"][0]["faces"][0]["groups"]
    assert [len(group["labels"]["classes"]) for group in groups] == [3, 4]
    assert [group["ensemble"] is None for group in groups] == [False, True]
    assert sum("with a probability of" in sentence for sentence in summaries[-1]) == 2


def test_the_gallery_and_the_pair_open(two_groups, open_analyze, page_text):
    app: AppTest = open_analyze("two_faces", show="All faces")
    assert len(re.findall(r"four: \d+ % \w+", page_text(app))) == 2  # the verdict of the other group below each face
    for key in [c.key for c in app.checkbox]:
        app.checkbox(key=key).check().run()
    assert not app.exception
    assert "Side by side" in page_text(app)


def test_the_input_names_its_networks_where_networks_receive_different_pictures(two_groups, open_analyze, page_text):
    path = two_groups / "tiny_residual" / "card.json"
    card = json.loads(path.read_text())
    card["preprocessing"]["equalize"] = "clahe"
    path.write_text(json.dumps(card))
    st.cache_resource.clear()
    text = page_text(open_analyze())
    assert "**Input of CNN and Four classes**" in text
    assert "**Input of Residual CNN**" in text


@pytest.mark.parametrize("panel", ["What if", "Uncertainty"])
def test_groups_with_equally_many_classes_are_told_apart(two_groups, open_analyze, panel):
    path = two_groups / "tiny_residual" / "card.json"
    card = json.loads(path.read_text())
    card["labels"] = {"name": "custom", "classes": ["bored", "calm", "curious"]}
    path.write_text(json.dumps(card))
    for predictions in path.parent.glob("predictions-*"):
        predictions.unlink()
    st.cache_resource.clear()
    app = open_analyze(panel=panel)
    assert not app.error
    assert len(app.header) >= 3


def test_two_networks_with_the_same_weights_and_other_classes_do_not_share_results(two_groups, open_analyze, page_text):
    path = shutil.copytree(two_groups / "tiny_cnn", two_groups / "twin") / "card.json"
    card = json.loads(path.read_text())
    card |= {"run_id": "twin", "title": "Twin", "labels": {"name": "custom", "classes": ["bored", "calm", "curious"]}}
    path.write_text(json.dumps(card))
    for predictions in path.parent.glob("predictions-*"):
        predictions.unlink()
    st.cache_resource.clear()
    app = open_analyze(networks=["CNN"], panel="Uncertainty")
    app.pills(key="networks").set_value(["twin"]).run()
    assert not app.exception
    assert "damaged" not in page_text(app)
    assert any(word in page_text(app) for word in ("bored", "calm", "curious"))
