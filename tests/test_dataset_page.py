"""The Dataset page through the entry file: with the images, without them, and with a path that holds something else."""

import shutil
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core import checkpoints
from core.data import describe, image_facts, read, single_images
from tests.conftest import CLASSES
from tests.wrapped_tables import wrapped_tables

ENTRY = Path(__file__).resolve().parents[1] / "dashboard" / "app.py"
TEXTS = ("title", "markdown", "caption", "info", "warning", "error", "success")
VIEWS = ("Class balance", "Faces", "Audit", "Votes")


@pytest.fixture
def networks(checkpoint_root, monkeypatch):
    """The app sees the tests' networks instead of the shipped ones, and no data set."""
    monkeypatch.setattr(checkpoints, "ROOT", checkpoint_root)
    monkeypatch.delenv("FERSCOPE_DATA", raising=False)
    st.cache_resource.clear()


@pytest.fixture
def no_networks(monkeypatch, tmp_path):
    """No network is installed, and no data set is named."""
    monkeypatch.setattr(checkpoints, "ROOT", tmp_path / "nothing")
    monkeypatch.delenv("FERSCOPE_DATA", raising=False)
    st.cache_resource.clear()


@pytest.fixture
def copied_folder(image_folder, tmp_path, monkeypatch):
    """The generated data set with one picture of ``dark`` copied from Training to two classes of PrivateTest."""
    root = shutil.copytree(image_folder, tmp_path / "copied")
    picture = root / "train" / "dark" / "000.png"
    shutil.copy(picture, root / "test" / "dark" / "000.png")
    shutil.copy(picture, root / "test" / "bright" / "000.png")
    monkeypatch.setenv("FERSCOPE_DATA", str(root))
    return root


def open_page(**link: str) -> AppTest:
    app = AppTest.from_file(ENTRY, default_timeout=60)
    app.run()  # at Overview
    for key, value in link.items():
        app.query_params[key] = value
    app.switch_page("../pages/dataset.py").run()
    assert not app.exception, app.exception
    return app


def page_text(app: AppTest) -> str:
    return "\n".join(element.value for kind in TEXTS for element in getattr(app, kind))


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_opens_without_images_and_without_networks(no_networks, view):
    app = open_page(data_view=view)
    assert not app.error
    assert app.title[0].value == "Dataset"
    assert not app.toggle  # there is nothing to read
    if view == "Faces":
        assert "set FERSCOPE_DATA to the path of fer2013.csv" in page_text(app)
    else:
        assert "35,887" in page_text(app)


def test_the_shipped_table_describes_the_data_without_images(no_networks):
    balance = open_page()
    counts = wrapped_tables(balance)[0].set_index("class")
    assert counts.loc["disgust"].tolist() == ["436", "56", "55"]
    assert counts.loc["all"].tolist() == ["28,709", "3,589", "3,589"]
    assert "In Training, happy has 16.5 times as many images as disgust." in page_text(balance)

    audit = open_page(data_view="Audit")
    found = wrapped_tables(audit)[0].set_index("finding")
    assert found.loc["sets of identical images"].tolist() == ["1,518", "3,373"]
    assert found.loc["PrivateTest images with a copy in Training", "images"] == "288 (8.0 %)"
    assert found.loc["blank images", "images"] == "12"
    assert "1 to 20 of 59 sets" in page_text(audit)
    assert "Only row numbers are shown" in page_text(audit)
    assert not audit.get("image")

    votes = open_page(data_view="Votes")
    assert len(votes.get("plotly_chart")) == 1
    assert "Label and majority agree on" in page_text(votes)


def test_findings_are_listed_by_kind_and_paged(no_networks):
    app = open_page(data_view="Audit", finding="blank images")
    assert "1 to 12 of 12 images" in page_text(app)
    app = open_page(data_view="Audit", finding="copies across splits", finding_page="2")
    assert "21 to 40 of" in page_text(app)
    assert all("Training" in s or "Test" in s for s in wrapped_tables(app)[1]["splits"])
    app.segmented_control(key="finding").set_value("conflicting labels").run()
    assert "1 to 20 of" in page_text(app)


def test_a_data_set_known_only_from_cards_names_what_is_not_known(networks):
    app = open_page()
    assert "tiny_cnn" in page_text(app)
    table = wrapped_tables(app)[0].set_index("class")
    assert table.loc["dark"].tolist() == ["not stored", "12", "12"]
    assert "train 96" in page_text(app)
    for view in ("Audit", "Votes"):
        assert "python -m core data describe" in page_text(open_page(data_view=view))


def test_the_images_are_counted_and_shown(networks, image_folder, monkeypatch):
    monkeypatch.setenv("FERSCOPE_DATA", str(image_folder))
    before = open_page()
    assert wrapped_tables(before)[0].set_index("class").loc["dark"].tolist() == ["not stored", "12", "12"]
    before.toggle(key="read").set_value(True).run()
    assert not before.exception
    app = open_page()  # what was read once is stored
    assert not app.toggle
    assert wrapped_tables(app)[0].set_index("class").loc["dark"].tolist() == ["32", "12", "12"]
    assert not app.selectbox  # the networks' data set is the one on this machine
    faces = open_page(data_view="Faces")
    means, drawn = faces.get("image")[:3], faces.get("image")[3:]
    assert [m.proto.imgs[0].alt for m in means] == [f"Mean of 32 images labeled {c}" for c in CLASSES]
    assert len(drawn) == 3 * 12
    assert "bright, 32" in page_text(faces)


