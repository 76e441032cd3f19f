import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.faces.scaling import resized


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_an_image_of_the_requested_size_is_returned_as_it_is():
    image = noise(30, 40)
    assert resized(image, 40, 30) is image


def test_a_power_of_two_averages_all_pixels():
    image = noise(64, 96)
    averages = image.reshape(16, 4, 24, 4, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(resized(image, 24, 16), averages, atol=1.5)  # each of two halvings rounds


@pytest.mark.parametrize("factor", [2, 2.6, 3.9, 5.7])
def test_shrinking_by_two_or_more_does_not_alias_stripes_of_one_pixel(factor):
    # Stripes of one pixel are finer than the result can show: they must become gray, not wider stripes.
    stripes = np.zeros((400, 400, 3), np.uint8)
    stripes[:, ::2] = 255
    size = round(400 / factor)
    spread = resized(stripes, size, size)[2:-2, 2:-2].astype(float).std()
    averaged = cv2.resize(stripes, (size, size), interpolation=cv2.INTER_AREA)[2:-2, 2:-2].astype(float).std()
    assert spread <= averaged + 12


@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 90), st.integers(1, 90))
def test_every_size_is_reached_and_a_uniform_image_stays_uniform(height, width, rows, columns):
    image = np.full((height, width, 3), 77, np.uint8)
    np.testing.assert_array_equal(resized(image, columns, rows), np.full((rows, columns, 3), 77))


def test_positions_are_kept_to_less_than_a_pixel_of_the_result():
    image = np.zeros((1601, 1601, 3), np.uint8)
    cv2.circle(image, (1200, 400), 40, (255, 255, 255), -1)
    small = resized(image, 512, 512)[..., 0].astype(float)
    y, x = np.indices(small.shape)
    center = np.array([(x * small).sum(), (y * small).sum()]) / small.sum() + 0.5
    np.testing.assert_allclose(center, np.array([1200.5, 400.5]) * 512 / 1601, atol=0.5)
