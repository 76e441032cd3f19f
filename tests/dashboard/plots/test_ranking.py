import numpy as np
import pytest

from core.evaluation import pr_curves, roc_curves, summarize, top_k
from dashboard.plots import ranking
from dashboard.style import LIGHT, class_color, network_styles

STYLES = network_styles({"one": "cnn", "two": "resnet50"}, LIGHT)
NAMES = {"one": "One", "two": "Two"}


@pytest.fixture
def runs(predicted_run):
    """The first is always correct; the second predicts b for one a. Class c has no image."""
    truth = [0, 0, 1, 1]
    return {"one": predicted_run(truth, truth, "one"), "two": predicted_run(truth, [0, 1, 1, 1], "two")}


def test_a_hue_denotes_a_class_and_the_mean_has_the_hue_of_the_network(runs, inks):
    of_networks = {m: roc_curves(r) for m, r in runs.items()}
    figure = ranking.curves(of_networks, ["macro", "a"], STYLES, NAMES, inks, "ROC")
    drawn = {line.name: line.line for line in figure.data[1:]}
    assert set(drawn) == {"a, One", "a, Two", "macro, One", "macro, Two"}
    assert drawn["a, One"].color == drawn["a, Two"].color == class_color("a")
    assert (drawn["macro, One"].color, drawn["macro, Two"].color) == (inks.hues[0], inks.hues[2])
    assert drawn["a, One"].dash != drawn["a, Two"].dash


@pytest.mark.parametrize(("kind", "of_run"), [("ROC", roc_curves), ("precision-recall", pr_curves)])
def test_a_perfect_ranking_has_an_area_of_one_and_an_absent_class_none(runs, inks, kind, of_run):
    of_networks = {m: of_run(r) for m, r in runs.items()}
    table = ranking.areas(of_networks, NAMES).set_index("class")
    assert table.loc["a", "One"].startswith("1.000")
    assert table.loc["c", "One"] == "not defined"
    assert not [t for t in ranking.curves(of_networks, ["c"], STYLES, NAMES, inks, kind).data if t.name]
    assert set(ranking.curve_numbers(of_networks, kind)["class"]) >= {"a", "b", "macro"}


def test_the_area_counted_by_hand(runs):
    # Scores for a: 0.8 and 0.1 where true, 0.1 and 0.1 where not: pairs won 1, 1, tied 1/2, 1/2 -> 3/4.
    table = ranking.areas({"two": roc_curves(runs["two"])}, NAMES).set_index("class")
    assert table.loc["a", "Two"].startswith("0.750")


def test_top_k_begins_with_accuracy_and_ends_with_one(runs, inks):
    scores = {m: top_k(r) for m, r in runs.items()}
    lines = ranking.top_k(scores, STYLES, NAMES, inks).data
    assert lines[1].y[0] == 0.75
    assert lines[1].y[-1] == 1
    assert len(ranking.top_k_numbers(scores)) == 6


def test_the_pareto_front_excludes_networks_that_are_worse_and_cost_more(runs, inks):
    summaries = {m: summarize(r) for m, r in runs.items()}
    costly = ranking.cost_numbers(summaries, {"one": 10.0, "two": 20.0})
    assert list(costly["pareto"]) == [True, False]
    both = ranking.cost_numbers(summaries, {"one": 10.0, "two": 5.0})
    assert list(both["pareto"]) == [True, True]
    figure = ranking.cost(summaries, {"one": 10.0, "two": 5.0}, STYLES, NAMES, inks, "parameters")
    assert np.allclose(figure.data[0].x, [5, 10])
    assert np.allclose(figure.data[0].y, [0.75, 1])
    assert figure.layout.xaxis.type == "log"


def test_a_cost_in_milliseconds_is_labeled_as_it_is(runs, inks):
    summaries = {m: summarize(r) for m, r in runs.items()}
    figure = ranking.cost(summaries, {"one": 2.5, "two": 12.0}, STYLES, NAMES, inks, "milliseconds")
    assert figure.layout.xaxis.ticktext == ("2", "5", "10")
