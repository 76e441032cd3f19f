"""Every view of Compare through the entry file, with networks that were really trained."""

import json
import shutil

import numpy as np
import pytest
import streamlit as st

from core import checkpoints


def test_significance_says_each_pair_in_words(networks, open_view, said):
    app = open_view("Significance")
    assert not app.error
    text = said(app)
    assert "PrivateTest, n = 36." in text
    assert "CNN and Residual CNN." in text
    assert "if both were equally good" in text
    table = app.dataframe[1].value
    assert len(table) == 3  # two networks and their ensemble
    assert set(table["p (Holm)"]) - {"not defined"}


def test_significance_of_one_network_asks_for_another(networks, open_view, said):
    app = open_view("Significance", networks="CNN")
    assert "A difference needs two networks" in said(app)


def test_calibration_stands_before_and_after_temperature(networks, open_view, said):
    app = open_view("Calibration", silent="0.9", bins="equally wide")
    assert not app.error
    assert "Before temperature" in said(app)
    assert app.segmented_control(key="bins").value == "equal_width"
    scores = app.dataframe[1].value.set_index("network")
    assert scores.loc["Ensemble", "ECE before"] == "not defined"
    assert "±" in scores.loc["CNN", "NLL after"] or "to" in scores.loc["CNN", "NLL after"]
    app.slider(key="silent").set_value(0.0).run()
    answers = app.dataframe[2].value["answers"]
    assert all(text.startswith("1.000") for text in answers)


def test_errors_are_filtered_by_the_link_and_sorted(networks, open_view, said):
    app = open_view("Errors", list="all images", true="dark", of="Residual CNN")
    assert not app.error
    table = app.dataframe[1].value
    assert set(table["true"]) == {"dark"}
    assert list(table["confidence"]) == sorted(table["confidence"], reverse=True)
    assert {"CNN says", "Ensemble says"} <= set(table.columns)
    assert "1 to 12 of 12 images" in said(app)
    assert "set FERSCOPE_DATA to the path of" in said(app)


def test_errors_are_filtered_by_numbers_and_sorted_either_way(networks, open_view, said):
    app = open_view("Errors", list="all images", sort="loss", ascending="true")
    table = app.dataframe[1].value
    assert list(table["loss"]) == sorted(table["loss"])
    assert {"p(bright)", "p(dark)", "CNN says", "CNN confidence"} - set(table.columns) == {"CNN says", "CNN confidence"}
    assert {"Residual CNN says", "Residual CNN confidence"} <= set(table.columns)
    run = checkpoints.load_checkpoint(networks / "tiny_cnn").evaluation("test")
    sure = int((run.confidence >= 0.9).sum())
    app.slider(key="confidence_range").set_value((0.9, 1.0)).run()
    assert f"of {sure} images" in said(app)
    app.slider(key="confidence_range").set_value((0.0, 0.9)).run()
    assert f"of {36 - sure} images" in said(app) if sure < 36 else "No image is like that" in said(app)


def test_errors_are_paged(networks, open_view, said):
    app = open_view("Errors", list="all images", errors_page="2")
    assert "21 to 36 of 36 images" in said(app)
    assert len(app.dataframe[1].value) == 16
    app.selectbox(key="true").set_value("bright").run()  # one page only
    assert not app.exception
    assert "1 to 12 of 12 images" in said(app)


def test_likely_wrong_labels_are_listed_with_a_warning(networks, open_view, said):
    app = open_view("Errors", list="likely wrong labels")
    assert not app.error
    assert "By confident learning" in said(app)
    assert "look before you believe it" in said(app)
    assert "(95 %, bootstrap)" in said(app)
    app.segmented_control(key="list").set_value("all images").run()
    app.selectbox(key="sort").set_value("loss").run()
    app.segmented_control(key="list").set_value("likely wrong labels").run()
    assert not app.exception  # each list has its own columns to sort by


def test_faces_are_shown_where_the_data_set_is_the_networks_own(networks, open_view, said, image_folder, monkeypatch):
    monkeypatch.setenv("FERSCOPE_DATA", str(image_folder))
    app = open_view("Errors", list="all images")
    assert "Row numbers only" not in said(app)
    assert len(app.get("image")[0].proto.imgs) == 20


def test_another_data_set_is_one_sentence_and_the_rest_stays(networks, open_view, said, tmp_path, monkeypatch):
    other = tmp_path / "notes.csv"
    other.write_text("this,is\nno,data set\n")
    monkeypatch.setenv("FERSCOPE_DATA", str(other))
    app = open_view("Errors", list="all images")
    assert "Row numbers only: notes.csv is no data set known here" in said(app)
    assert len(app.dataframe[1].value) == 20


