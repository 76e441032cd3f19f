import pytest

from core.training import train
from tests.conftest import tiny_recipe
from tests.core.training.conftest import SMALL


@pytest.mark.parametrize("batch_size", [32, 96, 500])  # three, one and one step per epoch of 96 images
def test_the_average_of_the_weights_follows_the_training_of_a_small_data_set(image_folder, tmp_path, batch_size):
    recipe = tiny_recipe(epochs=4, model=SMALL, batch_size=batch_size, ema=0.99, ema_every=50)
    checkpoint = train(recipe, image_folder, runs=tmp_path / "runs", root=tmp_path / "out", val_only=True)
    assert checkpoint.history()["val_loss"].nunique() == 4  # that of the untrained network would not change
