"""Every panel of Compare through the entry file, with networks that were really trained."""

import json
import shutil

import numpy as np
import pytest
import streamlit as st

from core import checkpoints
from dashboard.compare.panels import GROUPS


def test_significance_has_one_sentence_per_pair(networks, open_view, page_text, tables):
    app = open_view("Significance")
    assert not app.error
    text = page_text(app)
    assert "shapes test, n = 36." in text
    assert "CNN and Residual CNN:" in text
    assert "if both were equally good" in text
    (table,) = tables(app)
    assert len(table) == 3  # two networks and their ensemble
    assert set(table["p (Holm)"]) - {"not defined"}


def test_significance_of_one_network_asks_for_another(networks, open_view, page_text):
    app = open_view("Significance", networks="CNN")
    assert "A comparison needs at least two networks" in page_text(app)


def test_the_first_view_has_the_scores_and_the_result_of_the_test(networks, open_view, page_text, tables, by_network):
    app = open_view("Overview")
    assert not app.error
    scores = by_network(tables(app)[0])
    assert list(scores.index) == ["CNN", "Residual CNN", "Ensemble"]
    value = checkpoints.load_checkpoint(networks / "tiny_cnn").card.metrics["test"].accuracy.value
    assert scores["accuracy"]["CNN"].startswith(f"{value:.3f}")
    assert "Scores" not in [box.label for box in app.expander]
    assert "measurabl" in page_text(app)
    assert "McNemar's exact test" in page_text(app)


def test_milliseconds_are_measured_only_on_request(
    networks, open_view, page_text, tables, by_network, monkeypatch, tmp_path
):
    root = shutil.copytree(networks, tmp_path / "checkpoints")
    for path in root.iterdir():
        card = json.loads((path / "card.json").read_text())
        (path / "card.json").write_text(json.dumps(card | {"milliseconds": None}))
    monkeypatch.setattr(checkpoints, "ROOT", root)
    st.cache_resource.clear()
    app = open_view("Overview")
    assert list(by_network(tables(app)[0])["ms per face"]) == ["not measured"] * 3
    app.button(key="measure").click().run()
    assert not app.exception
    assert all(float(ms) > 0 for ms in by_network(tables(app)[0])["ms per face"])
    assert "one face at a time on this machine" in page_text(app)
    path = root / "tiny_residual" / "card.json"
    stored = {"weights_shipped": False, "milliseconds": {"value": 1.0, "hardware": "elsewhere"}}
    path.write_text(json.dumps(json.loads(path.read_text()) | stored))
    app = open_view("Overview", networks=["CNN", "Residual CNN"])  # results of two machines cannot be compared
    assert by_network(tables(app)[0])["ms per face"]["Residual CNN"] == "not measured"
    assert "elsewhere" not in page_text(app)


def test_calibration_is_shown_before_and_after_temperature_scaling(networks, open_view, page_text, tables, by_network):
    app = open_view("Calibration", threshold="0.9", bins="equally wide")
    assert not app.error
    assert "Before temperature scaling" in page_text(app)
    assert app.segmented_control(key="bins").value == "equal_width"
    scores = by_network(tables(app)[0])
    assert scores.loc["Ensemble", "ECE before"] == "not defined"
    assert "±" in scores.loc["CNN", "NLL after"] or "to" in scores.loc["CNN", "NLL after"]
    app.slider(key="threshold").set_value(0.0).run()
    assert all(text.startswith("1.000") for text in by_network(tables(app)[1])["coverage"])


def test_errors_are_filtered_by_the_link_and_sorted(networks, open_view, page_text):
    app = open_view("Gallery", list="all images", true="dark", of="Residual CNN")
    assert not app.error
    table = app.dataframe[0].value
    assert set(table["true"]) == {"dark"}
    assert list(table["confidence"]) == sorted(table["confidence"], reverse=True)
    assert {"CNN predicts", "Ensemble predicts"} <= set(table.columns)
    assert "1 to 12 of 12 images" in page_text(app)
    assert "set FERSCOPE_DATA to the path of" in page_text(app)