def test_a_data_set_with_another_fingerprint_is_refused(networks, open_view, said, image_folder, tmp_path, monkeypatch):
    from PIL import Image

    for split in ("train", "val", "test"):
        for name in ("bright", "dark"):
            folder = tmp_path / "faces" / split / name
            folder.mkdir(parents=True)
            Image.new("L", (48, 48)).save(folder / "0.png")
    monkeypatch.setenv("FERSCOPE_DATA", str(tmp_path / "faces"))
    app = open_view("Errors", list="all images")
    assert "names another data set than the one of tiny_cnn" in said(app)


@pytest.mark.parametrize("cells", ["counts", "by true class", "by predicted class", "difference"])
def test_confusion_in_every_way(networks, open_view, said, cells):
    app = open_view("Confusion", cells=cells)
    assert not app.error
    assert "Click a cell to list" in said(app)
    assert len(app.get("plotly_chart")) == (1 if cells == "difference" else 3)


def test_the_difference_of_one_network_asks_for_another(networks, open_view, said):
    assert "A difference needs two networks" in said(open_view("Confusion", cells="difference", networks="CNN"))


def test_a_link_restores_the_images_of_a_cell(networks, open_view, said):
    app = open_view("Confusion", cell_of="Residual CNN", cell_true="dark", cell_predicted="dark")
    run = checkpoints.load_checkpoint(networks / "tiny_residual").evaluation("test")
    there = (run.truth == 1) & (run.predicted == 1)
    if not there.any():
        assert "No image is like that" in said(app)
        return
    table = app.dataframe[1].value
    assert set(table["row"]) == set(run.image_ids[there])
    assert list(table["confidence"]) == sorted(table["confidence"], reverse=True)
    assert {"CNN says", "Ensemble says"} <= set(table.columns)


def test_a_click_on_a_cell_fills_the_boxes(networks, open_view):
    app = open_view("Confusion")
    # AppTest cannot click into a chart: the callback is called as Streamlit calls it.
    from streamlit.testing.v1 import AppTest

    def script() -> None:
        from types import SimpleNamespace

        import streamlit as st

        from core.labels import LabelSet
        from dashboard.compare.confusion import choose_cell

        run = SimpleNamespace(labels=LabelSet("letters", ("a", "b", "c")))
        choose_cell([{"customdata": [0, 2, "3 images"]}], "net", SimpleNamespace(runs={"net": run}))
        choose_cell([], "net", SimpleNamespace(runs={"net": run}))  # beside the cells
        st.text(" ".join(st.session_state[k] for k in ("cell_of", "cell_true", "cell_predicted")))

    assert not app.exception
    assert AppTest.from_function(script).run().text[0].value == "net a c"


@pytest.mark.parametrize("kind", ["ROC", "precision-recall"])
def test_ranking_curves_with_their_areas(networks, open_view, said, kind):
    app = open_view("Ranking", ranking=kind)
    assert not app.error
    assert "Each class against the rest" in said(app)
    assert list(app.dataframe[1].value["class"]) == ["bright", "dark", "striped", "macro"]
    app.pills(key="ranked").set_value([]).run()
    assert "Choose at least one class" in said(app)


@pytest.mark.parametrize("kind", ["top-k", "cost"])
def test_ranking_has_a_figure_for_top_k_and_for_cost(networks, open_view, said, kind):
    app = open_view("Ranking", ranking=kind, cost="multiply-accumulates")
    assert not app.error
    assert len(app.get("plotly_chart")) == 1
    assert "PrivateTest, n = 36." in said(app)


def test_an_ensemble_follows_its_weights(networks, open_view, said):
    app = open_view("Ensembles")
    assert not app.error
    assert "Against its most accurate member" in said(app)
    assert "What each member is worth" in said(app)
    app.slider(key="weight_tiny_residual").set_value(0.5).run()
    assert "Weighted ensemble: CNN 1, Residual CNN 0.5." in said(app)
    weighted = app.dataframe[0].value.set_index("network").loc["Weighted ensemble"]
    app.segmented_control(key="view").set_value("Calibration").run()  # the other views have it, too
    scores = app.dataframe[1].value.set_index("network")
    assert scores.loc["Weighted ensemble", "NLL after"] == weighted["NLL"]
    app.segmented_control(key="view").set_value("Ensembles").run()
    app.slider(key="weight_tiny_residual").set_value(1.0).run()
    equal = dict(zip(*[app.dataframe[0].value[c] for c in ("network", "NLL")], strict=True))["Ensemble"]
    assert app.dataframe[1].value["NLL"][0] == equal
    app.slider(key="weight_tiny_residual").set_value(0.0).run()
    assert not app.exception
    alone = app.dataframe[1].value.set_index("network")
    assert alone.loc["This ensemble", "NLL"] == alone.loc["CNN", "NLL"]
    assert "What each member is worth" not in said(app)
    assert app.dataframe[0].value.set_index("network").loc["Ensemble", "parameters"] == alone.loc["CNN", "parameters"]
    app.slider(key="weight_tiny_cnn").set_value(0.0).run()
    assert "Give at least one network a weight above 0" in said(app)


