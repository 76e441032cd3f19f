import pytest
import torch
from torch import nn

from core.training.recipe import Recipe
from core.training.schedules import WeightAverage, learning_rate_at, make_optimizer, plateau_factor


def recipe(**options):
    return Recipe(name="r", architecture="cnn", learning_rate=1.0, **options)


def test_one_cycle_rises_to_its_peak_and_falls_to_zero():
    rates = [learning_rate_at(recipe(schedule="one_cycle", warmup=0.2), step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(1 / 25)
    assert max(rates) == pytest.approx(1.0)
    assert rates.index(max(rates)) == 20
    assert rates[-1] < 0.002


def test_warmup_is_followed_by_a_cosine():
    rates = [learning_rate_at(recipe(schedule="warmup_cosine", warmup=0.1), step, 100) for step in range(100)]
    assert rates[0] == 0
    assert rates[5] == pytest.approx(0.5)
    assert rates[55] == pytest.approx(0.5)


def test_plateau_halves_the_rate_after_three_epochs_without_a_lower_loss():
    assert plateau_factor([3, 2, 1]) == 1.0
    assert plateau_factor([1, 2, 2, 2]) == 0.5
    assert plateau_factor([1, 2, 2, 2, 2, 2, 2]) == 0.25
    assert plateau_factor([1, 2, 2, 0.5, 2]) == 1.0


def test_weight_decay_is_not_applied_to_norms_and_biases():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    groups = make_optimizer(network, recipe(weight_decay=0.3)).param_groups
    assert [g["weight_decay"] for g in groups] == [0.3, 0.0]
    assert [len(g["params"]) for g in groups] == [1, 3]


def test_average_lies_between_old_and_new_weights():
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    average = WeightAverage(network, decay=0.9)
    nn.init.ones_(network.weight)
    average.update(network)
    # The first step keeps 1/10 of the start: min(0.9, 1/10).
    assert average.network.weight.item() == pytest.approx(0.9)
    assert not any(p.requires_grad for p in average.network.parameters())


def test_average_copies_counters():
    network = nn.BatchNorm2d(2)
    average = WeightAverage(network, decay=0.5)
    network(torch.randn(4, 2, 3, 3))
    average.update(network)
    assert average.network.num_batches_tracked == 1


def test_sgd_has_the_recipes_momentum():
    network = nn.Linear(2, 2)
    plain = make_optimizer(network, recipe(optimizer="sgd", momentum=0.0)).param_groups[0]
    assert (plain["momentum"], plain["nesterov"]) == (0.0, False)
    usual = make_optimizer(network, recipe(optimizer="sgd")).param_groups[0]
    assert (usual["momentum"], usual["nesterov"]) == (0.9, True)
