import numpy as np
import pytest

from core.evaluation import pr_curves, roc_curves, summarize, top_k
from dashboard.plots import ranking
from dashboard.style import Form, class_color

FORMS = {"one": Form("dot", "circle"), "two": Form("solid", "diamond", 3.0)}
NAMES = {"one": "One", "two": "Two"}


@pytest.fixture
def runs(answering):
    """The first is always right; the second takes one a for b. Class c has no image."""
    truth = [0, 0, 1, 1]
    return {"one": answering(truth, truth, "one"), "two": answering(truth, [0, 1, 1, 1], "two")}


def test_hue_is_the_class_and_line_style_the_network(runs, inks):
    of_networks = {m: roc_curves(r) for m, r in runs.items()}
    figure = ranking.curves(of_networks, ["macro", "a"], FORMS, NAMES, inks, "ROC")
    drawn = {line.name: line.line for line in figure.data[1:]}
    assert set(drawn) == {"a, One", "a, Two", "macro, One", "macro, Two"}
    assert drawn["a, One"].color == drawn["a, Two"].color == class_color("a")
    assert drawn["macro, One"].color == inks.text
    assert drawn["a, One"].dash != drawn["a, Two"].dash


@pytest.mark.parametrize(("kind", "of_run"), [("ROC", roc_curves), ("precision-recall", pr_curves)])
def test_a_perfect_ranking_has_an_area_of_one_and_an_absent_class_none(runs, inks, kind, of_run):
    of_networks = {m: of_run(r) for m, r in runs.items()}
    table = ranking.areas(of_networks, NAMES).set_index("class")
    assert table.loc["a", "One"].startswith("1.000")
    assert table.loc["c", "One"] == "not defined"
    assert not [t for t in ranking.curves(of_networks, ["c"], FORMS, NAMES, inks, kind).data if t.name]
    assert set(ranking.curve_numbers(of_networks, kind)["class"]) >= {"a", "b", "macro"}


def test_the_area_counted_by_hand(runs):
    # Scores for a: 0.8 and 0.1 where true, 0.1 and 0.1 where not: pairs won 1, 1, tied 1/2, 1/2 -> 3/4.
    table = ranking.areas({"two": roc_curves(runs["two"])}, NAMES).set_index("class")
    assert table.loc["a", "Two"].startswith("0.750")


def test_top_k_begins_with_accuracy_and_ends_with_one(runs, inks):
    scores = {m: top_k(r) for m, r in runs.items()}
    lines = ranking.top_k(scores, FORMS, NAMES, inks).data
    assert lines[1].y[0] == 0.75
    assert lines[1].y[-1] == 1
    assert len(ranking.top_k_numbers(scores)) == 6


def test_the_pareto_line_leaves_out_what_is_worse_and_dearer(runs, inks):
    summaries = {m: summarize(r) for m, r in runs.items()}
    dear = ranking.cost_numbers(summaries, {"one": 10.0, "two": 20.0})
    assert list(dear["pareto"]) == [True, False]
    both = ranking.cost_numbers(summaries, {"one": 10.0, "two": 5.0})
    assert list(both["pareto"]) == [True, True]
    figure = ranking.cost(summaries, {"one": 10.0, "two": 5.0}, FORMS, NAMES, inks, "parameters")
    assert np.allclose(figure.data[0].x, [5, 10])
    assert np.allclose(figure.data[0].y, [0.75, 1])
    assert figure.layout.xaxis.type == "log"


def test_a_cost_in_milliseconds_is_labeled_as_it_is(runs, inks):
    summaries = {m: summarize(r) for m, r in runs.items()}
    figure = ranking.cost(summaries, {"one": 2.5, "two": 12.0}, FORMS, NAMES, inks, "milliseconds")
    assert figure.layout.xaxis.ticktext == ("2", "5", "10")