def test_errors_are_filtered_by_numbers_and_sorted_either_way(networks, open_view, page_text):
    app = open_view("Gallery", list="all images", sort="loss", ascending="true")
    table = app.dataframe[0].value
    assert list(table["loss"]) == sorted(table["loss"])
    assert "Residual CNN predicts" in table.columns
    run = checkpoints.load_checkpoint(networks / "tiny_cnn").evaluation("test")
    sure = int((run.confidence >= 0.9).sum())
    app.slider(key="confidence_range").set_value((0.9, 1.0)).run()
    assert f"of {sure} images" in page_text(app)
    app.slider(key="confidence_range").set_value((0.0, 0.9)).run()
    assert f"of {36 - sure} images" in page_text(app) if sure < 36 else "No matching images" in page_text(app)


def test_errors_are_paged(networks, open_view, page_text):
    app = open_view("Gallery", list="all images", errors_page="2")
    assert "21 to 36 of 36 images" in page_text(app)
    assert len(app.dataframe[0].value) == 16
    app.selectbox(key="true").set_value("bright").run()  # one page only
    assert not app.exception
    assert "1 to 12 of 12 images" in page_text(app)


def test_a_list_of_other_images_begins_with_its_first_page(networks, open_view, page_text):
    app = open_view("Gallery", list="all images", sort="row", errors_page="2")
    app.toggle(key="ascending").set_value(True).run()
    assert "1 to 20 of 36 images" in page_text(app)
    app.session_state["errors_page"] = 2
    app.run()
    app.selectbox(key="of").set_value("tiny_residual").run()  # the same images in the same order
    assert "21 to 36 of 36 images" in page_text(app)
    app.selectbox(key="sort").set_value("loss").run()
    assert "1 to 20 of 36 images" in page_text(app)
    app.session_state["errors_page"] = 2
    app.run()
    app.selectbox(key="true").set_value("bright").run()  # one page only
    app.selectbox(key="true").set_value("any").run()
    assert "1 to 20 of 36 images" in page_text(app)


def test_likely_wrong_labels_are_listed_with_a_warning(networks, open_view, page_text):
    app = open_view("Labels")
    assert not app.error
    assert "confident learning" in page_text(app)
    assert "The network may be wrong instead of the label" in page_text(app)
    app.selectbox(key="sort_labels").set_value("margin").run()
    assert not app.exception


def test_faces_are_shown_where_the_data_set_is_the_networks_own(
    networks, open_view, page_text, image_folder, monkeypatch
):
    monkeypatch.setenv("FERSCOPE_DATA", str(image_folder))
    app = open_view("Gallery", list="all images")
    assert "Only row numbers are shown" not in page_text(app)
    assert len(app.get("image")) == 20


def test_a_face_of_the_list_opens_in_analyze(networks, open_view, page_text, image_folder, monkeypatch):
    monkeypatch.setenv("FERSCOPE_DATA", str(image_folder))
    app = open_view("Gallery", list="all images", networks="CNN")
    row = int(app.dataframe[0].value["row"].iloc[0])
    app.button(key=f"errors-open-{row}").click().run()
    assert not app.exception
    assert app.title[0].value != "Compare"
    assert f"shapes {row}.png" in page_text(app)


def test_another_data_set_is_reported_in_one_sentence_and_the_rest_remains(
    networks, open_view, page_text, tmp_path, monkeypatch
):
    other = tmp_path / "notes.csv"
    other.write_text("this,is\nno,data set\n")
    monkeypatch.setenv("FERSCOPE_DATA", str(other))
    app = open_view("Gallery", list="all images")
    assert "Only row numbers are shown. notes.csv" in page_text(app)
    assert len(app.dataframe[0].value) == 20


