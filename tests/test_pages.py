"""Every page through the entry file, with networks that were really trained (on generated pictures)."""

import io
import itertools
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from core import checkpoints
from core.importing import ImportOptions, import_weights
from core.sample_photos import sample_photos
from dashboard.compare.panels import GROUPS, REPORT
from tests.wrapped_tables import wrapped_tables

ENTRY = Path(__file__).resolve().parents[1] / "dashboard" / "app.py"
PAGES = sorted(path.stem for path in (ENTRY.parents[1] / "pages").glob("*.py"))


@pytest.fixture
def networks(checkpoint_root, monkeypatch):
    """The app sees the tests' networks instead of the shipped ones."""
    monkeypatch.setattr(checkpoints, "ROOT", checkpoint_root)
    st.cache_resource.clear()
    return checkpoint_root


@pytest.fixture
def fer_names(checkpoint_root, monkeypatch, tmp_path):
    """The tests' networks, with the split names of FER2013 on their cards."""
    root = shutil.copytree(checkpoint_root, tmp_path / "checkpoints")
    for path in root.glob("*/card.json"):
        card = json.loads(path.read_text())
        card["data"]["split_names"] = {"train": "Training", "val": "PublicTest", "test": "PrivateTest"}
        path.write_text(json.dumps(card))
    monkeypatch.setattr(checkpoints, "ROOT", root)
    st.cache_resource.clear()


def open_page(name: str, **query: str) -> AppTest:
    app = AppTest.from_file(ENTRY, default_timeout=60)
    app.run()  # at Overview
    for key, value in query.items():
        app.query_params[key] = value
    if name != "overview":
        app.switch_page(f"../pages/{name}.py")
    app.run()
    assert not app.exception, app.exception
    return app