def test_an_ensemble_of_one_asks_for_another(networks, open_view, said):
    assert "An ensemble needs two networks" in said(open_view("Ensembles", networks="CNN"))


@pytest.fixture
def odd_networks(checkpoint_root, monkeypatch, tmp_path):
    """Answers of tiny_cnn without the images of the first class; the other network keeps all images."""
    root = tmp_path / "checkpoints"
    shutil.copytree(checkpoint_root, root)
    run = checkpoints.load_checkpoint(root / "tiny_cnn").evaluation("test")
    run.select(run.truth != 0).save(root / "tiny_cnn" / "predictions-test.parquet")
    monkeypatch.setattr(checkpoints, "ROOT", root)
    monkeypatch.delenv("FERSCOPE_DATA", raising=False)
    st.cache_resource.clear()


def test_a_link_carries_the_weights_into_every_view(networks, open_view, said):
    app = open_view("Curves", weight_tiny_cnn="0.25")
    assert "Weighted ensemble: CNN 0.25, Residual CNN 1." in said(app)


def test_the_odd_one_is_left_out_and_not_the_others(networks, checkpoint_root, open_view, said, monkeypatch, tmp_path):
    root = tmp_path / "checkpoints"
    shutil.copytree(checkpoint_root, root)
    shutil.copytree(root / "tiny_residual", root / "tiny_third")
    card = json.loads((root / "tiny_third" / "card.json").read_text())
    (root / "tiny_third" / "card.json").write_text(json.dumps(card | {"run_id": "tiny_third", "title": "Third"}))
    run = checkpoints.load_checkpoint(root / "tiny_cnn").evaluation("test")
    run.select(run.truth != 0).save(root / "tiny_cnn" / "predictions-test.parquet")
    monkeypatch.setattr(checkpoints, "ROOT", root)
    st.cache_resource.clear()
    for view in ("Significance", "Per class", "Calibration", "Ranking"):
        app = open_view(view)
        assert "CNN is left out: tiny_residual and tiny_cnn answered different images" in said(app)
        assert "Residual CNN is left out" not in said(app)
        assert "Ensemble" in set(app.dataframe[0].value["network"])
        assert "PrivateTest, n = 36" in said(app)
    published = open_view("Published").dataframe[1].value.set_index("system")
    assert published.loc["FERscope CNN", "comparable"] == "not comparable"
    assert published.loc["FERscope Third", "comparable"] == "yes, with each other"


def test_a_network_without_answers_costs_the_ensemble_nothing(networks, open_view, said, monkeypatch, tmp_path):
    root = tmp_path / "checkpoints"
    shutil.copytree(networks, root)
    shutil.copytree(root / "tiny_residual", root / "tiny_third")
    card = json.loads((root / "tiny_third" / "card.json").read_text())
    (root / "tiny_third" / "card.json").write_text(json.dumps(card | {"run_id": "tiny_third", "title": "Third"}))
    before = open_view("Ensembles").dataframe[0].value.set_index("network").loc["Ensemble"]
    (root / "tiny_third" / "predictions-test.parquet").unlink()
    monkeypatch.setattr(checkpoints, "ROOT", root)
    st.cache_resource.clear()
    app = open_view("Ensembles")
    assert "tiny_third has no stored predictions" in said(app)
    after = app.dataframe[0].value.set_index("network").loc["Ensemble"]
    assert (after["parameters"], after["MACs"]) == (before["parameters"], before["MACs"])


@pytest.mark.parametrize("view", ["Confusion", "Significance", "Calibration", "Ranking", "Errors", "Ensembles"])
def test_runs_without_an_image_are_no_traceback(networks, open_view, said, monkeypatch, tmp_path, view):
    root = tmp_path / "checkpoints"
    shutil.copytree(networks, root)
    for path in root.iterdir():
        run = checkpoints.load_checkpoint(path).evaluation("test")
        run.select(np.zeros(len(run), bool)).save(path / "predictions-test.parquet")
    monkeypatch.setattr(checkpoints, "ROOT", root)
    st.cache_resource.clear()
    assert "PrivateTest, n = 0" in said(open_view(view))


@pytest.mark.parametrize("view", ["Significance", "Confusion", "Errors", "Ensembles"])
def test_runs_over_different_images_are_refused_by_name(odd_networks, open_view, said, view):
    app = open_view(view)
    assert not app.error
    assert "is left out: tiny_cnn and tiny_residual answered different images" in said(app)


@pytest.mark.parametrize("view", ["Confusion", "Significance", "Calibration", "Ranking", "Errors", "Ensembles"])
def test_a_class_without_images_is_no_error(odd_networks, open_view, view):
    app = open_view(view, networks="CNN")
    assert not app.error
    if view == "Ranking":
        assert app.dataframe[1].value.set_index("class").loc["bright", "CNN"] == "not defined"
