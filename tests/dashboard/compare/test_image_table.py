import numpy as np
import pandas as pd
import pytest

from core.evaluation import error_table
from dashboard.compare import image_table


@pytest.fixture
def table(predicted_run):
    """Five images, two of them wrong: a predicted as b twice, the second time with more confidence."""
    truth, predicted = [0, 0, 0, 1, 2], [0, 1, 1, 1, 2]
    run = predicted_run(truth, predicted, "net")
    logits = run.logits.copy()
    logits[2] *= 2
    other = predicted_run(truth, truth, "other")
    return error_table(predicted_run(truth, predicted, "net", logits=logits), [other])


def ids(table, keep, column="image_id", **how) -> list[int]:
    return list(table["image_id"].iloc[image_table.ordered(table, keep, column, **how)])


def test_mistakes_are_sorted_by_the_requested_column(table):
    wrong = image_table.select(table)
    assert ids(table, wrong, "confidence") == [102, 101]
    assert ids(table, wrong, "loss") == [102, 101]
    everything = ids(table, image_table.select(table, mistakes=False), "disagreement")
    assert set(everything[:2]) == {101, 102}
    assert everything[2:] == [100, 103, 104]  # all agree: by row number


def test_filters_take_true_and_predicted_together(table):
    assert ids(table, image_table.select(table, {"true": "a", "predicted": "b"}), ascending=True) == [101, 102]
    assert not image_table.select(table, {"true": "b", "predicted": "a"}).any()
    among_all = image_table.select(table, {"true": "a", "predicted": image_table.ANY}, mistakes=False)
    assert ids(table, among_all, ascending=True) == [100, 101, 102]


def test_numbers_are_filtered_by_ranges(table):
    assert ids(table, image_table.select(table, ranges={"confidence": (0.85, np.inf)}, mistakes=False)) == [102]
    assert ids(table, image_table.select(table, ranges={"confidence": (0.0, 0.85)})) == [101]


def test_ascending_order_lists_the_smallest_first(table):
    assert ids(table, image_table.select(table), "confidence", ascending=True) == [101, 102]
    everything = image_table.select(table, mistakes=False)
    assert ids(table, everything, "true", ascending=True) == [100, 101, 102, 103, 104]
    assert ids(table, everything, "true") == [104, 103, 100, 101, 102]  # equal values by row number


def test_every_class_has_its_probability(table, predicted_run):
    run = predicted_run([0, 0, 0, 1, 2], [0, 1, 1, 1, 2], "net")
    shown = image_table.with_probabilities(table[table["image_id"] == 103], run)
    assert shown[["p(a)", "p(b)", "p(c)"]].to_numpy()[0] == pytest.approx([0.1, 0.8, 0.1])


def test_the_page_shows_row_numbers_and_the_other_networks_by_name(table):
    shown = image_table.shown(table, {"other": "Other"})
    assert shown.columns[0] == "row"
    assert list(shown["Other predicts"]) == ["a", "a", "a", "b", "c"]
    assert not {"image_id", "correct", "predicted_other", "confidence_other"} & set(shown.columns)
    assert np.isclose(shown["probability of true"][0], 0.8)


def test_a_heading_is_the_name_by_which_the_table_can_be_sorted():
    shown = image_table.shown(pd.DataFrame(columns=list(image_table.LABEL_ORDERS.values())), {})
    assert list(shown.columns) == list(image_table.LABEL_ORDERS)


def test_a_caption_names_both_classes_only_where_they_differ(table):
    assert image_table.captions(table)[:2] == ["a", "a → b"]
