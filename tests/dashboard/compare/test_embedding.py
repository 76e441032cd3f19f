"""The map of the features through the entry file."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core import checkpoints
from core.labels import LabelSet
from core.measurements import embed_checkpoint
from dashboard.compare.embedding import selected_images
from tests.dashboard.conftest import store_predictions


@pytest.fixture(scope="module")
def embedded_root(checkpoint_root, image_folder, tmp_path_factory):
    """The tests' networks; one of them with its embeddings."""
    root = tmp_path_factory.mktemp("embedded") / "checkpoints"
    shutil.copytree(checkpoint_root, root, ignore=shutil.ignore_patterns("embeddings-*", "tsne-*"))
    embed_checkpoint(checkpoints.load_checkpoint(root / "tiny_cnn"), image_folder, ("val", "test"), skip_bad=False)
    return root


@pytest.fixture
def embedded(embedded_root, monkeypatch):
    monkeypatch.setattr(checkpoints, "ROOT", embedded_root)
    monkeypatch.delenv("FERSCOPE_DATA", raising=False)
    st.cache_resource.clear()


def test_a_checkpoint_without_an_embedding_names_the_command(embedded, open_view, page_text):
    app = open_view("Embedding", embedding_of="Residual CNN")
    assert not app.error
    assert "tiny_residual has no stored embedding of the test split" in page_text(app)
    assert "python -m core embed tiny_residual --data" in page_text(app)
    app.selectbox(key="embedding_of").set_value("tiny_cnn").run()
    assert len(app.get("plotly_chart")) == 1


@pytest.mark.parametrize("split", ["test", "val"])
@pytest.mark.parametrize("color", ["true class", "predicted class"])
def test_the_first_two_components_with_what_they_explain(embedded, open_view, page_text, split, color):
    app = open_view("Embedding", split=split, colored_by=color)
    assert not app.error
    text = f"shapes {split}, n = 36. The first two of the first 16 principal components of 16 penultimate features"
    assert text in page_text(app)
    assert "% of the variance" in app.get("plotly_chart")[0].proto.spec
    assert "Click a point to see its face here." in page_text(app)
    assert "The map shows no faces. The images are not on this machine: set FERSCOPE_DATA" in page_text(app)


def test_the_stored_tsne_map_is_shown(embedded, open_view, page_text):
    from dashboard import services

    app = open_view("Embedding")
    before = len(services.results())
    app.segmented_control(key="layout").set_value("t-SNE").run()
    assert not app.exception
    assert "t-SNE (perplexity 30, 1,000 iterations, fixed seed)" in page_text(app)
    assert len(services.results()) == before


def test_without_a_stored_map_tsne_is_computed_on_demand(embedded_root, open_view, page_text, monkeypatch, tmp_path):
    from dashboard import services

    root = shutil.copytree(embedded_root, tmp_path / "checkpoints", ignore=shutil.ignore_patterns("tsne-*"))
    monkeypatch.setattr(checkpoints, "ROOT", root)
    st.cache_resource.clear()
    app = open_view("Embedding")
    before = len(services.results())
    app.segmented_control(key="layout").set_value("t-SNE").run()
    assert not app.exception
    assert "t-SNE (perplexity 30, 1,000 iterations, fixed seed)" in page_text(app)
    assert len(services.results()) == before + 1
    assert not [b for b in app.button if b.label == "Stop"]


def test_the_maps_of_two_comparisons_are_computed_one_after_the_other(
    embedded_root, image_folder, open_view, page_text, monkeypatch, tmp_path
):
    root = shutil.copytree(embedded_root, tmp_path / "checkpoints")
    other = checkpoints.load_checkpoint(root / "tiny_residual")
    embed_checkpoint(other, image_folder, ("test",), skip_bad=False)
    run = other.evaluation("test")
    letters = replace(run, labels=LabelSet("letters", ("a", "b", "c")))
    store_predictions(other.path, letters, title="Letters", data={})
    for stored in root.glob("*/tsne-*"):
        stored.unlink()
    monkeypatch.setattr(checkpoints, "ROOT", root)
    st.cache_resource.clear()
    app = open_view("Embedding", layout="t-SNE", layout_2="t-SNE")
    assert page_text(app).count("t-SNE (perplexity") == 2
    assert not [b for b in app.button if b.label == "Stop"]
    for selection in app.session_state["selections"].values():
        selection.images = tuple(int(row) for row in run.image_ids[:3])
    app.run()
    assert not app.exception, app.exception
    assert page_text(app).count("3 images, ") == 2


