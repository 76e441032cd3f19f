import math
from dataclasses import replace

import numpy as np
import pytest

from core.checkpoints import Latency, ModelCard
from core.evaluation import Score, summarize
from core.evaluation.intervals import UNDEFINED
from dashboard.plots import scores


@pytest.fixture
def summaries(predicted_run):
    """The first network is correct on 40 of 40 images, the second on 39, the third on 10."""
    truth = [0] * 40
    return {
        m: summarize(predicted_run(truth, [0] * n + [1] * (40 - n), m)) for m, n in (("a", 40), ("b", 39), ("c", 10))
    }


def test_the_best_and_those_that_overlap_with_it_are_marked(summaries):
    bold = scores.best(summaries, ["network", "accuracy", "NLL"])
    assert bold[:, 0].tolist() == [False] * 3
    assert bold[:, 1].tolist() == [True, True, False]
    assert bold[:, 2].tolist() == [True, True, False]  # lower is better


@pytest.mark.parametrize("position", [0, 1])
def test_an_undefined_score_does_not_hide_the_best_one(summaries, position):
    undefined = list(summaries)[position]
    summaries[undefined] = replace(summaries[undefined], accuracy=UNDEFINED)
    bold = scores.best(summaries, ["accuracy"])[:, 0]
    assert not bold[position]
    assert bold[1 - position]


def test_a_best_score_without_an_interval_is_marked_alone(summaries):
    summaries["a"] = replace(summaries["a"], accuracy=Score(1.0, n=40))
    assert scores.best(summaries, ["accuracy"])[:, 0].tolist() == [True, False, False]


def test_no_column_is_marked_where_nothing_is_defined(summaries):
    nothing = {m: replace(s, accuracy=UNDEFINED) for m, s in summaries.items()}
    assert not scores.best(nothing, ["accuracy"]).any()


def test_a_row_has_intervals_and_an_ensemble_the_costs_of_its_members(summaries, checkpoint):
    card = checkpoint.card
    other = replace(card, run_id="other", parameters=card.parameters + 1_000_000)
    members = {"a": [card], "b": [other], "c": [card, other]}
    milliseconds = {card.run_id: Latency(2.0, "here"), "other": Latency(3.5, "here")}
    table = scores.scores(summaries, members, {m: m.upper() for m in summaries}, milliseconds).set_index("network")
    assert table.loc["C", "ms per face"] == "5.5"
    elsewhere = milliseconds | {"other": Latency(3.5, "elsewhere")}
    mixed = scores.scores(summaries, members, {m: m.upper() for m in summaries}, elsewhere).set_index("network")
    assert mixed.loc["C", "ms per face"] == "not measured on the same hardware"
    million = [float(p.removesuffix("\u00a0M")) for p in table["parameters"]]
    assert million[2] == pytest.approx(million[0] + million[1], abs=0.011)
    value = summaries["c"].accuracy
    assert table.loc["C", "accuracy"] == str(value)  # with both bounds where one is farther away than the other
    assert table.loc["C", "without copies"] == "not defined"
    assert (
        scores.scores(summaries, members, dict.fromkeys(summaries, ""), {})["ms per face"].tolist()
        == ["not measured"] * 3
    )


def test_the_file_has_one_row_per_score_with_its_bounds(summaries):
    table = scores.score_numbers(summaries).set_index(["network", "score"])
    assert table.loc[("a", "accuracy"), "low"] == summaries["a"].accuracy.low
    assert not math.isnan(table.loc[("c", "ece"), "value"])


def test_installed_networks_show_the_test_scores_of_their_cards(checkpoint):
    table = scores.installed([checkpoint.card], {checkpoint.card.run_id: "CNN"})
    assert table["accuracy"][0].startswith(f"{checkpoint.card.metrics['test'].accuracy.value:.3f}")
    assert np.array_equal(table["network"], ["CNN"])


def test_installed_ensembles_have_no_sum_of_times_of_different_hardware(checkpoint, summaries):
    first = replace(checkpoint.card, milliseconds=Latency(2.0, "here"))

    def milliseconds(hardware: str) -> str:
        second = replace(first, run_id="other", milliseconds=Latency(3.5, hardware))
        names = {first.run_id: "CNN", "other": "Other"}
        both = scores.EnsembleScore("Both", [first, second], summaries["a"])
        return scores.installed([first, second], names, [both])["ms per face"].iloc[-1]

    assert milliseconds("here") == "5.5"
    assert milliseconds("elsewhere") == "not measured on the same hardware"


def test_the_terms_of_each_data_set_are_stated_once(checkpoint):
    def trained_on(title: str, terms: str) -> ModelCard:
        return replace(checkpoint.card, data=replace(checkpoint.card.data, title=title, license=terms, limits="Gray."))

    cards = [trained_on("A", "Free."), trained_on("A", "Free."), trained_on("B", "Free."), trained_on("C", "Paid.")]
    assert scores.terms_of_use(cards) == [
        "Networks trained on A and B: Free. Gray.",
        "Networks trained on C: Paid. Gray.",
    ]
    assert not any("Gray." in scores.card_summary(card) for card in cards)
    assert scores.terms_of_use([replace(cards[0], chosen_epoch=0)]) == []  # imported: trained on unknown data
