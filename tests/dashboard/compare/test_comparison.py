"""How networks are grouped into comparisons, and what their images can be sliced by."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from core.checkpoints import Latency, list_checkpoints, load_checkpoint, save_card
from core.data import describe, image_facts, read
from core.labels import LabelSet
from dashboard import services
from dashboard.compare import ranking, slices
from dashboard.compare.comparison import build_comparisons
from dashboard.style import DARK


@pytest.fixture
def comparison(checkpoint_root):
    (found,), notes = build_comparisons(list_checkpoints(checkpoint_root).checkpoints, "test")
    assert not notes
    return found


@pytest.fixture
def root(checkpoint_root, tmp_path):
    """A copy of the networks that may be written to."""
    return shutil.copytree(checkpoint_root, tmp_path / "checkpoints")


def copied(root, source: str, run_id: str):
    """A copy of a network under another name."""
    shutil.copytree(root / source, root / run_id)
    card = load_checkpoint(root / source).card
    save_card(replace(card, run_id=run_id, title=run_id.capitalize()), root / run_id)


def test_networks_with_the_same_classes_and_images_are_one_comparison(comparison):
    assert list(comparison.all_runs) == [*comparison.runs, comparison.ensemble.model_id]
    assert list(comparison.runs) == ["tiny_cnn", "tiny_residual"]
    for mapping in (comparison.summaries, comparison.names, comparison.styles):
        assert list(mapping) == list(comparison.all_runs)
    mean = np.mean([run.probabilities for run in comparison.runs.values()], axis=0)
    assert comparison.ensemble.probabilities == pytest.approx(mean, abs=1e-5)
    assert comparison.protocol == "shapes test, n = 36."


def test_the_order_of_the_classes_does_not_matter(root, comparison):
    turned = load_checkpoint(root / "tiny_residual")
    labels = LabelSet("turned", turned.card.labels.classes[::-1])
    run = turned.evaluation("test").mapped_to(labels)
    run.save(turned.path / "predictions-test.parquet")
    save_card(replace(turned.card, labels=labels), turned.path)
    (found,), _ = build_comparisons(list_checkpoints(root).checkpoints, "test")
    assert found.labels == comparison.labels
    assert found.ensemble.probabilities == pytest.approx(comparison.ensemble.probabilities, abs=1e-5)
    again, _ = build_comparisons(list_checkpoints(root).checkpoints, "test")
    assert again[0].runs["tiny_residual"] is found.runs["tiny_residual"]  # results are cached by runs


def test_other_classes_are_a_comparison_of_their_own_and_nothing_is_mixed(fer_networks):
    copied(fer_networks, "tiny_cnn", "third")
    found, notes = build_comparisons(list_checkpoints(fer_networks).checkpoints, "test")
    assert not notes
    seven, eight = found
    assert (set(seven.runs), seven.labels.name, seven.n) == ({"tiny_cnn", "third"}, "FER7", 3589)
    assert (set(eight.runs), eight.labels.name, eight.n) == ({"tiny_residual"}, "FERPLUS8", 3153)
    assert seven.ensemble is not None
    assert eight.ensemble is None
    assert seven.key("bins") != eight.key("bins")
    assert seven.file_name("scores") != eight.file_name("scores")
    assert seven.title != eight.title


def test_two_groups_have_one_ensemble_each(fer_networks):
    copied(fer_networks, "tiny_cnn", "third")
    copied(fer_networks, "tiny_residual", "fourth")
    found, _ = build_comparisons(list_checkpoints(fer_networks).checkpoints, "test")
    assert [len(c.runs) for c in found] == [2, 2]
    assert [c.ensemble.labels.name for c in found] == [c.labels.name for c in found]


def test_the_same_rows_of_another_data_set_are_other_images(root):
    checkpoint = load_checkpoint(root / "tiny_cnn")
    save_card(replace(checkpoint.card, data=replace(checkpoint.card.data, title="Others")), checkpoint.path)
    found, _ = build_comparisons(list_checkpoints(root).checkpoints, "test")
    assert [c.data.title for c in found] == ["Others", "shapes"]


def test_other_images_are_a_comparison_of_their_own(root):
    copied(root, "tiny_residual", "third")
    run = load_checkpoint(root / "tiny_cnn").evaluation("test")
    run.select(run.truth != 0).save(root / "tiny_cnn" / "predictions-test.parquet")
    found, _ = build_comparisons(list_checkpoints(root).checkpoints, "test")
    assert [(set(c.runs), c.n) for c in found] == [({"tiny_residual", "third"}, 36), ({"tiny_cnn"}, 24)]


def test_a_network_without_predictions_is_named_and_left_out(root):
    (root / "tiny_residual" / "predictions-test.parquet").unlink()
    (found,), (note,) = build_comparisons(list_checkpoints(root).checkpoints, "test")
    assert list(found.runs) == ["tiny_cnn"]
    assert found.ensemble is None
    assert note.is_warning
    assert "tiny_residual has no stored predictions for the test split" in note.text


def test_an_ensemble_has_at_least_two_members_with_a_weight_above_0(checkpoint_root):
    checkpoints = list_checkpoints(checkpoint_root).checkpoints
    for weights in ({"tiny_cnn": 0.0, "tiny_residual": 0.5}, {"tiny_cnn": 0.0, "tiny_residual": 0.0}):
        (found,), _ = build_comparisons(checkpoints, "test", weights)
        assert found.ensemble is None
        assert "at least two networks with a weight above 0" in found.why_no_ensemble
    (found,), notes = build_comparisons(checkpoints, "test", with_ensemble=False)
    assert found.ensemble is None
    assert not found.weights
    assert "Turn on “Include ensemble”" in found.why_no_ensemble
    assert not notes
    (found,), _ = build_comparisons(checkpoints[:1], "test")
    assert "at least two networks with the same classes" in found.why_no_ensemble
    (found,), _ = build_comparisons(checkpoints, "test")
    assert found.ensemble is not None
    assert not found.why_no_ensemble


def test_unequal_weights_are_named(checkpoint_root):
    (found,), _ = build_comparisons(list_checkpoints(checkpoint_root).checkpoints, "test", {"tiny_cnn": 0.25})
    assert found.weights_sentence == "Weights of the ensemble: CNN 0.25, Residual CNN 1."
    assert found.names[found.ensemble.model_id] == "Weighted ensemble"


def test_styles_have_the_hues_of_the_page(checkpoint_root):
    (found,), _ = build_comparisons(list_checkpoints(checkpoint_root).checkpoints, "test", inks=DARK)
    assert found.styles["tiny_cnn"].color == DARK.hues[0]


def test_the_validation_split_is_named_as_optimistic(checkpoint_root):
    (found,), _ = build_comparisons(list_checkpoints(checkpoint_root).checkpoints, "val")
    assert "so its scores are optimistic" in found.use_of_split


def test_of_imported_networks_only_the_temperature_is_known_to_be_chosen(checkpoint_root):
    (found,), _ = build_comparisons(list_checkpoints(checkpoint_root).checkpoints, "val")
    checkpoints = {m: replace(c, card=replace(c.card, chosen_epoch=0)) for m, c in found.checkpoints.items()}
    imported = replace(found, checkpoints=checkpoints)
    assert "This split chose the temperature" in imported.use_of_split
    assert "epoch" not in imported.use_of_split
    assert "it is not known how" in replace(imported, split="test").use_of_split


def test_an_ensemble_costs_as_much_as_its_members_together(comparison):
    costs, missing = ranking.costs_of(comparison, ranking.PARAMETERS)
    of_members = {m: c.parameters for m, c in comparison.cards.items()}
    assert costs == of_members | {comparison.ensemble.model_id: sum(of_members.values())}
    assert missing == []
    measured = {m: Latency(ms, "here") for m, ms in (("tiny_cnn", 2.0), ("tiny_residual", 3.0))}
    costs, _ = ranking.costs_of(replace(comparison, milliseconds=measured), ranking.MILLISECONDS)
    assert costs[comparison.ensemble.model_id] == 5


def test_a_network_that_was_not_measured_is_named_and_its_ensemble_has_no_cost(comparison):
    measured = replace(comparison, milliseconds={"tiny_cnn": Latency(2.0, "here")})
    assert ranking.costs_of(measured, ranking.MILLISECONDS) == ({"tiny_cnn": 2.0}, ["tiny_residual"])
    (section,) = ranking.sections(measured, ranking.Options((ranking.COST,), costs=(ranking.MILLISECONDS,)))
    (note,) = section.notes
    assert note.text == "The milliseconds of Residual CNN have not been measured. Measure them in Scores, Overview."
    (section,) = ranking.sections(
        replace(comparison, milliseconds={}), ranking.Options((ranking.COST,), costs=(ranking.MILLISECONDS,))
    )
    assert not section.figures


def test_networks_without_weights_are_not_advised_to_be_measured(comparison):
    first, second = comparison.checkpoints.values()
    without = replace(second, card=replace(second.card, weights_shipped=False))
    found = replace(comparison, checkpoints={"tiny_cnn": first, "tiny_residual": without}, milliseconds={})
    (section,) = ranking.sections(found, ranking.Options((ranking.COST,), costs=(ranking.MILLISECONDS,)))
    assert [note.text for note in section.notes] == [
        "The milliseconds of CNN have not been measured. Measure them in Scores, Overview.",
        "The milliseconds of Residual CNN cannot be measured here, because the weights are not included.",
    ]


@pytest.fixture
def shapes(facts_folder, image_folder):
    """A table of facts about the generated images, where it is looked for."""
    facts = describe(read(image_folder))
    facts.save(facts_folder / f"shapes{image_facts.SUFFIX}")
    return facts


def test_images_are_sliced_by_their_table_of_facts(comparison, shapes):
    columns, notes = slices.slice_columns(comparison)
    test = shapes.at(next(iter(comparison.runs.values())).image_ids)
    assert np.allclose(columns["brightness"], test.brightness)
    assert set(columns) == {*slices.NUMBERS, "copy in train"}
    assert [n.text for n in notes] == ["shapes has no FER+ votes, so there are no slices by annotator agreement."]


def test_a_table_that_lacks_an_image_is_a_warning_and_copies_remain(comparison, shapes, facts_folder):
    shapes.at(shapes.ids[:3]).save(facts_folder / f"shapes{image_facts.SUFFIX}")
    columns, notes = slices.slice_columns(comparison)
    assert list(columns) == ["copy in train"]
    assert notes[0].is_warning
    assert "has no image" in notes[0].text


def test_slices_are_computed_again_only_for_other_runs_or_facts(comparison, shapes, facts_folder):
    reports, properties, _ = slices.slice_reports(comparison)
    assert slices.slice_reports(comparison)[0] is reports
    assert properties == [*slices.NUMBERS, "copy in train"]
    (facts_folder / f"shapes{image_facts.SUFFIX}").unlink()
    _, without_facts, notes = slices.slice_reports(comparison)
    assert without_facts == ["copy in train"]
    assert notes
    runs = {m: replace(run, copy_in_train=None) for m, run in comparison.runs.items()}
    assert slices.slice_reports(replace(comparison, runs=runs))[1] == []


def test_paired_tests_are_computed_once_for_the_same_runs(comparison):
    runs = list(comparison.runs.values())
    pairs = services.paired_tests(runs)
    assert services.paired_tests(runs) is pairs
    assert services.paired_tests([replace(run) for run in runs]) is not pairs
    assert [(p.first, p.second) for p in services.paired_tests(runs[::-1])] == [(pairs[0].second, pairs[0].first)]


def test_unknown_copies_are_named(comparison, facts_folder):
    runs = {m: replace(run, copy_in_train=None) for m, run in comparison.runs.items()}
    columns, notes = slices.slice_columns(replace(comparison, runs=runs))
    assert columns == {}
    assert "It is not known which images have a copy in train." in [n.text for n in notes]