def test_runs_on_other_images_than_the_embedding_are_a_sentence(
    embedded_root, open_view, page_text, monkeypatch, tmp_path
):
    root = shutil.copytree(embedded_root, tmp_path / "checkpoints")
    run = checkpoints.load_checkpoint(root / "tiny_cnn").evaluation("test")
    run.select(np.arange(1, len(run))).save(root / "tiny_cnn" / "predictions-test.parquet")
    monkeypatch.setattr(checkpoints, "ROOT", root)
    st.cache_resource.clear()
    app = open_view("Embedding", networks="CNN")
    assert not app.exception
    assert "a prediction is needed for every image" in app.warning[0].value.lower()


def test_selected_points_become_row_numbers_once_each():
    points = [{"customdata": [12, "a", "b"]}, {"customdata": [3, "a", "a"]}, {"customdata": [12, "a", "b"]}, {"x": 1.0}]
    assert selected_images(points) == (3, 12)
    assert selected_images([]) == ()


@pytest.fixture
def lassoed(open_view):
    """The view after a lasso around these images: AppTest cannot draw one."""

    def opened(image_ids: np.ndarray, **link: str) -> AppTest:
        app = open_view("Embedding", embedding_of="CNN", **link)
        (selection,) = app.session_state["selections"].values()
        selection.images = tuple(int(row) for row in image_ids)
        return app.run()

    return opened


def test_a_selection_lists_its_images_and_their_classes(embedded, lassoed, page_text):
    run = checkpoints.load_checkpoint(checkpoints.ROOT / "tiny_cnn").evaluation("test")
    chosen = run.image_ids[[0, 5, 20]]
    app = lassoed(chosen)
    wrong = int((~run.correct[[0, 5, 20]]).sum())
    assert f"3 images, {wrong} predicted wrongly. True classes: bright 2, dark 1." in page_text(app)
    listed = app.dataframe[0].value
    assert set(listed["row"]) == set(chosen)
    assert "Residual CNN predicts" in listed
    assert "Only row numbers are shown" in page_text(app)
    assert not [t for t in app.toggle if t.label == "Saliency"]


def test_a_selection_shows_its_faces_and_their_saliency(embedded, lassoed, page_text, image_folder, monkeypatch):
    monkeypatch.setenv("FERSCOPE_DATA", str(image_folder))
    run = checkpoints.load_checkpoint(checkpoints.ROOT / "tiny_cnn").evaluation("test")
    app = lassoed(run.image_ids[:4])
    assert "The map shows no faces" not in page_text(app)
    plain = [i.proto.imgs[0].alt for i in app.get("image")]
    assert len(plain) == 4
    app.toggle(key="embedded_saliency").set_value(True).run()
    assert not app.exception
    *pairs, _color_bar = app.get("image")
    assert [i.proto.imgs[0].alt for i in pairs] == [f"{alt}, with the saliency of CNN" for alt in plain]
    assert "Grad-CAM of CNN, stage 3, for its prediction" in page_text(app)


def selected_in_figure(app: AppTest) -> int:
    (chart,) = app.get("plotly_chart")
    return sum(len(trace.get("selectedpoints", ())) for trace in json.loads(chart.proto.spec)["data"])


def test_a_selection_stays_with_other_colors_and_can_be_cleared(embedded, lassoed, page_text, labeled):
    run = checkpoints.load_checkpoint(checkpoints.ROOT / "tiny_cnn").evaluation("test")
    app = lassoed(run.image_ids[:3])
    app.segmented_control(key="colored_by").set_value("predicted class").run()
    assert not app.exception
    assert "3 images, " in page_text(app)
    assert selected_in_figure(app) == 3
    labeled(app.button, "Clear the selection").click().run()
    assert "Click a point to see its face here." in page_text(app)
    assert selected_in_figure(app) == 0
