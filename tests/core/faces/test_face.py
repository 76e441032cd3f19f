import math

import numpy as np
import pytest

from core.faces import Box, Face


def test_a_box_may_extend_beyond_the_border_but_not_be_empty():
    assert Box(-10, -5, 30, 20).center == (5, 5)
    assert Box(-10, -5, 30, 20).side == 30
    for wrong in ((0, 0, 0, 5), (0, 0, 5, -1)):
        with pytest.raises(ValueError, match="positive width and height"):
            Box(*wrong)
    with pytest.raises(ValueError, match="finite"):
        Box(0, math.nan, 5, 5)


@pytest.mark.parametrize("score", [-0.1, 1.1, math.nan])
def test_a_score_lies_in_0_to_1(score):
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        Face(Box(0, 0, 9, 9), score)


@pytest.mark.parametrize("roll", [181, math.inf, math.nan])
def test_a_roll_lies_within_half_a_turn(roll):
    with pytest.raises(ValueError, match="roll must lie in"):
        Face(Box(0, 0, 9, 9), 0.5, roll_deg=roll)


def test_landmarks_are_five_points_of_its_own():
    given = np.arange(10.0).reshape(5, 2)
    face = Face(Box(0, 0, 9, 9), 0.5, landmarks=given)
    given[:] = 0
    assert face.landmarks[4, 1] == 9
    with pytest.raises(ValueError, match="read-only"):
        face.landmarks[0, 0] = 1
    with pytest.raises(ValueError, match="5 finite points"):
        Face(Box(0, 0, 9, 9), 0.5, landmarks=np.zeros((4, 2)))


def test_mapping_scales_then_shifts_box_and_landmarks():
    face = Face(Box(1, 2, 3, 4), 0.5, landmarks=np.ones((5, 2)), roll_deg=7).mapped((10, 100), (5, -5))
    assert face.box == Box(15, 195, 30, 400)
    np.testing.assert_array_equal(face.landmarks, np.tile([15, 95], (5, 1)))
    assert (face.score, face.roll_deg) == (0.5, 7)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        (Box(-55, 10, 100, 50), Box(0, 10, 45, 50)),
        (Box(150, 90, 100, 50), Box(150, 90, 50, 10)),
        (Box(20, 30, 40, 50), Box(20, 30, 40, 50)),
        (Box(300, 300, 9, 9), Box(199, 99, 1, 1)),
    ],
)
def test_a_box_is_clipped_to_the_photo(box, expected):
    assert box.clipped(200, 100) == expected
