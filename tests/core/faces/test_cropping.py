import math

import cv2
import numpy as np
import pytest

from core.faces import Box, CropMargin, Face, crop, crop_corners, whole_image_face


def photo(height: int = 80, width: int = 120) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (height, width, 3), dtype=np.uint8)


def face(left: float, top: float, side: float, roll_deg: float = 0.0) -> Face:
    return Face(Box(left, top, side, side), 0.9, roll_deg=roll_deg)


def test_an_upright_crop_is_the_photos_own_pixels():
    np.testing.assert_array_equal(crop(photo(), face(20, 10, 40), CropMargin()), photo()[10:50, 20:60])


def test_a_margin_widens_or_tightens_around_the_same_center():
    np.testing.assert_array_equal(crop(photo(), face(30, 20, 40), CropMargin(0.25)), photo()[10:70, 20:80])
    np.testing.assert_array_equal(crop(photo(), face(30, 20, 40), CropMargin(-0.25)), photo()[30:50, 40:60])


def test_an_offset_moves_the_center_by_parts_of_the_side():
    moved = crop(photo(), face(30, 20, 40), CropMargin(0, dx=0.5, dy=-0.25))
    np.testing.assert_array_equal(moved, photo()[10:50, 50:90])


def test_a_tall_box_is_cropped_as_a_square_of_its_height():
    tall = Face(Box(40, 10, 20, 40), 0.9)
    np.testing.assert_array_equal(crop(photo(), tall, CropMargin()), photo()[10:50, 30:70])


def test_the_border_is_repeated_where_the_square_extends_beyond_it():
    cut = crop(photo(), face(-10, 60, 40), CropMargin())
    padded = cv2.copyMakeBorder(photo(), 40, 40, 40, 40, cv2.BORDER_REPLICATE)
    np.testing.assert_array_equal(cut, padded[100:140, 30:70])


def test_a_square_wholly_outside_repeats_the_nearest_pixels():
    np.testing.assert_array_equal(
        crop(photo(), face(500, 500, 20), CropMargin()), np.tile(photo()[-1, -1], (20, 20, 1))
    )


@pytest.mark.parametrize("roll_deg", [90, -90, 180])
def test_a_quarter_turn_is_undone_exactly(roll_deg):
    turned = np.rot90(photo()[10:50, 20:60], round(-roll_deg / 90))  # rot90 turns counterclockwise
    np.testing.assert_array_equal(crop(turned, face(0, 0, 40, roll_deg), CropMargin()), photo()[10:50, 20:60])


def test_without_alignment_the_roll_is_ignored():
    image = crop(photo(), face(20, 10, 40, 30), CropMargin(), align=False)
    np.testing.assert_array_equal(image, photo()[10:50, 20:60])


def test_the_offset_turns_with_the_face():
    sideways = face(40, 20, 40, 90)  # turned clockwise: its own down points to the left
    moved = crop(photo(), sideways, CropMargin(0, dy=0.5))
    np.testing.assert_array_equal(moved, np.rot90(photo()[20:60, 20:60], 1))


def test_the_eyes_of_a_tilted_face_are_level_in_its_crop():
    image = np.zeros((200, 200, 3), np.uint8)
    eyes = [(100 + s * 30 * math.cos(math.radians(20)), 100 + s * 30 * math.sin(math.radians(20))) for s in (-1, 1)]
    for channel, (x, y) in enumerate(eyes):
        spot = np.zeros((200, 200), np.uint8)
        cv2.circle(spot, (round(x - 0.5), round(y - 0.5)), 6, 255, -1)  # pixel i has its center at i + 0.5
        image[..., channel] = spot
    upright = crop(image, face(50, 50, 100, 20), CropMargin())
    for channel, x in enumerate((20, 80)):
        rows, columns = np.nonzero(upright[..., channel] > 128)
        assert rows.mean() + 0.5 == pytest.approx(50, abs=0.7)
        assert columns.mean() + 0.5 == pytest.approx(x, abs=0.7)


def test_a_large_face_is_shrunk_to_512_px_by_averaging():
    lines = np.zeros((1600, 1600, 3), np.uint8)
    lines[:, ::2] = 200  # finer than the crop can show: sampling would give stripes
    image = crop(lines, face(32, 32, 1536), CropMargin())
    assert image.shape == (512, 512, 3)
    assert image.std() < 40
    assert image.mean() == pytest.approx(100, abs=2)


def test_shrinking_keeps_the_place():
    image = np.zeros((2000, 2000, 3), np.uint8)
    image[1000:1200, 600:800] = 255
    rows, columns, _ = np.nonzero(crop(image, face(100, 200, 1536), CropMargin()) > 128)
    assert (rows.mean() + 0.5) * 3 + 200 == pytest.approx(1100, abs=1.5)
    assert (columns.mean() + 0.5) * 3 + 100 == pytest.approx(700, abs=1.5)


def test_small_faces_are_never_enlarged():
    assert crop(photo(), face(20, 10, 17.3), CropMargin()).shape == (17, 17, 3)
    assert crop(photo(), face(20, 10, 0.2), CropMargin()).shape == (1, 1, 3)


def test_photos_beyond_opencvs_32767_px_are_cropped():
    wide = np.zeros((20, 40_000, 3), np.uint8)
    wide[:, 39_990:] = 7
    image = crop(wide, face(39_980, 0, 20), CropMargin())
    np.testing.assert_array_equal(image[0, :, 0], [0] * 10 + [7] * 10)


def test_writing_to_the_crop_does_not_change_the_photo():
    image = photo()
    crop(image, face(20, 10, 40), CropMargin())[:] = 0
    np.testing.assert_array_equal(image, photo())


def test_the_whole_image_is_its_center_square():
    whole = whole_image_face(photo(80, 120))
    assert whole.score == 0
    np.testing.assert_array_equal(crop(photo(80, 120), whole, CropMargin()), photo(80, 120)[:, 20:100])


def test_margins_that_leave_nothing_are_refused():
    with pytest.raises(ValueError, match=r"above -0.5"):
        CropMargin(-0.5)
    with pytest.raises(ValueError, match="finite"):
        CropMargin(0, math.nan)


def test_a_gray_photo_is_refused():
    with pytest.raises(ValueError, match=r"shape \(H, W, 3\), got uint8 \(80, 120\)"):
        crop(photo()[..., 0], face(0, 0, 20), CropMargin())


def test_the_corners_of_a_crop_turn_with_the_face():
    np.testing.assert_allclose(crop_corners(face(20, 10, 40), CropMargin()), [[20, 10], [60, 10], [20, 50]])
    turned = crop_corners(face(20, 10, 40, roll_deg=90), CropMargin())  # its top is at the right
    np.testing.assert_allclose(turned, [[60, 10], [60, 50], [20, 10]], atol=1e-9)
