"""Saliency next to the faces of a confusion cell, through the entry file."""

import shutil
from dataclasses import replace

import pytest
import streamlit as st

from core import checkpoints
from core.data import read
from core.labels import LabelSet
from dashboard import services


def cell(checkpoint_root, name: str) -> tuple[str, str, int]:
    """A cell of that network's matrix with images: true class, predicted class, number of images."""
    run = checkpoints.load_checkpoint(checkpoint_root / name).evaluation("test")
    true, predicted = run.labels.classes[run.truth[0]], run.labels.classes[run.predicted[0]]
    return true, predicted, int(((run.truth == run.truth[0]) & (run.predicted == run.predicted[0])).sum())


@pytest.mark.parametrize(("name", "title"), [("tiny_cnn", "CNN"), ("tiny_residual", "Residual CNN")])
def test_a_cell_shows_the_chosen_networks_saliency(
    networks, open_view, page_text, image_folder, monkeypatch, checkpoint_root, name, title
):
    monkeypatch.setenv("FERSCOPE_DATA", str(image_folder))
    true, predicted, count = cell(checkpoint_root, name)
    link = {"cell_of": title, "cell_true": true, "cell_predicted": predicted}
    plain = open_view("Confusion", **link)
    assert not plain.toggle(key="cell_saliency").value
    app = open_view("Confusion", **link, cell_saliency="true")
    assert not app.error
    faces = app.get("image")[: min(count, 20)]
    assert f"Grad-CAM of {title}, stage 3, for its prediction" in page_text(app)
    assert all(f"saliency of {title}" in face.proto.imgs[0].alt for face in faces)


def test_a_map_is_for_the_predicted_class_in_the_order_of_its_network(
    networks, open_view, image_folder, monkeypatch, tmp_path
):
    root = shutil.copytree(networks, tmp_path / "checkpoints")
    monkeypatch.setattr(checkpoints, "ROOT", root)
    monkeypatch.setenv("FERSCOPE_DATA", str(image_folder))
    turned = checkpoints.load_checkpoint(root / "tiny_residual")
    labels = LabelSet("turned", turned.card.labels.classes[::-1])
    turned.evaluation("test").mapped_to(labels).save(turned.path / "predictions-test.parquet")
    data = replace(turned.card.data, fingerprint=read(image_folder).ordered_like(labels).fingerprint())
    checkpoints.save_card(replace(turned.card, labels=labels, data=data), turned.path)
    true, predicted, _ = cell(root, "tiny_residual")
    wanted = []
    real = services.image_saliency
    monkeypatch.setattr(services, "image_saliency", lambda *given: wanted.append(given[3]) or real(*given))
    link = {"cell_of": "Residual CNN", "cell_true": true, "cell_predicted": predicted}
    open_view("Confusion", **link, cell_saliency="true")
    assert set(wanted[0]) == {labels.index(predicted)}


def test_an_ensemble_has_no_saliency_of_its_own(networks, open_view, page_text, image_folder, monkeypatch):
    monkeypatch.setenv("FERSCOPE_DATA", str(image_folder))
    runs = [services.evaluation(c, "test") for c in services.listing().checkpoints]
    together = services.ensemble(runs)
    classes = together.labels.classes
    link = {"cell_true": classes[together.truth[0]], "cell_predicted": classes[together.predicted[0]]}
    app = open_view("Confusion", cell_of="Ensemble", **link, cell_saliency="true")
    assert app.toggle(key="cell_saliency").disabled
    assert "Grad-CAM" not in page_text(app)
    assert app.get("image")


def test_without_the_images_there_is_no_saliency(networks, open_view, page_text, checkpoint_root):
    true, predicted, _ = cell(checkpoint_root, "tiny_cnn")
    app = open_view("Confusion", cell_of="CNN", cell_true=true, cell_predicted=predicted, cell_saliency="true")
    assert "Only row numbers are shown" in page_text(app)
    assert not [t for t in app.toggle if t.label == "Saliency"]


@pytest.mark.parametrize("with_images", [True, False])
def test_the_table_of_the_images_is_open_where_their_faces_are_missing(
    networks, open_view, image_folder, monkeypatch, with_images
):
    if with_images:
        monkeypatch.setenv("FERSCOPE_DATA", str(image_folder))
    app = open_view("Gallery")
    key = next(c.key for c in app.segmented_control if c.label == "List")
    app.segmented_control(key=key).set_value("all images").run()  # these networks make hardly any mistake
    table = next(e for e in app.expander if e.label == "Table of these images")
    assert table.proto.expanded is not with_images


def test_faces_remain_where_the_weights_are_not_those_of_the_card(
    checkpoint_root, open_view, image_folder, monkeypatch, tmp_path
):
    root = shutil.copytree(checkpoint_root, tmp_path / "checkpoints")
    weights = root / "tiny_cnn" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    monkeypatch.setattr(checkpoints, "ROOT", root)
    monkeypatch.setenv("FERSCOPE_DATA", str(image_folder))
    st.cache_resource.clear()
    true, predicted, count = cell(root, "tiny_cnn")
    app = open_view("Confusion", cell_of="CNN", cell_true=true, cell_predicted=predicted, cell_saliency="true")
    assert "tiny_cnn: weights.safetensors is not the file that its card describes" in app.error[0].value
    assert len(app.get("image")) == min(count, 20)
