import numpy as np
import pytest

from core.errors import EvaluationError
from core.evaluation import ensemble_run, on_one_label_set
from core.labels import FER7, FERPLUS8, PAIN6, LabelSet


def test_ferplus_joins_fer2013_without_contempt_and_renormalized(make_run) -> None:
    fer, ferplus = make_run(seed=0), make_run(seed=1, labels=FERPLUS8, temperature=1.3)
    members = on_one_label_set([ferplus, fer])  # whichever comes first
    assert members.labels == FER7
    assert dict(members.dropped) == {"network_1": ("contempt",)}
    assert (dict(members.refused), members.left_out) == ({}, 0)
    mapped = members.runs["network_1"]
    np.testing.assert_array_equal(mapped.truth, fer.truth)
    order = [FERPLUS8.index(c) for c in FER7.classes]
    expected = ferplus.probabilities[:, order] / (1 - ferplus.probabilities[:, [FERPLUS8.index("contempt")]])
    np.testing.assert_allclose(mapped.probabilities, expected, rtol=1e-6)
    both = ensemble_run(list(members.runs.values()))
    np.testing.assert_allclose(both.probabilities, (expected + fer.probabilities) / 2, atol=1e-6)


def test_all_are_scored_on_the_images_that_a_mapped_network_answered(make_run) -> None:
    # FER+ keeps a majority label only: its networks have no answers for the other images.
    ferplus = make_run(seed=1, labels=FERPLUS8)
    ferplus = ferplus.select(np.arange(400) % 10 != 0)
    a, b = make_run(seed=0), make_run(seed=2)
    members = on_one_label_set([a, ferplus, b.select(np.random.default_rng(0).permutation(400))])
    assert members.left_out == 40
    assert list(members.runs) == ["network_0", "network_1", "network_2"]
    for run in members.runs.values():
        np.testing.assert_array_equal(run.image_ids, ferplus.image_ids)
        np.testing.assert_array_equal(run.truth, a.on_images(ferplus.image_ids).truth)


def test_the_same_classes_in_another_order_lose_nothing(make_run) -> None:
    a, b = make_run(seed=0), make_run(seed=1)
    alphabetical = LabelSet("folder", tuple(sorted(FER7.classes)))
    truth = np.array([alphabetical.index(FER7.classes[t]) for t in b.truth])
    turned = b.mapped_to(alphabetical, truth=truth)
    members = on_one_label_set([a, turned])
    assert not members.dropped
    np.testing.assert_array_equal(members.runs["network_1"].logits, b.logits)


def test_networks_that_do_not_fit_are_refused_by_name(make_run) -> None:
    a = make_run(seed=0)
    members = on_one_label_set([a, make_run(seed=1).select(np.arange(10)), make_run(seed=2, truth=(a.truth + 1) % 7)])
    assert list(members.runs) == ["network_0"]
    assert "network_0 and network_1 answered different images" in members.refused["network_1"]
    assert "network_0 and network_2 were scored against different labels" in members.refused["network_2"]
    other_classes = on_one_label_set([a, make_run(seed=3, labels=PAIN6)])
    assert list(other_classes.runs) == ["network_3"]  # six classes are fewer than seven
    assert "choose networks with the same classes" in other_classes.refused["network_0"]
    elsewhere = make_run(seed=4, labels=FERPLUS8, image_ids=np.arange(400))
    assert "have no image in common" in on_one_label_set([a, elsewhere]).refused["network_4"]


def test_one_network_is_its_own_reference_and_none_is_an_error(make_run) -> None:
    alone = make_run(labels=FERPLUS8)
    members = on_one_label_set([alone])
    assert list(members.runs.values()) == [alone]
    assert members.labels == FERPLUS8
    with pytest.raises(EvaluationError, match="at least one network"):
        on_one_label_set([])
