from dataclasses import replace

import numpy as np
import pytest

from core.data import describe, read
from core.errors import DataError
from dashboard.compare import findings
from dashboard.compare.stored_comparison import from_checkpoints


@pytest.fixture(scope="module")
def comparison(checkpoint_root):
    return from_checkpoints([], "test", checkpoint_root)[0]


@pytest.fixture(scope="module")
def facts(image_folder):
    return describe(read(image_folder))


def test_an_ensemble_costs_what_its_members_cost_together(comparison):
    costs, notes = findings.costs(comparison, findings.PARAMETERS)
    cards = comparison.cards
    assert costs == {m: c.parameters for m, c in cards.items()} | {
        "ensemble": sum(c.parameters for c in cards.values())
    }
    assert notes == []
    measured = replace(comparison, milliseconds={"tiny_cnn": 2.0, "tiny_residual": 3.0})
    assert findings.costs(measured, findings.MILLISECONDS)[0]["ensemble"] == 5


def test_a_network_that_could_not_be_measured_is_named_and_leaves_no_ensemble(comparison):
    measured = replace(comparison, milliseconds={"tiny_cnn": 2.0})
    costs, notes = findings.costs(measured, findings.MILLISECONDS)
    assert costs == {"tiny_cnn": 2.0}
    assert [n.text for n in notes] == ["Not measured, for want of weights that load: Residual CNN."]
    assert findings.costs(replace(comparison, milliseconds={}), findings.MILLISECONDS)[0] == {}


def test_statistics_come_from_a_table_of_the_same_runs_and_of_no_other(comparison, facts):
    runs = {m: comparison.runs[m] for m in ("tiny_cnn", "tiny_residual")}
    columns, notes = findings.slice_columns(runs, {"tiny_residual": facts})
    test = facts.at(runs["tiny_cnn"].image_ids)
    assert np.array_equal(columns["brightness"], test.brightness)
    assert [n.text for n in notes] == [f"The images of {facts.name} carry no FER+ votes: no slices by agreement."]
    columns, _ = findings.slice_columns(runs, {"left_out": facts})
    assert list(columns) == [findings.COPY]


def test_a_table_that_lacks_an_image_warns_and_the_copies_stay(comparison, facts):
    columns, notes = findings.slice_columns(comparison.runs, {"tiny_cnn": facts.at(facts.ids[:3])})
    assert list(columns) == [findings.COPY]
    assert notes[0].is_warning
    assert "has no image" in notes[0].text


def test_what_is_not_known_of_copies_is_said(comparison):
    run = replace(comparison.runs["tiny_cnn"], copy_in_train=None)
    columns, notes = findings.slice_columns({"tiny_cnn": run}, {})
    assert columns == {}
    assert [n.text for n in notes] == ["Which images have a copy in Training is not known."]


def test_a_majority_needs_votes(facts):
    with pytest.raises(DataError, match="carry no FER\\+ votes"):
        findings.label_against_majority(facts, "test")
