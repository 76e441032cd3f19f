import numpy as np
import pytest

from core.data import ferplus_majority
from core.evaluation import AnnotatorComparison, AnnotatorVotes, Score, compare_with_annotators, label_against_majority
from core.evaluation.intervals import UNDEFINED
from core.labels import FER7, FERPLUS8
from dashboard.plots import annotators as plots
from dashboard.style import LIGHT, network_styles

HAPPY, SAD = FERPLUS8.index("happy"), FERPLUS8.index("sad")


@pytest.fixture
def results(predicted_run):
    """Two networks on four faces: 10, 6 and 5 annotators of ten agree; the last face has no votes."""
    votes = np.zeros((4, 10), int)
    votes[0, HAPPY] = 10
    votes[1, [HAPPY, SAD]] = 6, 4
    votes[2, [HAPPY, SAD]] = 5, 5
    truth = np.array([FER7.index("happy")] * 4)
    wrong = np.array([FER7.index("sad")] * 4)

    def run_with(predicted, model_id):
        logits = np.full((4, 7), -3.0)
        logits[np.arange(4), predicted] = 2
        return predicted_run(truth, [0] * 4, model_id, labels=FER7, logits=logits)

    of_images = AnnotatorVotes(votes, ferplus_majority(votes))
    return {m: compare_with_annotators(run_with(p, m), of_images) for m, p in (("good", truth), ("bad", wrong))}


NAMES = {"good": "Good", "bad": "Bad"}
STYLES = network_styles({"good": "cnn", "bad": "resnet50"}, LIGHT)


def test_each_network_is_drawn_with_the_references_of_the_annotators(results, inks):
    figure = plots.marks(results, STYLES, NAMES, inks, plots.AGREEMENT)
    people, favorite, good, bad = figure.data
    assert (people.name, favorite.name) == ("another annotator", "most frequent vote")
    assert good.x[0] == pytest.approx(0.7)  # 1, 0.6 and 0.5
    assert bad.x[0] == pytest.approx(0.3)
    assert list(favorite.x) == pytest.approx([0.7, 0.7])
    assert (good.marker.symbol, bad.marker.symbol) == ("circle", "diamond")
    assert list(figure.layout.yaxis.ticktext) == ["Good", "Bad"]
    limit, *_ = plots.marks(results, STYLES, NAMES, inks, plots.CROSS_ENTROPY).data
    assert limit.x[0] < plots.marks(results, STYLES, NAMES, inks, plots.CROSS_ENTROPY).data[1].x[0]


def test_groups_without_images_are_not_defined_in_figure_and_numbers(results, inks):
    assert plots.agreement_steps(results) == [5, 6, 7, 8, 9, 10]
    figure = plots.by_agreement(results, STYLES, NAMES, inks, plots.LABEL)
    assert list(figure.data[0].y) == [1.0, 1.0, None, None, None, 1.0]
    assert [a.text for a in figure.layout.annotations] == ["not defined"] * 3
    assert figure.data[0].customdata[2][0] == "not defined"
    # Five against five is no majority.
    majority = plots.by_agreement(results, STYLES, NAMES, inks, plots.MAJORITY)
    assert majority.data[1].y[:2] == (None, 0.0)
    numbers = plots.group_numbers(results).set_index(["network", "share_up_to", "against"])
    assert numbers.loc[("good", 0.7, plots.LABEL), "value"] is None or np.isnan(
        numbers.loc[("good", 0.7, plots.LABEL), "value"]
    )
    assert numbers.loc[("bad", 1.0, plots.MAJORITY), "value"] == 0


def test_a_network_without_votes_is_labeled_not_defined(inks):
    nothing = AnnotatorComparison(UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED, ())
    figure = plots.marks({"good": nothing}, STYLES, NAMES, inks, plots.AGREEMENT)
    assert [a.text for a in figure.layout.annotations] == ["not defined"]
    assert plots.table({"good": nothing}, NAMES)["agreement with an annotator"][0] == "not defined"
    assert plots.by_agreement({"good": nothing}, STYLES, NAMES, inks, plots.LABEL).data[0].y == (None,)


def test_agreement_is_the_diagonal_of_the_label_matrix(inks):
    votes = np.eye(10, dtype=int)[[FERPLUS8.index(c) for c in FER7.classes] + [FERPLUS8.index("contempt")]] * 10
    matrix = label_against_majority(FER7, np.array([*range(7), FER7.index("sad")]), ferplus_majority(votes))
    figure = plots.label_matrix(matrix, inks)
    heat = figure.data[0]
    assert list(heat.x) == [*FER7.classes, "contempt", "no majority"]
    counts = np.array([[int(t) for t in row] for row in heat.text])
    np.testing.assert_array_equal(counts[:, :7], np.eye(7, dtype=int))
    assert counts[FER7.index("sad"), 7] == 1
    assert plots.matrix_numbers(matrix)["images"].sum() == 8


def test_a_label_without_images_is_labeled_not_defined(inks):
    votes = np.zeros((1, 10), int)
    votes[0, HAPPY] = 10
    figure = plots.label_matrix(
        label_against_majority(FER7, np.array([FER7.index("happy")]), ferplus_majority(votes)), inks
    )
    assert {a.y for a in figure.layout.annotations} == set(FER7.classes) - {"happy"}


def test_numbers_are_unrounded(results):
    numbers = plots.numbers(results).set_index(["network", "score"])
    assert numbers.loc[("good", "agreement"), "value"] == results["good"].network.value
    assert set(numbers.columns) >= {"value", "low", "high", "n"}
    assert isinstance(results["good"].network, Score)
