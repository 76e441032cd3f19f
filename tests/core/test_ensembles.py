import pytest

from core.checkpoints import check_run_id, list_checkpoints
from core.ensembles import ENSEMBLES, ensemble_of, with_members


def test_the_name_of_an_ensemble_stands_for_its_members():
    (ensemble, *_) = ENSEMBLES
    first, second = ensemble.members
    assert with_members([ensemble.name]) == [first, second]
    assert with_members([second, ensemble.name, "cnn"]) == [second, first, "cnn"]
    assert with_members(["cnn", "cnn"]) == ["cnn"]


def test_an_ensemble_is_recognized_by_its_members_in_any_order():
    (ensemble, *_) = ENSEMBLES
    assert ensemble_of(reversed(ensemble.members)) == ensemble
    assert ensemble_of(ensemble.members[:1]) is None
    assert ensemble_of([*ensemble.members, "cnn"]) is None


@pytest.mark.parametrize("ensemble", ENSEMBLES, ids=lambda e: e.name)
def test_members_are_installed_with_the_same_classes_and_the_name_is_taken(ensemble):
    installed = {c.card.run_id: c.card for c in list_checkpoints().with_weights}
    assert len({installed[member].labels for member in ensemble.members}) == 1
    with pytest.raises(ValueError, match="reserved"):
        check_run_id(ensemble.name)
