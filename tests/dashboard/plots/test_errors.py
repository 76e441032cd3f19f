import numpy as np
import pytest

from core.evaluation import error_table
from dashboard.plots import errors


@pytest.fixture
def table(answering):
    """Five images, two of them wrong: a taken for b twice, the second time with more confidence."""
    truth, predicted = [0, 0, 0, 1, 2], [0, 1, 1, 1, 2]
    run = answering(truth, predicted, "net")
    logits = run.logits.copy()
    logits[2] *= 2
    other = answering(truth, truth, "other")
    return error_table(answering(truth, predicted, "net", logits=logits), [other])


def ids(table, keep, column="image_id", **how) -> list[int]:
    return list(table["image_id"].iloc[errors.ordered(table, keep, column, **how)])


def test_mistakes_are_sorted_by_what_is_asked(table):
    wrong = errors.select(table)
    assert ids(table, wrong, "confidence") == [102, 101]
    assert ids(table, wrong, "loss") == [102, 101]
    everything = ids(table, errors.select(table, mistakes=False), "disagreement")
    assert set(everything[:2]) == {101, 102}
    assert everything[2:] == [100, 103, 104]  # all agree: the order of the source


def test_filters_take_true_and_predicted_together(table):
    assert ids(table, errors.select(table, {"true": "a", "predicted": "b"}), ascending=True) == [101, 102]
    assert not errors.select(table, {"true": "b", "predicted": "a"}).any()
    among_all = errors.select(table, {"true": "a", "predicted": errors.ANY}, mistakes=False)
    assert ids(table, among_all, ascending=True) == [100, 101, 102]


def test_numbers_are_filtered_by_ranges(table):
    assert ids(table, errors.select(table, ranges={"confidence": (0.85, np.inf)}, mistakes=False)) == [102]
    assert ids(table, errors.select(table, ranges={"confidence": (0.0, 0.85)})) == [101]


def test_the_smallest_come_first_where_asked(table):
    assert ids(table, errors.select(table), "confidence", ascending=True) == [101, 102]
    everything = errors.select(table, mistakes=False)
    assert ids(table, everything, "true", ascending=True) == [100, 101, 102, 103, 104]
    assert ids(table, everything, "true") == [104, 103, 100, 101, 102]  # of equals the first row of the source


def test_every_class_has_its_probability(table, answering):
    run = answering([0, 0, 0, 1, 2], [0, 1, 1, 1, 2], "net")
    shown = errors.with_probabilities(table[table["image_id"] == 103], run)
    assert shown[["p(a)", "p(b)", "p(c)"]].to_numpy()[0] == pytest.approx([0.1, 0.8, 0.1])


def test_the_screen_shows_row_numbers_and_the_others_answers_by_name(table):
    shown = errors.shown(table, {"other": "Other"})
    assert np.allclose(shown["Other confidence"], 0.8)
    assert shown.columns[0] == "row"
    assert list(shown["Other says"]) == ["a", "a", "a", "b", "c"]
    assert not {"image_id", "correct", "predicted_other"} & set(shown.columns)
    assert np.isclose(shown["probability of true"][0], 0.8)


def test_a_caption_names_both_classes_only_where_they_differ(table):
    assert errors.captions(table)[:2] == ["100 · a", "101 · a → b"]


def test_faces_get_a_transparent_edge():
    gray = np.full((48, 48), 7, np.uint8)
    framed = errors.framed(gray)
    assert framed.shape == (50, 50, 4)
    assert (framed[1:-1, 1:-1] == [7, 7, 7, 255]).all()
    assert (framed[[0, -1]] == 0).all()
    assert errors.framed(np.zeros((96, 96, 3), np.uint8)).shape == (100, 100, 4)