def test_a_data_set_with_another_fingerprint_is_refused(
    networks, open_view, page_text, image_folder, tmp_path, monkeypatch
):
    from PIL import Image

    for split in ("train", "val", "test"):
        for name in ("bright", "dark"):
            folder = tmp_path / "faces" / split / name
            folder.mkdir(parents=True)
            Image.new("L", (48, 48)).save(folder / "0.png")
    monkeypatch.setenv("FERSCOPE_DATA", str(tmp_path / "faces"))
    app = open_view("Gallery", list="all images")
    assert "with the fingerprint" in page_text(app)


@pytest.mark.parametrize("cells", ["counts", "by true class", "by predicted class", "difference"])
def test_every_kind_of_confusion_matrix(networks, open_view, page_text, cells):
    app = open_view("Confusion", cells=cells)
    assert not app.error
    assert "shapes test, n = 36." in page_text(app)
    assert len(app.get("plotly_chart")) == (1 if cells == "difference" else 3)


def test_the_difference_of_one_network_asks_for_another(networks, open_view, page_text):
    app = open_view("Confusion", cells="difference", networks="CNN")
    assert "A comparison needs at least two networks" in page_text(app)


def test_a_link_restores_the_images_of_a_cell(networks, open_view, page_text):
    app = open_view("Confusion", cell_of="Residual CNN", cell_true="dark", cell_predicted="dark")
    run = checkpoints.load_checkpoint(networks / "tiny_residual").evaluation("test")
    there = (run.truth == 1) & (run.predicted == 1)
    if not there.any():
        assert "No matching images" in page_text(app)
        return
    table = app.dataframe[0].value
    assert set(table["row"]) == set(run.image_ids[there])
    assert list(table["confidence"]) == sorted(table["confidence"], reverse=True)
    assert {"CNN predicts", "Ensemble predicts"} <= set(table.columns)


def test_the_images_of_a_cell_stay_where_its_matrix_is_not_drawn(networks, open_view):
    run = checkpoints.load_checkpoint(networks / "tiny_residual").evaluation("test")
    true, predicted = (run.labels.classes[int(of[0])] for of in (run.truth, run.predicted))
    app = open_view("Confusion", cells="difference", cell_of="Residual CNN", cell_true=true, cell_predicted=predicted)
    assert len(app.dataframe) == 1


def test_a_click_on_a_cell_fills_the_boxes():
    # AppTest cannot click into a chart: the callback is called as Streamlit calls it.
    from streamlit.testing.v1 import AppTest

    def script() -> None:
        from types import SimpleNamespace

        import streamlit as st

        from core.labels import LabelSet
        from dashboard.compare.confusion import select_cell

        comparison = SimpleNamespace(labels=LabelSet("letters", ("a", "b", "c")), key=lambda name: name)
        select_cell([{"customdata": [0, 2, "3 images"]}], "net", comparison)
        select_cell([], "net", comparison)  # outside the cells
        st.text(" ".join(st.session_state[k] for k in ("cell_of", "cell_true", "cell_predicted")))

    assert AppTest.from_function(script).run().text[0].value == "net a c"


@pytest.mark.parametrize("kind", ["ROC", "precision-recall"])
def test_ranking_curves_with_their_areas(networks, open_view, page_text, tables, kind):
    app = open_view("Ranking", ranking=kind)
    assert not app.error
    assert "One class against the rest" in page_text(app)
    assert list(tables(app)[0]["class"]) == ["bright", "dark", "striped", "macro"]
    app.pills(key="ranked").set_value([]).run()
    assert "Choose at least one class" in page_text(app)


@pytest.mark.parametrize("kind", ["top-k", "cost"])
def test_ranking_has_a_figure_for_top_k_and_for_cost(networks, open_view, page_text, kind):
    app = open_view("Ranking", ranking=kind, cost="multiply-accumulates")
    assert not app.error
    assert len(app.get("plotly_chart")) == 1
    assert "shapes test, n = 36." in page_text(app)


