import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import RecipeError
from core.models import build_unfilled
from core.training.recipe import as_values, load_recipe, recipe_from, shipped_recipes
from core.training.targets import preprocessing_of

BASE = {"name": "a", "architecture": "cnn"}


@pytest.mark.parametrize("name", shipped_recipes())
def test_shipped_recipe_is_valid_and_has_a_summary(name):
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.summary
    preprocessing_of(recipe)
    assert build_unfilled(recipe.architecture, classes=7, channels=recipe.channels, options=recipe.model)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"learning_rat": 1}, r"unknown recipe key learning_rat; known keys: .*learning_rate"),
        ({"augmentation": {"spin": 1}}, r"unknown recipe key augmentation\.spin; known keys: brightness"),
        ({"epochs": "ten"}, "epochs: input should be a valid integer, got 'ten'"),
        ({"epochs": True}, "epochs: .*got True"),
        ({"epochs": 2.5}, r"epochs: .*got 2\.5"),
        ({"epochs": 0}, "epochs: input should be greater than 0, got 0"),
        ({"augmentation": {"erase": 2}}, r"augmentation\.erase: .*less than or equal to 1, got 2"),
        ({"augmentation": {"scale": [1]}}, r"augmentation\.scale"),
        ({"augmentation": {"scale": [1.2, 0.8]}}, "two positive factors, the first not larger than the second"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"equalize": "hist"}, "equalize: input should be 'none', 'histogram' or 'clahe', got 'hist'"),
        ({"labels": "FER9"}, "labels must be one of FER7, .*data, got 'FER9'"),
        ({"teachers": "cnn", "teachers_weight": 0.5}, "teachers"),
        ({"schedule": "sometimes"}, "schedule"),
        ({"ema": 1.0}, "ema"),
        ({"channels": 2}, "channels"),
        ({"class_weights": "balanced", "mixup": 0.2}, "class_weights contradicts mixup"),
        ({"class_weights": "balanced", "cutmix": 0.2}, "class_weights contradicts mixup"),
        ({"teachers": ["residual_cnn"]}, "belong together"),
        ({"teachers_weight": 0.5}, "belong together"),
        ({"teachers": ["residual_cnn"], "teachers_weight": 0.6, "votes_weight": 0.5}, "add up to at most 1"),
        ({"small_px": 32}, "belong together"),
        ({"target": "ferplus", "labels": "FER7"}, "needs labels"),
        ({"augmentation": {"saturation": 0.2}}, "needs channels = 3"),
        ({"name": "../../data"}, "name: a name must consist of"),
        ({"name": "ensemble"}, "reserved"),
        ({"seed": 5_000_000_000}, "seed: input should be less than 4294967296"),
        ({"size_px": 60_000}, "size_px: input should be less than or equal to 1024"),
        ({"name": ""}, "name: a name must consist of"),
    ],
)
def test_wrong_or_contradictory_option_is_reported_in_one_sentence(values, message):
    with pytest.raises(RecipeError, match=message) as caught:
        recipe_from({**BASE, **values})
    assert "\n" not in str(caught.value)


@given(
    st.dictionaries(
        st.sampled_from(sorted(as_values(recipe_from(BASE)))),
        st.one_of(st.none(), st.text(), st.lists(st.floats()), st.integers(), st.floats(), st.booleans()),
    )
)
def test_any_value_gives_a_recipe_or_a_recipe_error(values):
    try:
        recipe = recipe_from({**BASE, **values})
    except RecipeError:
        return
    assert recipe_from(json.loads(json.dumps(as_values(recipe)))) == recipe


def test_recipe_survives_the_card():
    recipe = load_recipe("cnn")
    assert recipe_from(as_values(recipe)) == recipe
    assert recipe_from(json.loads(json.dumps(as_values(recipe)))) == recipe


def test_first_epochs_may_be_small():
    recipe = recipe_from({**BASE, "epochs": 4, "small_px": 32, "small_part": 0.5})
    assert [recipe.side_px(epoch) for epoch in range(4)] == [32, 32, 48, 48]


def test_unknown_recipe_is_named_with_the_shipped_ones():
    with pytest.raises(RecipeError, match=r"there is no recipe 'nothing'; shipped recipes: .*cnn"):
        load_recipe("nothing")


def test_broken_toml_is_named(tmp_path):
    broken = tmp_path / "broken.toml"
    broken.write_text("epochs = ")
    with pytest.raises(RecipeError, match="not valid TOML"):
        load_recipe(broken)


def test_the_three_compared_networks_have_one_recipe():
    own = {"name", "architecture", "summary", "model", "batch_size", "learning_rate"}
    trio = [as_values(load_recipe(name)) for name in ("cnn", "residual_cnn", "resnet50")]
    shared = [{k: v for k, v in values.items() if k not in own} for values in trio]
    assert shared[0] == shared[1] == shared[2]
    assert all(not values["start"] and not values["teachers"] for values in trio)
