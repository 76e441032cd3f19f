import numpy as np
import pytest

from core.explain import overlay
from core.faces import Box, CropMargin, Face, points_in_crop
from core.inference import overlay_on_photo

GRAY = np.full((300, 400, 3), 128, np.uint8)


def test_the_result_is_the_crop_of_an_upright_face_at_the_resolution_of_the_photo():
    face = Face(Box(100, 50, 120, 120), score=1.0)
    heatmap = np.zeros((6, 6), np.float32)
    heatmap[0, :3] = 1.0
    picture = overlay_on_photo(GRAY, face, CropMargin(), heatmap)
    assert picture.shape == (120, 120, 3)
    difference = np.abs(picture.astype(int) - overlay(GRAY[:120, :120], heatmap).astype(int))
    assert difference.max() <= 10  # a warp interpolates at 32 positions between two cells
    assert difference.mean() < 1


def test_a_rotated_crop_leaves_the_corners_as_they_are():
    face = Face(Box(100, 50, 120, 120), score=1.0, roll_deg=45.0)
    picture = overlay_on_photo(GRAY, face, CropMargin(), np.ones((6, 6), np.float32))
    changed = (picture != 128).any(axis=2)
    assert picture.shape[0] == pytest.approx(120 * np.sqrt(2), abs=2)
    assert not changed[0, 0]
    assert changed[picture.shape[0] // 2, picture.shape[1] // 2]
    assert changed.mean() == pytest.approx(0.5, abs=0.03)


def test_the_brightest_cell_lies_where_the_crop_has_it():
    face = Face(Box(100, 50, 120, 120), score=1.0, roll_deg=30.0)
    heatmap = np.zeros((12, 12), np.float32)
    heatmap[2, 9] = 1.0
    picture = overlay_on_photo(np.zeros_like(GRAY), face, CropMargin(0.1), heatmap, opacity=1.0)
    brightness = picture.astype(int)[..., 1]  # green rises along viridis
    row, column = np.unravel_index(brightness.argmax(), brightness.shape)
    # Where the part of the photo begins: the smallest x and y of the crop's corners.
    ys, xs = np.mgrid[0:300, 0:400]
    inside = points_in_crop(np.stack([xs.ravel() + 0.5, ys.ravel() + 0.5], axis=1), face, CropMargin(0.1))
    covered = ((inside >= 0) & (inside < 1)).all(axis=1).reshape(300, 400)
    top, left = np.flatnonzero(covered.any(axis=1))[0], np.flatnonzero(covered.any(axis=0))[0]
    x, y = points_in_crop(np.array([[left + column + 0.5, top + row + 0.5]]), face, CropMargin(0.1))[0]
    assert (x, y) == pytest.approx((9.5 / 12, 2.5 / 12), abs=0.02)


def test_a_crop_that_exceeds_the_photo_is_cut_at_its_border():
    face = Face(Box(340, 250, 100, 100), score=1.0)
    assert overlay_on_photo(GRAY, face, CropMargin(0.1), np.ones((3, 3), np.float32)).shape == (60, 70, 3)