def test_the_ensemble_follows_its_weights_in_every_panel(networks, open_view, page_text, tables, by_network):
    app = open_view("Ensemble")
    assert not app.error
    assert "Comparison with its most accurate member" in page_text(app)
    assert "Contribution of each member" in page_text(app)
    app.slider(key="weight_tiny_residual").set_value(0.5).run()
    assert "Weights of the ensemble: CNN 1, Residual CNN 0.5." in page_text(app)
    weighted = by_network(tables(app)[0]).loc["Weighted ensemble", "NLL"]
    other = open_view("Overview", weight_tiny_residual="0.5")
    assert by_network(tables(other)[0]).loc["Weighted ensemble", "NLL"] == weighted
    app.slider(key="weight_tiny_residual").set_value(0.0).run()
    assert not app.exception
    assert "An ensemble needs at least two networks with a weight above 0." in page_text(app)
    assert "Comparison with its most accurate member" not in page_text(app)
    app.toggle(key="with_ensemble").set_value(False).run()
    assert "Turn on “Include ensemble” in the sidebar." in page_text(app)
    assert "An ensemble needs" not in page_text(app)


def test_an_ensemble_without_all_networks_names_their_weights_and_none_is_missed(
    networks, open_view, page_text, tables, monkeypatch, tmp_path
):
    root = shutil.copytree(networks, tmp_path / "checkpoints")
    path = shutil.copytree(root / "tiny_cnn", root / "third") / "card.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"run_id": "third", "title": "Third"}))
    monkeypatch.setattr(checkpoints, "ROOT", root)
    st.cache_resource.clear()
    app = open_view("Overview")
    assert "Ensemble" in tables(app)[0].columns
    app.slider(key="weight_third").set_value(0.0).run()
    assert "Weighted ensemble" in tables(app)[0].columns
    assert "Weights of the ensemble: Third 0, CNN 1, Residual CNN 1." in page_text(app)
    assert not app.warning
    app.slider(key="weight_tiny_cnn").set_value(0.0).run()
    (warning,) = app.warning
    assert warning.value.startswith("An ensemble needs at least two networks with a weight above 0.")
    app.toggle(key="with_ensemble").set_value(False).run()
    assert not app.warning


def test_the_ensemble_stays_chosen_when_its_name_changes(networks, open_view):
    app = open_view("Gallery", of="Ensemble")
    app.slider(key="weight_tiny_residual").set_value(0.5).run()
    box = app.selectbox(key="of")
    # The browser has to receive the new text, because it sends its text with every change of another control.
    assert box.proto.set_value
    assert (box.value, box.proto.raw_value) == ("ensemble", "Weighted ensemble")
    app.slider(key="weight_tiny_residual").set_value(0.4).run()
    assert app.selectbox(key="of").value == "ensemble"
    assert not app.selectbox(key="of").proto.set_value
    app.slider(key="weight_tiny_residual").set_value(1.0).run()
    assert app.selectbox(key="of").proto.raw_value == "Ensemble"
    assert not app.exception
    assert not app.warning


def test_an_ensemble_of_one_asks_for_another(networks, open_view, page_text):
    assert "An ensemble needs at least two networks" in page_text(open_view("Ensemble", networks="CNN"))


def test_published_results_give_their_reason_and_own_results_their_protocol(networks, open_view, tables, page_text):
    app = open_view("Published")
    own, others = tables(app)
    assert list(own["system"]) == ["FERscope CNN", "FERscope Residual CNN", "FERscope Ensemble"]
    assert (
        "The networks were trained on train; the epoch and the temperature were chosen on val; "
        "this split was scored once."
    ) in page_text(app)
    assert others.iloc[:, 2].str.match(r".+ Not comparable: .+\.").all()


