"""The views that read the table of image facts, and ensembles over different label sets, through the entry file."""

import json
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
import streamlit as st

from core.data import describe, facts_for, read


def table_with(tables, column: str):
    return next(table for table in tables if column in table.columns)


def test_networks_of_both_label_sets_stand_beside_the_annotators(fer_networks, open_view, said):
    app = open_view("Human doubt", against="FER+ majority")
    assert not app.error
    table = table_with(app, "agrees with an annotator").set_index("network")
    assert set(table.index) >= {"CNN", "FER+ CNN"}
    assert table.loc["CNN", "images"] == "3,589"
    assert table.loc["FER+ CNN", "images"] == "3,153"
    assert table.loc["CNN", "another annotator does"].startswith("0.609")
    text = said(app)
    assert "The label of FER2013 against the FER+ majority" in text
    assert "of the 3,153 images with a majority" in text
    assert len(app.get("plotly_chart")) == 4


def test_a_slice_that_is_worse_is_said_and_listed_first(fer_networks, open_view, said):
    app = open_view("Slices", networks="CNN", property="copy in Training")
    assert not app.error
    assert "brightness 14.3 to 106.6: accuracy" in said(app)
    table = table_with(app, "p (Holm)")
    assert table["slice"][0] == "brightness 14.3 to 106.6"
    assert table["p (Holm)"][0] == "< 0.001"
    assert {"copy in Training: yes", "copy in Training: no"} <= set(table["slice"])
    app.selectbox(key="slice").set_value("brightness 14.3 to 106.6").run()
    assert not app.exception
    assert "Row numbers only" in said(app)
    mistakes = table_with(app, "row")
    facts = facts_for(json.loads((fer_networks / "tiny_cnn" / "card.json").read_text())["data"]["fingerprint"])
    assert (facts.at(np.sort(mistakes["row"].to_numpy())).brightness <= 106.6).all()


def test_networks_over_other_images_are_left_out_of_the_slices_by_name(fer_networks, open_view, said):
    app = open_view("Slices")
    assert "FER+ CNN is left out: tiny_cnn predicts FER7" in said(app)


@pytest.mark.parametrize("view", ["Human doubt", "Slices"])
def test_own_data_without_a_table_is_one_sentence(networks, open_view, said, view):
    app = open_view(view)
    assert not app.error
    text = said(app)
    assert "no table of image facts was made from this data set" in text
    assert "there is one for FER2013" in text
    assert "python -m core data describe DATA --size-px 48 --channels 1" in text
    assert any("Protocol and cards" in e.label for e in app.expander)  # the rest of the page stays
    if view == "Slices":  # copies are known without a table, and there are none
        assert set(table_with(app, "p (Holm)")["accuracy"]) >= {"not defined"}


def test_a_table_of_own_data_gives_slices_and_says_that_there_are_no_votes(
    networks, facts_folder, image_folder, open_view, said
):
    describe(read(image_folder)).save(facts_folder / "shapes_images.parquet")
    app = open_view("Slices")
    assert "carry no FER+ votes: no slices by agreement" in said(app)
    slices = set(table_with(app, "p (Holm)")["slice"].str.split(" ").str[0])
    assert slices == {"brightness", "contrast", "sharpness", "copy"}
    assert "carry no FER+ votes" in said(open_view("Human doubt"))


def test_a_table_without_a_column_or_a_row_is_one_sentence(networks, facts_folder, image_folder, open_view, said):
    path = facts_folder / "shapes_images.parquet"
    facts = describe(read(image_folder))
    facts.save(path)
    whole = pq.read_table(path)
    pq.write_table(whole.drop_columns("sharpness"), path)
    for view in ("Human doubt", "Slices"):
        app = open_view(view)
        assert not app.error
        assert "shapes_images.parquet lacks the column 'sharpness'" in said(app)
    facts.at(facts.ids[:10]).save(path)
    assert "No image statistics: the table of image facts of shapes has no image" in said(open_view("Slices"))


def test_votes_on_other_classes_are_refused_by_name(networks, facts_folder, image_folder, open_view, said):
    facts = describe(read(image_folder))
    votes = np.zeros((len(facts), 10), np.uint8)
    replace(facts, votes=votes).save(facts_folder / "shapes_images.parquet")
    assert "CNN is left out: FER+ has no votes on 'bright'" in said(open_view("Human doubt"))


def test_ferplus_joins_an_ensemble_without_contempt_and_the_captions_say_so(fer_networks, open_view, said):
    app = open_view("Ensembles")
    assert not app.error
    text = said(app)
    assert "FER+ CNN without contempt, its other probabilities renormalized to FER7." in text
    assert "436 images that not every network answered are left out for all; the labels are those of FER2013." in text
    captions = [c.value for c in app.caption if "n = 3,153" in c.value]
    assert len(captions) == 3
    assert all("FER+ CNN without contempt" in c for c in captions)


def test_a_network_of_another_data_set_is_no_member(fer_networks, open_view, said):
    path = fer_networks / "tiny_residual" / "card.json"
    card = json.loads(path.read_text())
    card["data"] |= {"title": "AffectNet", "source": "AffectNet"}
    path.write_text(json.dumps(card))
    st.cache_resource.clear()
    app = open_view("Ensembles")
    assert "FER+ CNN is left out: it was scored on AffectNet, the others on FER2013" in said(app)
    assert "An ensemble needs two networks" in said(app)
