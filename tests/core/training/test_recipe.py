import json

import pytest

from core.errors import RecipeError
from core.training.recipe import RECIPES, as_values, load_recipe, recipe_from


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda p: p.stem)
def test_every_shipped_recipe_is_valid_and_says_what_it_is(path):
    recipe = load_recipe(path.stem)
    assert recipe.name == path.stem
    assert recipe.summary


def test_an_unknown_key_is_refused_by_name():
    with pytest.raises(RecipeError, match="unknown recipe key learning_rat;"):
        recipe_from({"name": "a", "architecture": "cnn", "learning_rat": 1})
    with pytest.raises(RecipeError, match=r"unknown recipe key augmentation\.spin"):
        recipe_from({"name": "a", "architecture": "cnn", "augmentation": {"spin": 1}})


@pytest.mark.parametrize(
    "knobs",
    [
        {"class_weights": "balanced", "mixup": 0.2},
        {"class_weights": "balanced", "cutmix": 0.2},
        {"teachers": ["teacher_cnn"]},
        {"teachers_weight": 0.5},
        {"teachers": ["teacher_cnn"], "teachers_weight": 0.6, "votes_weight": 0.5},
        {"small_px": 32},
        {"target": "ferplus", "labels": "FER7"},
        {"epochs": 0},
        {"schedule": "sometimes"},
        {"ema": 1.0},
        {"augmentation": {"scale": [1.2, 0.8]}},
    ],
)
def test_contradictions_are_refused(knobs):
    with pytest.raises(RecipeError):
        recipe_from({"name": "a", "architecture": "cnn", **knobs})


def test_a_recipe_survives_the_card():
    recipe = load_recipe("fer_cnn")
    assert recipe_from(as_values(recipe)) == recipe
    assert recipe_from(json.loads(json.dumps(as_values(recipe)))) == recipe


def test_the_first_epochs_may_be_small():
    recipe = recipe_from({"name": "a", "architecture": "cnn", "epochs": 4, "small_px": 32, "small_part": 0.5})
    assert [recipe.side_px(epoch) for epoch in range(4)] == [32, 32, 48, 48]


def test_an_unknown_recipe_is_named_with_those_there_are():
    with pytest.raises(RecipeError, match=r"there is no recipe 'nothing'; shipped are .*fer_cnn"):
        load_recipe("nothing")


def test_broken_toml_is_named(tmp_path):
    broken = tmp_path / "broken.toml"
    broken.write_text("epochs = ")
    with pytest.raises(RecipeError, match="not valid TOML"):
        load_recipe(broken)
