"""The Folder page on small trained networks."""

import io
import shutil
import threading
import zipfile

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from core import checkpoints
from core.batch.shares import expression_shares, folders_of
from core.errors import BatchError
from core.evaluation import wilson
from dashboard.folder import face_table, session_batch
from dashboard.folder.face_filter import FaceFilter
from dashboard.plots.expression_shares import by_group
from dashboard.services.folders import open_allowed
from dashboard.style import LIGHT
from dashboard.ui import session
from tests.conftest import CLASSES, draw
from tests.dashboard.conftest import ENTRY

CHANGED = (
    "The networks or the options were changed after this analysis. Choose the photos again to analyze them with the "
    "new settings."
)


def png(name, number):
    buffer = io.BytesIO()
    Image.fromarray(draw(name, np.random.default_rng(number))).save(buffer, "PNG")
    return buffer.getvalue()


def zipped():
    """Twelve generated faces in two folders, and a file that is none."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(12):
            name = CLASSES[number % 3]
            archive.writestr(f"{'left' if number % 4 else 'right'}/{number:02}-{name}.png", png(name, number))
        archive.writestr("left/notes.jpg", b"no photo")
    return buffer.getvalue()


def finished(app):
    """The page after its background work."""
    app.session_state[session.BATCH]._thread.join()
    app.run()
    assert not app.exception, app.exception
    return app


@pytest.fixture
def page(networks):
    app = AppTest.from_file(ENTRY, default_timeout=60)
    app.run()
    app.switch_page("../pages/folder.py").run()
    assert not app.exception, app.exception
    return app


def scored_zip(page):
    page.toggle(key="folder_whole").set_value(True).run()
    page.file_uploader(key="folder_files").upload("photos.zip", zipped())
    page.run()
    next(b for b in page.button if b.label == "Analyze the photos").click().run()
    return finished(page)


def test_loose_photos_are_scored_and_a_zip_among_them_is_refused(page, page_text):
    page.toggle(key="folder_whole").set_value(True).run()
    names = ["one.png", "two.png", "two.png"]
    for number, name in enumerate(names):
        page.file_uploader(key="folder_files").upload(name, png(CLASSES[number], number))
    page.run()
    next(b for b in page.button if b.label == "Analyze the photos").click().run()
    app = finished(page)
    assert "Uploaded photos: 3 of 3 photos were analyzed" in page_text(app)
    assert list(app.session_state[session.BATCH].rows()["path"]) == ["one.png", "two.png", "two (2).png"]

    app.file_uploader(key="folder_files").upload("one.png", png(CLASSES[0], 0)).upload("photos.zip", zipped())
    app.run()
    next(b for b in app.button if b.label == "Analyze the photos").click().run()
    (error,) = app.error
    assert "photos or a single zip, got 2 files" in error.value
    assert app.session_state[session.BATCH].total == 3  # the results stay


def scored_portraits(page, *, whole_image):
    page.toggle(key="folder_whole").set_value(whole_image).run()
    next(b for b in page.segmented_control if b.key == "folder_place").set_value("Portraits").run()
    next(b for b in page.button if b.label == "Analyze the portraits").click().run()
    return finished(page)


def select(app, row):
    """Analyze, opened by a click on a row."""
    app.session_state["folder_faces-1"] = {"selection": {"rows": [int(row)], "columns": [], "cells": []}}
    app.run()
    assert not app.exception, app.exception
    return app


def test_a_zip_is_scored_listed_filtered_and_charted(page, page_text, monkeypatch):
    app = scored_zip(page)
    assert "photos.zip: 12 of 13 photos were analyzed; 1 could not be. CNN, Residual CNN;" in page_text(app)
    table = app.dataframe[0].value
    assert len(table) == 12
    assert table["face"].str.startswith("data:image/jpeg;base64,").all()
    assert set(table["prediction"]) <= {"sure", "unsure"}
    app.pills(key="folder_classes").set_value(["dark"]).run()
    assert set(app.dataframe[0].value["expression"]) == {"dark"}
    app.pills(key="folder_classes").set_value([]).run()
    app.selectbox(key="folder_order").set_value("confidence").run()
    assert app.dataframe[0].value["confidence"].is_monotonic_decreasing
    monkeypatch.setattr(face_table, "ROWS_PER_PAGE", 5)
    app.session_state["folder_page"] = 3
    app.run()
    assert len(app.dataframe[0].value) == 2
    app.selectbox(key="folder_order").set_value("expression").run()  # another order begins with its first page
    assert len(app.dataframe[0].value) == 5
    app.segmented_control(key="folder_panel").set_value("Distribution").run()
    app.segmented_control(key="shares_by").set_value("folder").run()
    assert "n = 12 faces in 12 photos" in page_text(app)
    app.segmented_control(key="folder_panel").set_value("Without a result").run()
    assert app.dataframe[0].value["file"].tolist() == ["left/notes.jpg"]
    assert not app.exception


def test_it_is_stated_where_no_prediction_can_be_called_sure(networks, monkeypatch, tmp_path):
    root = shutil.copytree(networks, tmp_path / "checkpoints")
    for name in ("tiny_cnn", "tiny_residual"):
        (root / name / "predictions-val.parquet").write_bytes(b"cut")
    monkeypatch.setattr(checkpoints, "ROOT", root)
    st.cache_resource.clear()
    app = AppTest.from_file(ENTRY, default_timeout=60).run()
    app = scored_zip(app.switch_page("../pages/folder.py").run())
    (warning,) = app.warning
    assert warning.value.startswith("It is not known which predictions of tiny")
    assert "prediction" not in app.dataframe[0].value.columns


def test_results_stay_when_no_network_is_chosen(page, page_text):
    app = scored_zip(page)
    app.button_group(key="networks").set_value([]).run()
    assert not app.exception
    assert "Choose at least one network in the sidebar." in page_text(app)
    assert len(app.dataframe[0].value) == 12
    app.button_group(key="networks").set_value(["tiny_cnn"]).run()
    assert CHANGED in page_text(app)


def test_changed_options_are_reported_until_they_are_those_of_the_analysis_again(page, page_text):
    app = scored_zip(page)
    assert CHANGED not in page_text(app)
    changes = [
        (app.slider(key="accuracy"), 0.95, 0.8),
        (app.toggle(key="folder_whole"), False, True),
    ]
    for control, changed, before in changes:
        control.set_value(changed).run()
        assert CHANGED in page_text(app)
        control.set_value(before).run()
        assert CHANGED not in page_text(app)
    app.selectbox(key="detector").set_value("haar").run()
    assert CHANGED not in page_text(app)  # photos that are faces need no detector
    app.toggle(key="folder_whole").set_value(False).run()
    app = scored_portraits(app, whole_image=False)
    app.selectbox(key="detector").set_value("mtcnn").run()
    assert CHANGED in page_text(app)


def test_a_row_opens_its_photo_and_face_in_analyze(page, page_text):
    app = scored_portraits(page, whole_image=False)
    table = app.dataframe[0].value
    row = table.index[(table["photo"] == "two_faces.jpg") & (table["number"] == 2)][0]
    select(app, row)
    assert "two_faces.jpg · 949" in page_text(app)
    assert "Face 2 of" in page_text(app)


def test_a_row_opens_its_face_with_the_detector_of_the_analysis(page, page_text):
    app = scored_portraits(page, whole_image=False)
    number = app.dataframe[0].value["photo"].tolist().index("two_faces.jpg")
    detector = app.session_state[session.BATCH].detector
    app.selectbox(key="detector").set_value("haar").run()
    app = select(app, number)
    assert app.selectbox(key="detector").value == detector == "mtcnn"
    assert "detector: MTCNN" in page_text(app)
    assert not app.warning


def test_a_row_is_analyzed_as_a_whole_if_it_was_scored_so(page, page_text, labeled):
    app = select(scored_portraits(page, whole_image=True), 0)
    assert "detector: whole image" in page_text(app)
    app.switch_page("../pages/folder.py").run()
    app = select(scored_portraits(app, whole_image=False), 0)
    assert "detector: whole image" not in page_text(app)
    assert "Face 1 of" in page_text(app)


def test_forgetting_all_photos_ends_the_batch(page):
    app = scored_zip(page)
    app.switch_page("../pages/analyze.py").run()
    app.button(key="card-grace_hopper").click().run()
    next(b for b in app.button if b.label == "Forget all photos").click().run()
    assert session.BATCH not in app.session_state


def test_a_batch_waits_while_as_many_as_the_server_allows_are_running(page, page_text, monkeypatch):
    places = threading.BoundedSemaphore(1)
    monkeypatch.setattr(session_batch, "_places", places)
    with places:  # the batch of another session
        page.toggle(key="folder_whole").set_value(True).run()
        page.file_uploader(key="folder_files").upload("photos.zip", zipped())
        page.run()
        next(b for b in page.button if b.label == "Analyze the photos").click().run()
        assert "The analysis of photos.zip is waiting. This server analyzes at most 2 folders" in page_text(page)
        page.button(key="folder_stop").click().run()
        page.session_state[session.BATCH]._thread.join()
        page.run()
        assert "stopped; 0 of 13 photos were analyzed" in page_text(page)
        page.button(key="folder_resume").click().run()
        assert page.session_state[session.BATCH].waiting
    assert "12 of 13 photos were analyzed; 1 could not be" in page_text(finished(page))
    assert places.acquire(timeout=0)


def test_a_work_that_is_stopped_is_resumed_with_the_rest(page):
    app = scored_zip(page)
    batch = app.session_state[session.BATCH]
    before = batch.rows()
    batch._work.tables.clear()
    batch.stop()
    assert not batch.finished
    app.run()
    next(b for b in app.button if b.label == "Resume").click().run()
    finished(app)
    columns = [c for c in before.columns if before[c].dtype != object]
    pd.testing.assert_frame_equal(batch.rows()[columns], before[columns])


def test_folders_of_the_server_are_read_only_below_the_allowed_ones(page, monkeypatch, tmp_path, page_text):
    next(b for b in page.segmented_control if b.key == "folder_place").set_value("Folder on the server").run()
    assert "FERSCOPE_ROOTS" in page_text(page)
    root, outside = tmp_path / "allowed", tmp_path / "outside"
    for folder in (root / "in", outside):
        folder.mkdir(parents=True)
        (folder / "a.png").write_bytes(png("dark", 1))
    (root / "link").symlink_to(outside)
    (root / "list.csv").write_text(f"path,group,entry,number\nin/a.png,A,first,7\n{outside}/a.png,B,,\n")
    monkeypatch.setenv("FERSCOPE_ROOTS", str(root))
    assert [e.path for e in open_allowed("in").entries()] == ["a.png"]
    assert [e.path for e in open_allowed(f"{root}/**/a.png").entries()] == ["in/a.png"]
    for place in (outside, f"{root}/../outside", "../outside", root / "link", "s3://bucket", "\0", f"{outside}/*.png"):
        with pytest.raises(BatchError, match=r"is not below a folder that may be read here|does not exist"):
            open_allowed(str(place))
    page.run()
    page.toggle(key="folder_whole").set_value(True).run()
    page.text_input(key="folder_path_text").set_value("list.csv")
    next(b for b in page.button if b.label == "Analyze the photos").click().run()
    app = finished(page)
    (row,) = app.dataframe[0].value.to_dict("records")
    assert (row["group"], row["entry"], row["given_number"], row["number"]) == ("A", "first", "7", 1)
    app.segmented_control(key="folder_panel").set_value("Without a result").run()
    assert f"points outside {root}" in app.dataframe[0].value["reason"].iloc[0]


def test_shares_are_counts_of_predictions_with_wilson_intervals():
    rows = pd.DataFrame(
        {
            "path": ["a/1", "a/1", "a/2", "b/3", "4", "5"],
            "expression": ["happy", "sad", "happy", "sad", "happy", None],
        }
    )
    folders = folders_of(rows["path"])
    assert folders.tolist() == ["a", "a", "a", "b", ".", "."]
    first, *others = expression_shares(rows, ("happy", "sad"), folders)
    assert (first.group, first.faces, first.photos) == ("a", 3, 2)
    assert first.scores == {"happy": wilson(2, 3), "sad": wilson(1, 3)}
    assert {s.group for s in others} == {"b", "."}
    (everyone,) = expression_shares(rows, ("happy", "sad"))
    assert everyone.scores["happy"] == wilson(3, 5)


def test_folders_whose_long_names_end_alike_have_rows_of_their_own():
    tail = "/a folder with a rather long name"
    rows = pd.DataFrame({"path": [f"{n}{tail}/1.jpg" for n in ("x", "y")], "expression": ["happy", "sad"]})
    figure = by_group(expression_shares(rows, ("happy", "sad"), folders_of(rows["path"])), LIGHT)
    assert set(figure.data[0].y[1]) == {f"x{tail} (1)", f"y{tail} (1)"}


def test_filters_keep_the_faces_that_fit():
    rows = pd.DataFrame(
        {
            "expression": ["happy", "sad", "sad", None],
            "confidence": [0.9, 0.4, 0.8, None],
            "disagreement_bits": [0.0, 0.3, 0.1, None],
            "sure": [True, False, True, None],
        }
    )
    select = lambda **chosen: FaceFilter(**chosen).select(rows).index.tolist()  # noqa: E731
    assert select() == [0, 1, 2]
    assert select(expressions=("sad",)) == [1, 2]
    assert select(confidence=(0.5, 1.0)) == [0, 2]
    assert select(least_disagreement_bits=0.1) == [1, 2]
    assert select(certainty="unsure") == [1]
    assert select(order="expression") == [0, 2, 1]
    assert select(order="confidence") == [0, 2, 1]
    assert select(order="disagreement") == [1, 2, 0]