def page_text(app: AppTest) -> str:
    """Every text on the page."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "info", "warning", "error", "success")
    return "\n".join(element.value for kind in kinds for element in getattr(app, kind))


def picture(image: np.ndarray, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, kind)
    return buffer.getvalue()


def portrait() -> bytes:
    return next(iter(sample_photos().values())).data


def upload(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    uploader = app.file_uploader(key="uploads")
    for name, data in files:
        uploader.upload(name, data)
    app.run()
    assert not app.exception, app.exception
    return app


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens(networks, page):
    app = open_page(page)
    assert app.title[0].value
    assert not app.error


def heading_levels(app: AppTest) -> list[int]:
    """The levels of the headings from top to bottom."""
    levels = {"title": 1, "header": 2, "subheader": 3}
    found = []
    for element in app.main:
        if element.type in levels:
            found.append(levels[element.type])
        elif element.type == "markdown" and element.value.startswith("#"):
            found.append(len(element.value.split(" ")[0]))
    return found


@pytest.mark.parametrize("page", PAGES)
def test_headings_skip_no_level(networks, page):
    levels = heading_levels(open_page(page))
    assert levels[0] == 1
    assert 1 not in levels[1:]
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


@pytest.mark.parametrize(
    ("requested", "shown"),
    [
        (["residual_cnn", "cnn"], ["cnn", "residual_cnn"]),
        (["ijirt2025_ensemble"], ["ferplus_mobilenet_v2", "ferplus_resnet50"]),
    ],
)
def test_a_link_may_name_networks_as_the_command_line_does(requested, shown):
    app = open_page("compare", networks=requested)
    assert sorted(app.pills(key="networks").value) == sorted(shown)
    assert "not available" not in page_text(app)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_where_no_network_is_installed(monkeypatch, tmp_path, page):
    monkeypatch.setattr(checkpoints, "ROOT", tmp_path)
    st.cache_resource.clear()
    app = open_page(page)
    if page in ("overview", "compare"):
        assert "python -m core train" in page_text(app)


@pytest.mark.parametrize("page", PAGES)
def test_an_imported_network_without_scores_appears_on_every_page(networks, monkeypatch, tmp_path, page):
    root = shutil.copytree(networks, tmp_path / "checkpoints")
    original = checkpoints.load_checkpoint(root / "tiny_cnn")
    torch.save(original.network().state_dict(), tmp_path / "net.pth")
    options = dict(original.card.model_options)
    import_weights(
        tmp_path / "net.pth",
        ImportOptions(name="my_net", architecture="cnn", labels=original.card.labels, model_options=options),
        root,
    )
    monkeypatch.setattr(checkpoints, "ROOT", root)
    st.cache_resource.clear()
    app = open_page(page)
    assert not app.error
    if page == "overview":
        assert "my_net" in str(list(wrapped_tables(app)[0].columns))
    if page == "analyze":
        upload(app, ("portrait.jpg", portrait()))
        assert "of 3 networks agree" in page_text(app)


@pytest.mark.parametrize("page", PAGES)
def test_a_network_of_an_unknown_family_does_not_stop_a_page(networks, monkeypatch, tmp_path, page):
    root = shutil.copytree(networks, tmp_path / "checkpoints")
    card = root / "tiny_cnn" / "card.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {"architecture": "other"}))
    monkeypatch.setattr(checkpoints, "ROOT", root)
    st.cache_resource.clear()
    app = open_page(page)
    if page == "analyze":
        upload(app, ("portrait.jpg", portrait()))
        assert "tiny_cnn: card.json describes a network that cannot be built" in page_text(app)
        assert "Face 1 of 1" in page_text(app)


def test_overview_shows_the_cards_scores(networks):
    app = open_page("overview")
    score = checkpoints.load_checkpoint(networks / "tiny_cnn").card.metrics["test"].accuracy
    assert any(f"{score.value:.3f}" in text for text in wrapped_tables(app)[0]["CNN"])


def test_an_uploaded_portrait_is_analyzed_by_every_network(networks):
    app = upload(open_page("analyze"), ("portrait.jpg", portrait()))
    assert "networks agree" in page_text(app)
    assert "2 networks agree" in page_text(app)
    assert "Grad-CAM, stage 3, 6 × 6 cells" in page_text(app)
    table = wrapped_tables(app)[0]
    assert list(table.columns) == ["class", "CNN", "Residual CNN", "ensemble"]
    assert table.iloc[:, 1:].astype(float).sum().to_numpy() == pytest.approx(1, abs=0.002)


def test_a_sample_is_one_click_away(networks):
    app = open_page("analyze")
    next(b for b in app.button if b.label == "Two faces").click().run()
    app.switch_page("../pages/analyze.py").run()
    assert "Face 1 of 2" in page_text(app)
    app.segmented_control(key=next(c.key for c in app.segmented_control if c.label == "Face")).set_value(1).run()
    assert "Face 2 of 2" in page_text(app)


def test_the_photo_added_last_is_shown_and_the_choice_survives_other_pages(networks):
    app = open_page("analyze")
    app.button(key="card-grace_hopper").click().run()
    assert "Grace Hopper · 512" in page_text(app)
    app.segmented_control(key="source").set_value("Portraits").run()
    app.button(key="portrait-button-eileen_collins").click().run()
    assert "Eileen Collins · 512" in page_text(app)
    next(b for b in app.button if b.label == "Grace Hopper" and b.key.startswith("show-")).click().run()
    assert "Grace Hopper · 512" in page_text(app)
    app.switch_page("../pages/compare.py").run()
    app.switch_page("../pages/analyze.py").run()
    assert "Grace Hopper · 512" in page_text(app)
    next(b for b in app.button if b.label == "Forget all photos").click().run()
    assert not app.exception
    assert "Or start with a portrait" in page_text(app)


def test_a_snapshot_is_analyzed(networks):
    app = open_page("analyze")
    app.segmented_control(key="source").set_value("Webcam").run()
    app.camera_input(key="snapshot").upload("snapshot.jpg", portrait()).run()
    assert "Webcam snapshot" in page_text(app)


def test_class_stage_and_scale_change_the_maps(networks):
    app = upload(open_page("analyze"), ("portrait.jpg", portrait()))
    app.selectbox(key="stage").set_value("stage 2").run()
    assert "stage 2, 12 × 12 cells" in page_text(app) or "no evidence for this class at stage 2" in page_text(app)
    control = next(c for c in app.segmented_control if c.label == "Evidence for the class")
    control.set_value("dark").run()
    assert "dark 0." in page_text(app)
    app.selectbox(key="scale").set_value("common").run()
    assert not app.exception


def test_a_photo_without_a_face_is_reported_and_the_whole_image_offered(networks):
    app = upload(open_page("analyze"), ("wall.png", picture(np.full((200, 300, 3), 140, np.uint8))))
    assert "found no face" in page_text(app)
    next(b for b in app.button if b.label == "Analyze the whole image").click().run()
    assert "detector: whole image" in page_text(app)
    assert "networks agree" in page_text(app)


BAD = {
    "zero.jpg": b"",
    "notes.jpg": b"this is no picture",
    "cut.jpg": portrait()[: len(portrait()) // 2],
    "huge.png": None,
}


@pytest.mark.parametrize("name", list(BAD))
def test_a_bad_file_is_reported_in_one_sentence_and_the_good_photo_stays(networks, name):
    data = BAD[name]
    if data is None:
        buffer = io.BytesIO()
        Image.new("1", (20_000, 20_000)).save(buffer, "PNG")
        data = buffer.getvalue()
    app = upload(open_page("analyze"), ("portrait.jpg", portrait()), (name, data))
    assert len(app.error) == 1
    assert app.error[0].value.startswith(f"{name}: ")
    assert "Traceback" not in app.error[0].value
    assert "portrait.jpg · 512 × 600 px" in page_text(app)
    assert "networks agree" in page_text(app)
    app.run()
    assert not app.error  # reported once


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1", "I;16"])
def test_unusual_pictures_are_analyzed_like_any_other(networks, mode):
    image = Image.open(io.BytesIO(portrait()))
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    else:
        image = image.convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, "TIFF" if mode == "CMYK" else "PNG")
    app = upload(open_page("analyze"), (f"mode-{mode}.{'tiff' if mode == 'CMYK' else 'png'}", buffer.getvalue()))
    assert not [e.value for e in app.error]
    assert "networks agree" in page_text(app) or "found no face" in page_text(app)


def test_a_detector_that_is_not_available_is_replaced_by_the_automatic_choice(networks, monkeypatch):
    monkeypatch.setenv("FERSCOPE_YUNET", "/nowhere/yunet.onnx")
    app = upload(open_page("analyze"), ("portrait.jpg", portrait()))
    app.selectbox(key="detector").set_value("yunet").run()
    assert "/nowhere/yunet.onnx" in app.error[0].value
    assert "detector: MTCNN ·" in page_text(app)
    assert "networks agree" in page_text(app)


def test_edited_weights_are_named_and_the_other_network_is_used(checkpoint_root, monkeypatch, tmp_path):
    root = tmp_path / "checkpoints"
    shutil.copytree(checkpoint_root, root)
    weights = root / "tiny_cnn" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    monkeypatch.setattr(checkpoints, "ROOT", root)
    st.cache_resource.clear()
    app = upload(open_page("analyze"), ("portrait.jpg", portrait()))
    assert "tiny_cnn: weights.safetensors is not the file that its card describes" in app.error[0].value
    assert "Face 1 of 1 · after temperature scaling" in page_text(app)


def test_a_link_restores_the_panel_and_ignores_invalid_values(networks):
    app = open_page("compare", group="Errors", view="Confusion", split="val")
    assert app.segmented_control(key="view").value == "Confusion"
    assert app.segmented_control(key="split").value == "val"
    app = open_page("compare", group="Horoscope", view="Tarot", networks="nobody", split="foo", with_ensemble="perhaps")
    text = page_text(app)
    assert "`nobody` for *Networks*, which is not available. Available: CNN, Residual CNN." in text
    assert "`foo` for *Split*, which is not available. Available: test, val. Shown: test." in text
    assert "`Horoscope` for *Group*, which is not available." in text
    assert "`Tarot` for *Panel*, which is not available." in text
    assert "`perhaps` for *Include ensemble*; expected true or false. Shown: true." in text
    assert app.toggle(key="with_ensemble").value
    assert "This link requests" not in page_text(app.run())


@pytest.mark.parametrize(
    ("group", "view", "wrong"),
    [
        ("Scores", "Per class", {"measure_by_class": "x"}),
        ("Scores", "Ranking", {"ranking": "cost", "cost": "x"}),
        ("Scores", "Ranking", {"ranked": "x"}),
        ("Training", "", {"smoothing": "7", "log_axes": "x"}),
        ("Errors", "Confusion", {"cells": "x", "cell_true": "x"}),
        ("Errors", "Gallery", {"of": "x", "list": "x", "sort": "x", "true": "x", "ascending": "x", "loss_range": "x"}),
        ("Errors", "Gallery", {"list": "all images", "errors_page": "99"}),
        ("Errors", "Labels", {"judge": "x"}),
        ("Errors", "Embedding", {"embedding_of": "x", "layout": "x", "colored_by": "x"}),
        ("Reliability", "Calibration", {"bins": "x", "threshold": "7"}),
        ("Reliability", "Robustness", {"corruption": "x"}),
    ],
)
def test_wrong_values_of_a_link_are_named_in_every_panel_of_compare(networks, group, view, wrong):
    app = open_page("compare", group=group, **({"view": view} if view else {}), **wrong)
    assert not app.error
    messages = [message.value for message in app.info if message.value.startswith("This link requests")]
    assert len(messages) == sum(value not in ("cost", "all images") for value in wrong.values())


@pytest.mark.parametrize(("text", "split"), [("val", "val"), ("PublicTest", "val"), ("test", "test")])
def test_a_link_names_the_split_by_its_key_or_by_its_name_in_the_data_set(fer_names, text, split):
    app = open_page("compare", split=text)
    assert app.segmented_control(key="split").value == split
    app.segmented_control(key="group").set_value("Training").run()
    assert app.segmented_control(key="split").value == split
    assert app.query_params.get("split", "PrivateTest") == {"val": "PublicTest", "test": "PrivateTest"}[split]
    assert "This link requests" not in page_text(app)


PANELS = [(group, panel) for group, panels in GROUPS.items() for panel in panels]


@pytest.mark.parametrize(("group", "panel"), [*PANELS, (list(GROUPS)[-1], REPORT)])
@pytest.mark.parametrize("split", ["test", "val"])
def test_every_panel_of_compare(networks, group, panel, split):
    app = open_page("compare", group=group, view=panel, split=split)
    assert not app.error
    assert "n = 36" in page_text(app)


def test_another_group_opens_at_its_first_panel(networks):
    app = open_page("compare")
    app.segmented_control(key="view").set_value("Published").run()
    app.segmented_control(key="group").set_value("Errors").run()
    assert not app.exception
    assert app.segmented_control(key="view").value == "Confusion"
    assert app.query_params.get("view", ["Confusion"]) == ["Confusion"]
    app.segmented_control(key="view").set_value("Labels").run()
    app.segmented_control(key="group").set_value("Training").run()
    assert "view" not in app.query_params


def test_compare_answers_which_network_is_better_before_the_scores(networks):
    app = open_page("compare")
    shown = [
        element.value if element.type == "markdown" else element.proto.body
        for element in app.main
        if element.type in ("markdown", "html")
    ]
    answer = next(i for i, text in enumerate(shown) if "measurabl" in text)
    table = next(i for i, text in enumerate(shown) if "<table" in text)
    assert answer < table


def test_portraits_are_offered_once_where_their_cards_are_shown(networks):
    assert open_page("overview").segmented_control(key="source").options == ["File", "Webcam"]
    app = open_page("analyze")
    assert app.segmented_control(key="source").options == ["File", "Webcam"]
    assert "Portraits" in upload(app, ("a.jpg", portrait())).segmented_control(key="source").options


def test_compare_with_one_network_and_with_none(networks):
    app = open_page("compare")
    app.pills(key="networks").set_value(["tiny_cnn"]).run()
    assert list(wrapped_tables(app)[0].columns) == ["score", "CNN"]
    app.pills(key="networks").set_value([]).run()
    assert "Choose at least one network" in page_text(app)


def test_a_network_without_stored_predictions_is_named_and_the_rest_remains(checkpoint_root, monkeypatch, tmp_path):
    root = tmp_path / "checkpoints"
    shutil.copytree(checkpoint_root, root)
    (root / "tiny_cnn" / "predictions-test.parquet").unlink()
    monkeypatch.setattr(checkpoints, "ROOT", root)
    st.cache_resource.clear()
    app = open_page("compare")
    assert "tiny_cnn has no stored predictions for the test split" in app.warning[0].value
    assert list(wrapped_tables(app)[0].columns) == ["score", "Residual CNN"]
