import json
import shutil
from datetime import UTC, datetime

import numpy as np
import pytest
import streamlit as st

from core import checkpoints
from core.checkpoints import list_checkpoints, load_checkpoint
from core.evaluation import mirror_consistency
from core.robustness import CONDITIONS, CORRUPTIONS, Robustness, save_robustness
from dashboard.compare.comparison import build_comparisons
from dashboard.compare.comparison_report import chapters
from dashboard.compare.robustness import _pictures
from dashboard.reports.html import write


@pytest.fixture
def measured(checkpoint_root, tmp_path, monkeypatch):
    """The folder of networks of which tiny_cnn has been measured on the test split."""
    root = shutil.copytree(checkpoint_root, tmp_path / "checkpoints")
    checkpoint = load_checkpoint(root / "tiny_cnn")
    right = {c: np.arange(36) >= 3 * c[1] for c in CONDITIONS}
    save_robustness(
        Robustness("tiny_cnn", "test", checkpoint.card.weights_sha256, right), checkpoint.robustness_path("test")
    )
    monkeypatch.setattr(checkpoints, "ROOT", root)
    st.cache_resource.clear()
    return root


def test_a_network_that_was_not_measured_names_the_command(networks, open_view, page_text):
    app = open_view("Robustness")
    assert not app.error
    text = page_text(app)
    assert "CNN has not been measured on test. Run:" in text
    assert app.code[0].value.startswith("python -m core robustness tiny_cnn --split test")
    assert "Residual CNN has not been measured" in text
    assert len(app.get("plotly_chart")) == 0
    assert "Strengths on a face" in text  # the corruptions are shown anyway


def test_what_is_stored_is_drawn_and_the_rest_is_named(measured, open_view, page_text, tables):
    app = open_view("Robustness")
    assert not app.error
    text = page_text(app)
    assert len(app.get("plotly_chart")) == 2
    assert "Residual CNN has not been measured" in text
    assert "The ensemble has no result" in text
    drops = tables(app)[1].set_index("corruption")
    assert drops.loc["Blur", "CNN"].startswith("0.250")  # 3, 6, 9, 12 and 15 of 36 are lost
    assert "shapes test, n = 36." in text


def test_mirror_consistency_is_on_the_page_and_in_the_report(measured, open_view, tables):
    checkpoint = load_checkpoint(measured / "tiny_cnn")
    expected = str(mirror_consistency(checkpoint.evaluation("test")))
    assert tables(open_view("Robustness"))[0]["mirror consistency"].iloc[0] == expected
    comparisons, _ = build_comparisons(list_checkpoints(measured).checkpoints, "test")
    (chapter,) = (c for c in chapters(comparisons) if c.title == "Robustness")
    page = write("Report", [], [chapter], created_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert "mirror consistency" in page
    assert expected in page


def test_a_damaged_file_is_a_sentence_and_the_rest_stays(measured, open_view, page_text):
    (measured / "tiny_cnn" / "robustness-test.parquet").write_bytes(b"damaged")
    app = open_view("Robustness")
    assert not app.error
    assert "robustness-test.parquet cannot be read as Parquet" in page_text(app)
    assert "Strengths on a face" in page_text(app)


def test_the_corruption_of_the_example_is_in_the_link(networks, open_view, page_text):
    app = open_view("Robustness", corruption="Eyes hidden")
    assert app.pills(key="corruption").value == "eyes"
    assert "Eyes hidden at strengths 1 to 5, in the" in page_text(app)
    assert "public domain" in page_text(app)
    assert len(app.get("image")) == 6
    app.pills(key="corruption").set_value("jpeg").run()
    assert not app.exception
    assert "JPEG at strengths 1 to 5, in the" in page_text(app)
    captions = [image.proto.imgs[0].caption for image in app.get("image")]
    assert captions[:2] == ["clean", "strength 1: 60 (quality)"]


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_example_is_what_the_network_would_see(checkpoint, name):
    face = np.random.default_rng(0).integers(0, 255, (90, 90, 3), dtype=np.uint8)
    clean, *changed = _pictures(face, checkpoint.card, name)
    seen = checkpoint.card.preprocessing.to_input_image(face)
    times = len(clean) // 48
    assert np.array_equal(clean[::times, ::times], seen)
    assert len(changed) == 5
    assert not any(np.array_equal(clean, picture) for picture in changed)


def reports(app):
    return [b for b in app.get("download_button") if b.key == "comparison-report"]


def test_the_report_is_created_on_demand(networks, open_view, page_text):
    app = open_view("Report")
    assert not app.error
    assert not reports(app)
    app.button(key="create-report").click().run()
    assert not app.exception
    assert [b.label for b in reports(app)] == ["Report of all panels (HTML)"]
    assert " MB, stored for this session only." in page_text(app)
    app.segmented_control(key="split").set_value("val").run()  # another comparison has no report yet
    assert not reports(app)


def test_a_network_without_weights_is_to_be_trained_first(networks, open_view, page_text, monkeypatch, tmp_path):
    root = shutil.copytree(networks, tmp_path / "checkpoints")
    path = root / "tiny_cnn" / "card.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"weights_shipped": False}))
    monkeypatch.setattr(checkpoints, "ROOT", root)
    st.cache_resource.clear()
    app = open_view("Robustness", networks="CNN")
    assert "Its weights are not shipped. Train and measure it:" in page_text(app)
    train, measure = app.code[0].value.splitlines()
    assert train.startswith("python -m core train")
    assert measure.startswith("python -m core robustness tiny_cnn --split test")
