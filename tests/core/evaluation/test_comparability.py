import numpy as np
import pytest

from core.errors import EvaluationError
from core.evaluation import comparable_groups, ensemble_run, map_to_common_labels
from core.labels import AFFECTNET8, FER7, FERPLUS8, PAIN6, LabelSet


def test_runs_are_grouped_by_classes_split_images_and_labels(make_run) -> None:
    fer = [make_run(seed=s) for s in range(3)]
    ferplus = [make_run(seed=s, labels=FERPLUS8) for s in (3, 4)]
    fewer_images = make_run(seed=5).select(np.arange(10))
    other_labels = make_run(seed=6, truth=(fer[0].truth + 1) % 7)
    validation = make_run(seed=7, split="val")
    groups = comparable_groups([validation, ferplus[0], fer[0], fewer_images, fer[1], other_labels, ferplus[1], fer[2]])
    names = [[run.model_id for run in group] for group in groups]
    assert names == [
        ["network_0", "network_1", "network_2"],
        ["network_3", "network_4"],
        ["network_7"],
        ["network_5"],
        ["network_6"],
    ]
    assert comparable_groups([]) == ()


def test_the_runs_of_a_group_have_the_same_image_in_each_row(make_run) -> None:
    shuffled = make_run(seed=1).select(np.random.default_rng(0).permutation(400))
    ((first, second),) = comparable_groups([make_run(), shuffled])
    np.testing.assert_array_equal(first.image_ids, second.image_ids)


def test_the_runs_of_a_group_have_the_same_class_in_each_column(make_run) -> None:
    ferplus, other = make_run(labels=FERPLUS8), make_run(seed=1, labels=FERPLUS8)
    ((first, second),) = comparable_groups([ferplus, other.mapped_to(AFFECTNET8)])
    assert first.labels == second.labels == FERPLUS8
    np.testing.assert_array_equal(second.logits, other.logits)
    np.testing.assert_array_equal(second.truth, first.truth)


def test_ferplus_is_mapped_to_fer2013_by_dropping_contempt(make_run) -> None:
    fer, ferplus = make_run(seed=0), make_run(seed=1, labels=FERPLUS8, temperature=1.3)
    common = map_to_common_labels([ferplus, fer])  # in any order
    assert common.labels == FER7
    assert dict(common.dropped_classes) == {"network_1": ("contempt",)}
    assert (dict(common.excluded), common.images_left_out) == ({}, 0)
    mapped = common.runs["network_1"]
    np.testing.assert_array_equal(mapped.truth, fer.truth)
    order = [FERPLUS8.index(c) for c in FER7.classes]
    expected = ferplus.probabilities[:, order] / (1 - ferplus.probabilities[:, [FERPLUS8.index("contempt")]])
    np.testing.assert_allclose(mapped.probabilities, expected, rtol=1e-6)
    both = ensemble_run(list(common.runs.values()))
    np.testing.assert_allclose(both.probabilities, (expected + fer.probabilities) / 2, atol=1e-6)


def test_all_networks_are_evaluated_on_the_images_of_a_mapped_network(make_run) -> None:
    # FER+ labels only images with a majority: its networks have no predictions for the others.
    ferplus = make_run(seed=1, labels=FERPLUS8)
    ferplus = ferplus.select(np.arange(400) % 10 != 0)
    a, b = make_run(seed=0), make_run(seed=2)
    common = map_to_common_labels([a, ferplus, b.select(np.random.default_rng(0).permutation(400))])
    assert common.images_left_out == 40
    assert list(common.runs) == ["network_0", "network_1", "network_2"]
    for run in common.runs.values():
        np.testing.assert_array_equal(run.image_ids, ferplus.image_ids)
        np.testing.assert_array_equal(run.truth, a.on_images(ferplus.image_ids).truth)


def test_the_same_classes_in_another_order_are_reordered(make_run) -> None:
    a, b = make_run(seed=0), make_run(seed=1)
    alphabetical = LabelSet("folder", tuple(sorted(FER7.classes)))
    truth = np.array([alphabetical.index(FER7.classes[t]) for t in b.truth])
    turned = b.mapped_to(alphabetical, truth=truth)
    common = map_to_common_labels([a, turned])
    assert not common.dropped_classes
    np.testing.assert_array_equal(common.runs["network_1"].logits, b.logits)


def test_networks_that_do_not_fit_are_excluded_by_name(make_run) -> None:
    a = make_run(seed=0)
    common = map_to_common_labels(
        [a, make_run(seed=1).select(np.arange(10)), make_run(seed=2, truth=(a.truth + 1) % 7)]
    )
    assert list(common.runs) == ["network_0"]
    assert "network_0 and network_1 were evaluated on different images" in common.excluded["network_1"]
    assert "network_0 and network_2 were evaluated against different labels" in common.excluded["network_2"]
    other_classes = map_to_common_labels([a, make_run(seed=3, labels=PAIN6)])
    assert list(other_classes.runs) == ["network_3"]  # six classes are fewer than seven
    assert "choose networks with the same classes" in other_classes.excluded["network_0"]
    elsewhere = make_run(seed=4, labels=FERPLUS8, image_ids=np.arange(400))
    assert "have no image in common" in map_to_common_labels([a, elsewhere]).excluded["network_4"]


def test_a_single_network_is_its_own_reference(make_run) -> None:
    alone = make_run(labels=FERPLUS8)
    common = map_to_common_labels([alone])
    assert list(common.runs.values()) == [alone]
    assert common.labels == FERPLUS8
    with pytest.raises(EvaluationError, match="at least one network"):
        map_to_common_labels([])
