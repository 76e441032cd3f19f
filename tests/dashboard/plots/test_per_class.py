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
