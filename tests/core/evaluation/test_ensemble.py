import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core.errors import EvaluationError
from core.evaluation import EvaluationRun, ensemble_run, error_table, mirror_averaged
from core.labels import FERPLUS8, LabelSet

TWO = LabelSet("two", ("no", "yes"))


def test_an_ensemble_is_the_mean_of_probabilities_each_at_its_own_temperature(make_run) -> None:
    a, b = make_run(seed=0, temperature=0.7), make_run(seed=1, temperature=2.0)
    mean = ensemble_run([a, b])
    np.testing.assert_allclose(mean.probabilities, (a.probabilities + b.probabilities) / 2, atol=1e-6)
    assert (mean.model_id, mean.temperature, len(mean)) == ("ensemble", 1.0, 400)
    weighted = ensemble_run([a, b], [3, 1], model_id="both")
    np.testing.assert_allclose(weighted.probabilities, 0.75 * a.probabilities + 0.25 * b.probabilities, atol=1e-6)


def test_an_ensemble_pairs_its_members_and_knows_their_copies(make_run) -> None:
    a, b = make_run(seed=0, copy_in_train=None), make_run(seed=1)
    shuffled = b.select(np.random.default_rng(0).permutation(400))
    np.testing.assert_allclose(ensemble_run([a, shuffled]).logits, ensemble_run([a, b]).logits)
    np.testing.assert_array_equal(ensemble_run([a, shuffled]).copy_in_train, b.copy_in_train)


def test_a_member_without_weight_changes_nothing(make_run) -> None:
    a, b = make_run(seed=0), make_run(seed=1)
    np.testing.assert_allclose(ensemble_run([a, b], [1, 0]).probabilities, a.probabilities, atol=1e-6)


def test_members_that_cannot_be_paired_are_refused(make_run) -> None:
    a = make_run(seed=0)
    with pytest.raises(EvaluationError, match="FERPLUS8"):
        ensemble_run([a, make_run(seed=1, labels=FERPLUS8)])
    with pytest.raises(EvaluationError, match="different images"):
        ensemble_run([a, make_run(seed=1).select(np.arange(10))])
    for weights in ([1.0], [0.0, 0.0], [1.0, -1.0], [1.0, float("nan")]):
        with pytest.raises(EvaluationError, match="expected 2 weights, one per member"):
            ensemble_run([a, make_run(seed=1)], weights)
    with pytest.raises(EvaluationError, match="at least one network"):
        ensemble_run([])


logits_of_any_size = hnp.arrays(np.float32, (4, 3), elements=st.floats(-(2.0**100), 2.0**100, width=32))


@given(logits_of_any_size, logits_of_any_size)
@settings(max_examples=60, deadline=None)
def test_any_finite_logits_give_an_ensemble(first, second) -> None:
    labels = LabelSet("letters", ("a", "b", "c"))
    runs = [EvaluationRun("m", "test", labels, np.arange(4), np.zeros(4, int), logits) for logits in (first, second)]
    ensemble = ensemble_run(runs)
    np.testing.assert_allclose(ensemble.probabilities.sum(axis=1), 1, rtol=1e-6)
    assert np.isfinite(error_table(ensemble)["loss"]).all()


def test_the_mirrored_average_is_the_mean_of_two_probabilities() -> None:
    image, mirror = np.array([[0, np.log(3)]]), np.array([[0, -np.log(3)]])
    run = EvaluationRun("m", "test", TWO, np.array([5]), np.array([1]), image, mirrored=mirror)
    np.testing.assert_allclose(mirror_averaged(run).probabilities, [[0.5, 0.5]], rtol=1e-6)
    np.testing.assert_allclose(mirror_averaged(ensemble_run([run, run])).probabilities, [[0.5, 0.5]], rtol=1e-6)


def test_the_mirrored_average_needs_predictions_for_mirror_images(make_run) -> None:
    with pytest.raises(EvaluationError, match="needs predictions for the mirror images"):
        mirror_averaged(make_run())
