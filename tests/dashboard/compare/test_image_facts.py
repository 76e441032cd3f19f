"""Panels that read the table of image facts, and networks with different label sets, through the entry file."""

import json
import shutil
from dataclasses import asdict, replace

import numpy as np
import pyarrow.parquet as pq
import pytest
import streamlit as st

from core.data import DatasetInfo, describe, facts_for, read


def tables_with(tables, column: str):
    return [table for table in tables if column in table.columns]


def test_networks_of_both_label_sets_are_compared_with_the_annotators(fer_networks, open_view, page_text, tables):
    app = open_view("Annotator agreement", against="FER+ majority")
    assert not app.error
    seven, eight = tables_with(tables(app), "agreement with an annotator")
    assert (list(seven["network"]), list(seven["images"])) == (["CNN"], ["3,589"])
    assert (list(eight["network"]), list(eight["images"])) == (["FER+ CNN"], ["3,153"])
    assert seven["of another annotator"][0].startswith("0.609")
    text = page_text(app)
    assert "Labels of FER2013 against the FER+ majority" in text
    assert "of the 3,153 images with a majority" in text


def test_a_slice_that_is_worse_has_a_sentence_and_comes_first(fer_networks, open_view, page_text, tables):
    app = open_view("Slices", networks="CNN", property="copy in Training")
    assert not app.error
    assert "brightness 14.3 to 106.6: accuracy" in page_text(app)
    (table,) = tables_with(tables(app), "p (Holm)")
    assert table["slice"][0] == "brightness 14.3 to 106.6"
    assert table["p (Holm)"][0] == "< 0.001"
    assert {"copy in Training: yes", "copy in Training: no"} <= set(table["slice"])
    app.selectbox(key="slice").set_value("brightness 14.3 to 106.6").run()
    assert not app.exception
    assert "Only row numbers are shown" in page_text(app)
    mistakes = app.dataframe[0].value
    facts = facts_for(json.loads((fer_networks / "tiny_cnn" / "card.json").read_text())["data"]["fingerprint"])
    assert (facts.at(np.sort(mistakes["row"].to_numpy())).brightness <= 106.6).all()


@pytest.mark.parametrize("view", ["Annotator agreement", "Slices"])
def test_own_data_without_a_table_is_reported_in_one_sentence(networks, open_view, page_text, view, tables):
    app = open_view(view)
    assert not app.error
    text = page_text(app)
    assert "o table of image facts was computed from this data set" in text
    assert "available: FER2013" in text
    assert "python -m core data describe DATA --size-px 48 --channels 1" in text
    if view == "Slices":  # copies are known without a table, and there are none
        (table,) = tables_with(tables(app), "p (Holm)")
        assert "not defined" in set(table["accuracy"])


def test_a_table_of_own_data_gives_slices_and_names_the_missing_votes(
    networks, facts_folder, image_folder, open_view, page_text, tables
):
    describe(read(image_folder)).save(facts_folder / "shapes_images.parquet")
    app = open_view("Slices")
    assert "shapes has no FER+ votes, so there are no slices by annotator agreement" in page_text(app)
    (table,) = tables_with(tables(app), "p (Holm)")
    assert set(table["slice"].str.split(" ").str[0]) == {"brightness", "contrast", "sharpness", "copy"}
    assert "shapes has no FER+ votes." in page_text(open_view("Annotator agreement"))


def test_a_table_without_a_column_or_a_row_is_reported_in_one_sentence(
    networks, facts_folder, image_folder, open_view, page_text
):
    path = facts_folder / "shapes_images.parquet"
    facts = describe(read(image_folder))
    facts.save(path)
    whole = pq.read_table(path)
    pq.write_table(whole.drop_columns("sharpness"), path)
    for view in ("Annotator agreement", "Slices"):
        app = open_view(view)
        assert not app.error
        assert "shapes_images.parquet lacks the column 'sharpness'" in page_text(app)
    facts.at(facts.ids[:10]).save(path)
    text = page_text(open_view("Slices"))
    assert "Brightness, contrast and sharpness are not known." in text
    assert "has no image" in text


def test_votes_on_other_classes_are_refused(networks, facts_folder, image_folder, open_view, page_text):
    facts = describe(read(image_folder))
    votes = np.zeros((len(facts), 10), np.uint8)
    replace(facts, votes=votes).save(facts_folder / "shapes_images.parquet")
    assert "'bright'" in page_text(open_view("Annotator agreement"))


def test_networks_with_other_classes_have_an_ensemble_on_common_classes(fer_networks, open_view, page_text):
    app = open_view("Ensemble")
    assert not app.error
    text = page_text(app)
    assert "FER+ CNN without contempt, its other probabilities renormalized to FER7." in text
    assert "436 images for which not every network has a prediction are left out for all" in text
    assert "the labels are those of FER2013" in text
    captions = [c.value for c in app.caption if c.value.startswith("FER2013 PrivateTest, n = 3,153.")]
    assert len(captions) == 2  # scores, and the contribution of each member


def test_images_of_another_data_set_have_no_common_ensemble(fer_networks, open_view, page_text):
    path = fer_networks / "tiny_residual" / "card.json"
    card = json.loads(path.read_text())
    card["data"] = asdict(DatasetInfo("AffectNet", source="AffectNet"))
    path.write_text(json.dumps(card))
    st.cache_resource.clear()
    app = open_view("Ensemble")
    assert "common classes" not in page_text(app)
    assert page_text(app).count("An ensemble needs at least two networks") == 2


def test_other_images_with_the_name_of_fer2013_have_no_common_ensemble(fer_networks, open_view, page_text):
    """In a shortened copy of FER2013, a row number is another image."""
    path = fer_networks / "tiny_cnn" / "card.json"
    card = json.loads(path.read_text())
    card["data"]["fingerprint"] = "0" * 64
    path.write_text(json.dumps(card))
    st.cache_resource.clear()
    assert "common classes" not in page_text(open_view("Ensemble"))


def test_the_common_ensemble_is_on_the_data_set_of_its_labels_whatever_comes_first(fer_networks, open_view, page_text):
    """FER+ comes first where it has more networks."""
    path = shutil.copytree(fer_networks / "tiny_residual", fer_networks / "another") / "card.json"
    card = json.loads(path.read_text())
    path.write_text(json.dumps(card | {"run_id": "another", "title": "Another"}))
    st.cache_resource.clear()
    app = open_view("Ensemble", networks=["CNN", "FER+ CNN", "Another"])
    assert "the labels are those of FER2013" in page_text(app)
    assert [c.value for c in app.caption if c.value.startswith("FER2013 PrivateTest, n = 3,153.")]


def test_a_report_is_out_of_date_after_another_weight_in_the_ensemble_on_common_classes(fer_networks, open_view):
    def reports() -> int:
        return sum(b.key == "comparison-report" for b in app.get("download_button"))

    app = open_view("Report")
    app.button(key="create-report").click().run()
    assert reports() == 1
    app.slider(key="weight_tiny_residual").set_value(0.5).run()
    assert reports() == 0
    app.slider(key="weight_tiny_residual").set_value(1.0).run()
    assert reports() == 1
    app.toggle(key="with_ensemble").set_value(False).run()
    assert reports() == 0
    assert not app.exception
