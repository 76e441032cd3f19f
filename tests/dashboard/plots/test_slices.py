import numpy as np
import pytest

from core.evaluation import bin_columns, slice_report
from dashboard.plots import slices as plots
from dashboard.style import LIGHT, network_styles


@pytest.fixture
def report(predicted_run):
    """400 images: every second of the dark hundred is wrong, and none of the others; nothing is a copy."""
    n = np.arange(400)
    run = predicted_run([0] * 400, np.where(n < 100, n % 2, 0))
    columns = {"brightness": (n // 100).astype(float), "size": n * 50.0, "copy in Training": np.zeros(400, bool)}
    return slice_report(run, bin_columns(columns))


def test_worse_slices_come_first_and_measurable_differences_are_filled(report, inks):
    figure = plots.differences(report, inks)
    marks = figure.data[0]
    assert figure.layout.yaxis.ticktext[0] == "brightness 0"
    assert marks.x[0] == -0.5
    filled = [s == "circle" for s in marks.marker.symbol]
    assert filled == [s.significant for s in report if s.difference_score.defined]
    worse = [s.significantly_worse for s in report]
    assert worse == sorted(worse, reverse=True)
    assert sum(worse) == 2  # the darkest quarter is also the smallest
    assert marks.error_x.array[0] == pytest.approx(report[0].difference_score.high + 0.5)


def test_slices_beyond_the_longest_list_are_counted(report, monkeypatch):
    monkeypatch.setattr(plots, "MAX_SENTENCES", 1)
    assert plots.worse_in_words(report)[1:] == ["1 more slice is measurably worse; see the figure."]


def test_a_slice_without_images_or_without_a_rest_is_labeled(report, inks):
    figure = plots.differences(report, inks)
    rows = [list(figure.layout.yaxis.ticktext)[a.y] for a in figure.layout.annotations]
    assert rows == ["copy in Training: no", "copy in Training: yes"]
    assert {a.text for a in figure.layout.annotations} == {"not defined"}
    table = plots.table(report).set_index("slice")
    assert table.loc["copy in Training: yes", "accuracy"] == "not defined"
    assert table.loc["copy in Training: no", "p (Holm)"] == "not defined"


def test_parts_of_a_property_are_in_order_for_all_networks(report, inks):
    styles, names = network_styles({"a": "cnn", "b": "resnet50"}, LIGHT), {"a": "A", "b": "B"}
    figure = plots.by_property({"a": report, "b": report}, "brightness", styles, names, inks)
    assert [t.name for t in figure.data] == ["A", "B"]
    assert list(figure.data[0].y) == [0.5, 1, 1, 1]
    assert figure.layout.xaxis.ticktext[0] == "0<br>100"
    sizes = plots.by_property({"a": report}, "size", styles, names, inks)
    assert sizes.layout.xaxis.ticktext[3] == "15,000 to 19,950<br>100"
    copies = plots.by_property({"a": report}, "copy in Training", styles, names, inks)
    assert list(copies.data[0].y) == [0.875, None]
    assert [a.text for a in copies.layout.annotations] == ["not defined"]


def test_sentences_and_numbers_have_the_interval(report):
    words = plots.in_words(report[0])
    assert words.startswith("accuracy 0.500")
    assert "corrected p < 0.001" in words
    numbers = plots.numbers({"a": report})
    assert len(numbers) == len(report)
    assert numbers["significantly_worse"].sum() == 2
    assert numbers["difference_low"][0] == report[0].difference_score.low
    assert numbers.set_index(["column", "value"]).loc[("copy in Training", "yes"), "images"] == 0