def test_published_systems_that_were_trained_again_stand_beside_their_published_results(
    networks, open_view, tables, monkeypatch, tmp_path
):
    root = shutil.copytree(networks, tmp_path / "checkpoints")
    shutil.copytree(root / "tiny_cnn", root / "scratch_resnet50")
    path = root / "scratch_resnet50" / "card.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"run_id": "scratch_resnet50", "title": "Baseline"}))
    monkeypatch.setattr(checkpoints, "ROOT", root)
    st.cache_resource.clear()
    own, _, again = tables(open_view("Published", networks="CNN"))
    (row,) = again.to_dict("records")
    assert row["system"] == "ResNet50 from scratch on fer2013.csv: 75 % train, 45 % test"
    assert row["trained again"] == "Baseline: shapes, 3 classes, 36 images"
    assert row["accuracy on test"] in own.set_index("system").loc["FERscope CNN", "result"]
    history = checkpoints.load_checkpoint(root / "tiny_cnn").history()
    chosen = json.loads(path.read_text())["chosen_epoch"]
    by_epoch = history.set_index("epoch")["train_accuracy"]
    assert row["accuracy on train"] == f"{by_epoch[chosen]:.3f}, at the end {by_epoch.iloc[-1]:.3f}"
    (root / "scratch_resnet50" / "history.csv").write_text("a,b\n1,2\n")
    st.cache_resource.clear()
    (row,) = tables(open_view("Published", networks="CNN"))[2].to_dict("records")
    assert row["accuracy on train"] == "–"


PANELS = [title for panels in GROUPS.values() for title in panels]


@pytest.fixture
def two_groups(checkpoint_root, monkeypatch, tmp_path):
    """tiny_residual with a twin, and tiny_cnn without the images of the first class."""
    root = tmp_path / "checkpoints"
    shutil.copytree(checkpoint_root, root)
    shutil.copytree(root / "tiny_residual", root / "tiny_third")
    card = json.loads((root / "tiny_third" / "card.json").read_text())
    (root / "tiny_third" / "card.json").write_text(json.dumps(card | {"run_id": "tiny_third", "title": "Third"}))
    run = checkpoints.load_checkpoint(root / "tiny_cnn").evaluation("test")
    run.select(run.truth != 0).save(root / "tiny_cnn" / "predictions-test.parquet")
    monkeypatch.setattr(checkpoints, "ROOT", root)
    monkeypatch.delenv("FERSCOPE_DATA", raising=False)
    st.cache_resource.clear()


@pytest.mark.parametrize("view", PANELS)
def test_every_panel_shows_every_group_under_a_heading(two_groups, open_view, page_text, view):
    app = open_view(view)
    assert not app.error
    assert [h.value.rpartition("n = ")[2] for h in app.header] == ["36", "24"]
    assert "n = 24." in page_text(app)
    assert "n = 36." in page_text(app)


def test_a_class_without_images_has_no_area(two_groups, open_view, tables):
    app = open_view("Ranking", networks="CNN")
    assert tables(app)[0].set_index("class").loc["bright", "CNN"] == "not defined"


@pytest.mark.parametrize("view", PANELS)
def test_predictions_without_images_do_not_raise(networks, open_view, page_text, monkeypatch, tmp_path, view):
    root = tmp_path / "checkpoints"
    shutil.copytree(networks, root)
    for path in root.iterdir():
        run = checkpoints.load_checkpoint(path).evaluation("test")
        run.select(np.zeros(len(run), bool)).save(path / "predictions-test.parquet")
    monkeypatch.setattr(checkpoints, "ROOT", root)
    st.cache_resource.clear()
    assert "n = 0" in page_text(open_view(view)) or view == "Curves"


def test_the_filters_by_numbers_stay_when_other_networks_are_chosen(networks, open_view, tmp_path, monkeypatch):
    root = shutil.copytree(networks, tmp_path / "networks")
    third = shutil.copytree(root / "tiny_cnn", root / "third") / "card.json"
    third.write_text(json.dumps(json.loads(third.read_text()) | {"run_id": "third", "title": "Third"}))
    monkeypatch.setattr(checkpoints, "ROOT", root)
    app = open_view("Gallery", list="all images", networks=["CNN", "Residual CNN"])
    app.slider(key="disagreement_range").set_value((0.1, 2.0)).run()
    for chosen in (3, 2):
        app.pills(key="networks").set_value(["tiny_cnn", "tiny_residual", "third"][:chosen]).run()
        assert not app.exception
        assert app.slider(key="disagreement_range").value == (0.1, 2.0)
