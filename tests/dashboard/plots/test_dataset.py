import numpy as np
import pandas as pd
import pytest

from core.data import Samples, describe
from core.data.overview import class_counts, findings
from core.labels import LabelSet
from dashboard.plots import dataset as plots
from dashboard.style import DARK, LIGHT, class_color

SPLITS = {"train": "Training", "val": "PublicTest", "test": "PrivateTest"}
LETTERS = LabelSet("letters", ("a", "b"))


@pytest.fixture
def facts():
    """Six images: two identical in Training with other labels, one of them also in PrivateTest, and one blank."""
    random = np.random.default_rng(0)
    face, other, third = (random.integers(0, 256, (8, 8), dtype=np.uint8) for _ in range(3))
    images = np.stack([face, face, other, face, third, np.zeros((8, 8), np.uint8)])
    splits = np.array(["train", "train", "train", "test", "val", "test"])
    return describe(Samples("made", LETTERS, images, np.array([0, 1, 0, 0, 1, 1]), splits, np.arange(6) + 10))


@pytest.fixture
def counts(facts):
    return class_counts(facts).astype(float)


def bars(figure):
    return {t.name: t for t in figure.data if t.text is not None}


@pytest.mark.parametrize("inks", [LIGHT, DARK])
def test_bars_are_shares_of_their_split_in_the_classes_hues(counts, inks):
    drawn = bars(plots.balance(counts, SPLITS, inks))
    assert list(drawn) == ["Training", "PublicTest", "PrivateTest"]
    assert list(drawn["Training"].x) == pytest.approx([2 / 3, 1 / 3])
    assert list(drawn["Training"].text) == ["2", "1"]
    assert list(drawn["Training"].marker.color) == [class_color("a"), class_color("b")]
    assert len({t.marker.pattern.shape for t in drawn.values()}) == 3


def test_a_split_that_is_not_known_or_empty_has_no_bar(counts):
    counts["train"] = np.nan
    counts["val"] = 0.0
    assert list(bars(plots.balance(counts, SPLITS, LIGHT))) == ["PrivateTest"]
    assert plots.balance(counts * np.nan, SPLITS, LIGHT).data == ()


def test_the_table_has_totals_and_names_what_is_not_stored(counts):
    table = plots.count_table(counts, SPLITS).set_index("class")
    assert table.loc["all"].tolist() == ["3", "1", "2"]
    counts["train"] = np.nan
    table = plots.count_table(counts, SPLITS).set_index("class")
    assert table["Training"].tolist() == ["not stored"] * 3
    numbers = plots.count_numbers(counts, SPLITS)
    assert len(numbers) == 6
    assert int(numbers["images"].isna().sum()) == 2


def test_the_sentence_on_imbalance(counts):
    assert plots.imbalance(counts, SPLITS) == "In Training, a has 2.0 times as many images as b."
    counts["train"] = [3.0, 0.0]
    assert plots.imbalance(counts, SPLITS) == "Training has no images of b."
    assert plots.imbalance(counts * np.nan, SPLITS) == ""
    assert plots.imbalance(counts * 0 + 4, SPLITS) == "In Training, every class has 4 images."


def test_findings_in_a_table(facts):
    table = plots.finding_table(findings(facts), {"train": 3, "val": 1, "test": 2}, SPLITS)
    assert table.set_index("finding")["images"].tolist() == ["3", "3", "3", "0 (0.0 %)", "1 (50.0 %)", "1"]
    assert table["sets"].tolist()[:3] == ["1", "1", "1"]


@pytest.mark.parametrize("kind", [plots.CONFLICTS, plots.ACROSS, plots.IDENTICAL])
def test_a_set_is_listed_with_its_rows_labels_and_splits(facts, kind):
    (row,) = plots.listed(findings(facts), facts, kind, SPLITS).to_dict("records")
    assert row == {
        "first": 10,
        "rows": "10, 11, 13",
        "images": 3,
        "labels": "a 2, b",
        "splits": "Training 2, PrivateTest",
    }


def test_blank_images_are_listed_one_by_one(facts):
    table = plots.listed(findings(facts), facts, plots.BLANK, SPLITS)
    assert table["rows"].tolist() == ["15"]
    assert table["labels"].tolist() == ["b"]
    nothing = plots.listed(findings(facts.at(facts.ids[:1])), facts.at(facts.ids[:1]), plots.BLANK, SPLITS)
    assert isinstance(nothing, pd.DataFrame)
    assert nothing.empty
