import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.preprocessing import Preprocessing


def test_input_is_scaled_and_centered():
    tensor = Preprocessing(mean=0.5, std=0.25).to_tensor([np.full((48, 48), 255, np.uint8)])
    assert tensor.shape == (1, 1, 48, 48)
    assert torch.allclose(tensor, torch.tensor(2.0))


def test_a_frame_already_at_size_is_not_resampled():
    frame = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    assert (Preprocessing().to_input_image(frame) == frame).all()


@settings(deadline=None)
@given(
    crop=arrays(np.uint8, st.tuples(st.integers(1, 90), st.integers(1, 90), st.just(3))),
    channels=st.sampled_from([1, 3]),
    equalize=st.sampled_from(["none", "histogram", "clahe"]),
)
def test_any_crop_becomes_an_input_of_the_right_shape(crop, channels, equalize):
    preprocessing = Preprocessing(size_px=32, channels=channels, equalize=equalize)
    tensor = preprocessing.to_tensor([crop, crop[..., 0]])
    assert tensor.shape == (2, channels, 32, 32)
    assert torch.isfinite(tensor).all()


def test_no_crops_are_an_empty_batch():
    assert Preprocessing().to_tensor([]).shape == (0, 1, 48, 48)


def test_equalizing_spreads_a_flat_picture():
    flat = np.linspace(100, 120, 48 * 48).reshape(48, 48).astype(np.uint8)
    spread = Preprocessing(equalize="histogram").to_input_image(flat)
    assert spread.min() < 20
    assert spread.max() > 235


@pytest.mark.parametrize(
    "wrong", [{"size_px": 8}, {"size_px": 60_000}, {"channels": 2}, {"std": 0.0}, {"equalize": "magic"}]
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Preprocessing(**wrong)


@pytest.mark.parametrize("name", ["mean", "std"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_no_card_can_hold_are_refused(name, value):
    with pytest.raises(ValueError, match=f"{name} must be a finite"):
        Preprocessing(**{name: value})


def test_a_float_crop_is_refused():
    with pytest.raises(ValueError, match="uint8"):
        Preprocessing().to_input_image(np.zeros((48, 48)))
