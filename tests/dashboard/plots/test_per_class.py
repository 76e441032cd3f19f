from core.evaluation import per_class
from dashboard.plots import per_class as plots
from dashboard.style import LIGHT, class_color, network_styles


def test_a_hue_denotes_a_class_and_a_class_without_images_has_no_mark(predicted_run, inks):
    runs = {m: predicted_run([0, 0, 1], [0, 1, 1], m) for m in ("one", "two")}
    scores = {m: per_class(run) for m, run in runs.items()}
    styles = network_styles({"one": "cnn", "two": "resnet50"}, LIGHT)
    figure = plots.marks(scores, styles, {"one": "One", "two": "Two"}, inks, plots.RECALL)
    one = figure.data[0]
    assert list(one.x) == [0.5, 1.0, None]
    assert list(one.marker.color) == [class_color(c) for c in "abc"]
    assert {t.marker.symbol for t in figure.data} == {"circle", "diamond"}
    table = plots.table(scores, {"one": "One", "two": "Two"})
    assert table["recall"].tolist()[2] == "not defined"
    assert len(plots.numbers(scores)) == 2 * 3 * 3


def test_the_marks_of_many_networks_stay_in_the_row_of_their_class(predicted_run, inks):
    names = {f"network {number}": f"Network {number}" for number in range(9)}
    scores = {m: per_class(predicted_run([0, 1, 2], [0, 1, 2], m)) for m in names}
    figure = plots.marks(scores, network_styles(dict.fromkeys(names, "cnn"), LIGHT), names, inks, plots.RECALL)
    heights = [y for t in figure.data if len(t.y) == 3 for y in (t.y[0],)]
    assert len(heights) == 9
    assert -0.45 < min(heights) < max(heights) < 0.45
