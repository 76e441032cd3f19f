from dataclasses import replace

import numpy as np
import pytest

from core.evaluation import wilson
from core.robustness import CLEAN, CONDITIONS, CORRUPTIONS, Robustness
from dashboard.plots import robustness
from dashboard.style import LIGHT, network_styles

STYLES = network_styles({"one": "cnn", "other": "residual_cnn"}, LIGHT)
NAMES = {"one": "One", "other": "Other"}


def measured(model_id, share):
    """Ten images, all correct when clean; that share of them under every corruption."""
    wrong = np.arange(10) >= 10 * share
    right = {c: np.ones(10, bool) if c == CLEAN else ~wrong for c in CONDITIONS}
    return Robustness(model_id, "test", "abc", right)


@pytest.fixture
def found():
    return {"one": measured("one", 0.9), "other": measured("other", 0.5)}


def test_one_panel_per_corruption_and_one_line_per_network(found, inks):
    figure = robustness.curves(found, STYLES, NAMES, inks)
    assert [note.text for note in figure.layout.annotations] == [g.title for g in CORRUPTIONS.values()]
    assert len(figure.data) == 2 * len(CORRUPTIONS)
    assert list(figure.data[0].x) == [0, 1, 2, 3, 4, 5]
    assert list(figure.data[0].y) == pytest.approx([1, 0.9, 0.9, 0.9, 0.9, 0.9])
    assert {(t.name, t.line.dash, t.marker.symbol) for t in figure.data} == {
        ("One", "dot", "circle"),
        ("Other", "dash", "square"),
    }
    assert [t.name for t in figure.data if t.showlegend] == ["One", "Other"]
    assert {tuple(axis.range) for axis in figure.select_yaxes()} == {tuple(figure.layout.yaxis.range)}
    assert "1.5 (% of the side)" in figure.data[0].customdata[2]


def test_the_drop_has_its_interval_and_zero_is_on_the_axis(found, inks):
    one, other = robustness.drops(found, STYLES, NAMES, inks).data
    assert (one.x[0], other.x[0]) == pytest.approx((0.1, 0.5))
    assert other.error_x.arrayminus[0] > 0
    low, high = robustness.drops(found, STYLES, NAMES, inks).layout.xaxis.range
    assert low == 0
    assert high > 0.5 + other.error_x.array[0]


def test_a_network_without_a_drop_has_no_mark(inks):
    nothing = {"one": Robustness("one", "test", "abc", {c: np.zeros(5, bool) for c in CONDITIONS})}
    (mark,) = robustness.drops(nothing, STYLES, NAMES, inks).data
    assert mark.x[0] is None
    assert robustness.table(nothing, NAMES)["mean relative drop"][0] == "not defined"


def test_mirror_consistency_has_its_interval(found):
    found["one"] = replace(found["one"], mirror_consistency=wilson(9, 10))
    assert list(robustness.table(found, NAMES)["mirror consistency"]) == ["0.900 (0.596 to 0.982)", "not defined"]


def test_the_tables_have_one_row_per_network_and_per_condition(found):
    table = robustness.table(found, NAMES)
    assert list(table["network"]) == ["One", "Other"]
    assert table["mean relative drop"][1].startswith("0.500")
    drops = robustness.drop_table(found, NAMES).set_index("corruption")
    assert drops.loc["Blur", "Other"].startswith("0.500")
    assert len(drops) == len(CORRUPTIONS)
    numbers = robustness.numbers(found)
    assert len(numbers) == 2 * 46
    assert set(numbers[numbers["corruption"] == "jpeg"]["setting"]) == {60, 40, 25, 15, 8}
    assert list(robustness.settings()["strength 1"])[:2] == ["1", "0.02"]