def test_another_seed_shows_other_faces_and_a_class_shows_more(networks, image_folder, monkeypatch):
    monkeypatch.setenv("FERSCOPE_DATA", str(image_folder))

    def rows(**link: str) -> list[str]:
        return [b.label for b in open_page(data_view="Faces", **link).button if b.key.startswith("random-")]

    assert rows() == rows(seed="0")
    assert rows() != rows(seed="7")
    assert len(rows(data_class="striped", data_split="val")) == 12  # all there are


def test_copies_and_conflicts_show_their_face(networks, copied_folder):
    app = open_page(data_view="Audit", read="true")
    found = wrapped_tables(app)[0].set_index("finding")
    assert found.loc["sets of identical images"].tolist() == ["1", "3"]
    assert found.loc["test images with a copy in train", "images"].startswith("2 ")
    listed = wrapped_tables(app)[1]
    assert listed["labels"].tolist() == ["bright, dark 2"] or listed["labels"].tolist() == ["dark 2, bright"]
    assert listed["splits"].tolist()[0] in ("test 2, train", "train, test 2")
    assert len(app.get("image")) == 1
    app.segmented_control(key="finding").set_value("blank images").run()
    assert "No matching images" in page_text(app)
    # Another data set than that of the networks: both can be selected.
    assert len(app.selectbox(key="dataset").options) == 2


def test_a_folder_without_votes_explains_how_to_add_them(networks, image_folder, monkeypatch):
    monkeypatch.setenv("FERSCOPE_DATA", str(image_folder))
    assert "has no FER+ votes" in page_text(open_page(data_view="Votes", read="true"))


@pytest.mark.parametrize("view", VIEWS)
def test_a_path_to_something_else_is_reported_in_one_sentence_and_the_rest_remains(
    no_networks, tmp_path, monkeypatch, view
):
    other = tmp_path / "notes.csv"
    other.write_text("this,is\nno,data set\n")
    monkeypatch.setenv("FERSCOPE_DATA", str(other))
    app = open_page(data_view=view)
    assert app.warning[0].value.startswith("FERSCOPE_DATA: notes.csv is not a known data set")
    assert not app.error
    if view != "Faces":
        assert "35,887" in page_text(app)


def test_a_problem_with_the_data_is_shown_once(networks, monkeypatch, tmp_path):
    monkeypatch.setenv("FERSCOPE_DATA", str(tmp_path / "missing.csv"))
    for view in ("Faces", "Audit"):
        app = open_page(data_view=view, read="true")
        shown = [m.value for m in (*app.warning, *app.info, *app.caption) if "missing.csv" in m.value]
        assert len(shown) == 1, shown


def test_an_invalid_link_opens_the_page(no_networks):
    app = open_page(data_view="Tarot", finding_page="99", seed="-3")
    assert app.title[0].value == "Dataset"
    assert "`Tarot` for *View*, which is not available. Available: Class balance, Faces, Audit, Votes." in page_text(
        app
    )
    text = page_text(open_page(data_view="Audit", finding="x", finding_page="99"))
    assert "`x` for *List*, which is not available." in text
    assert "`99` for *Page*; the range is 1 to" in text
    assert "`x` for *Split*, which is not available." in page_text(open_page(data_view="Votes", voted_split="x"))
    assert "This link requests" not in page_text(open_page(data_view="Votes", voted_split="test"))


def test_wrong_values_of_a_link_to_the_faces_are_named(networks, image_folder, monkeypatch):
    monkeypatch.setenv("FERSCOPE_DATA", str(image_folder))
    app = open_page(data_view="Faces", data_split="x", data_class="foo", seed="-3")
    text = page_text(app)
    assert "`x` for *Split*, which is not available." in text
    assert "`foo` for *Class*, which is not available. Available: bright, dark, striped. Shown: none." in text
    assert "`-3` for *Random seed*; the range is 0 to 9999. Shown: 0." in text
    assert app.number_input(key="seed").value == 0


@pytest.mark.parametrize(("view", "drawn"), [("Faces", "Random seed"), ("Audit", "conflicting")])
def test_an_image_that_cannot_be_read_is_a_sentence(networks, copied_folder, tmp_path, monkeypatch, view, drawn):
    monkeypatch.setattr(image_facts, "FOLDER", tmp_path)
    # So that the data set is recognized without the images that follow.
    monkeypatch.setattr(single_images, "probed_rows", lambda facts: facts.ids[-2:])
    describe(read(copied_folder)).save(tmp_path / "copied_images.parquet")
    for name in ("dark", "bright"):
        (copied_folder / "test" / name / "000.png").write_bytes(b"no image")
    (copied_folder / "train" / "dark" / "000.png").write_bytes(b"no image")
    app = open_page(data_view=view)
    assert "cannot be read as an image" in page_text(app)
    assert drawn in page_text(app) + str([field.label for field in app.number_input]) + str(wrapped_tables(app))
