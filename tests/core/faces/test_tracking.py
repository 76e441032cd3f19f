"""Tracks on generated movements whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.faces import Box, Face
from core.faces.tracking import Tracker, interpolated, overlap


def face(x: float, y: float = 100.0, side: float = 60.0, **fields: object) -> Face:
    """A face with this center."""
    return Face(Box(x - side / 2, y - side / 2, side, side), **{"score": 0.9, **fields})  # type: ignore[arg-type]


def test_a_face_that_moves_keeps_its_number():
    tracker = Tracker()
    numbers = {tracker.update([face(50 + 20 * i)], i / 10)[0].track for i in range(30)}
    assert numbers == {1}


def test_two_faces_that_cross_keep_their_numbers_whatever_the_order_of_the_detections():
    random = np.random.default_rng(0)
    tracker = Tracker()
    for i in range(60):
        faces = [face(100 + 8 * i, 100), face(580 - 8 * i, 112)]
        truth = dict(zip(map(id, faces), (1, 2), strict=True))
        if abs(faces[0].box.center[0] - faces[1].box.center[0]) < 24:
            faces.pop()  # one hides the other
        order = random.permutation(len(faces)) if i else [0, 1]
        found = {id(t.face): t.track for t in tracker.update([faces[k] for k in order], i / 15)}
        assert found == {known: number for known, number in truth.items() if known in map(id, faces)}


def test_between_detections_a_face_moves_on_with_its_velocity():
    tracker = Tracker()
    for i in range(3):
        tracker.update([face(100 + 10 * i)], i * 0.1)
    (expected,) = tracker.update(None, 0.4)
    assert not expected.detected
    assert expected.face.box.center[0] == pytest.approx(140)
    assert expected.track == 1


def test_a_face_that_was_not_found_is_not_shown_and_gets_its_number_back_within_a_second():
    tracker = Tracker()
    tracker.update([face(100)], 0.0)
    assert tracker.update([], 0.2) == ()
    assert tracker.update(None, 0.3) == ()
    assert tracker.update([face(104)], 0.9)[0].track == 1
    assert tracker.update([face(104)], 2.5)[0].track == 2


def test_an_uncertain_detection_continues_a_track_and_begins_none():
    tracker = Tracker()
    assert tracker.update([face(100, uncertain=True)], 0.0) == ()
    tracker.update([face(100)], 0.1)
    assert [t.track for t in tracker.update([face(102, uncertain=True)], 0.2)] == [1]


@given(st.lists(st.lists(st.tuples(st.floats(0, 2000), st.floats(0, 2000), st.floats(1, 900)), max_size=6), max_size=8))
def test_numbers_are_unique_within_a_frame_and_every_sure_detection_has_one(frames):
    tracker, seen = Tracker(), 0
    for i, positions in enumerate(frames):
        found = tracker.update([face(*position) for position in positions], i * 0.1)
        numbers = [t.track for t in found]
        assert len(numbers) == len(set(numbers)) == len(positions)
        assert all(n <= seen for n in numbers) or max(numbers) <= seen + len(positions)
        seen = max([seen, *numbers])


def test_interpolation_takes_the_shorter_way_around_and_ends_at_the_second_face():
    tracker = Tracker()
    points = np.arange(10.0).reshape(5, 2)
    (first,) = tracker.update([face(100, roll_deg=170, landmarks=points)], 0.0)
    (second,) = tracker.update([face(120, roll_deg=-170, landmarks=points + 20, score=0.7)], 0.1)
    middle, end = interpolated(first, second, 0.5), interpolated(first, second, 1.0)
    assert middle.face.box.center[0] == pytest.approx(110)
    assert abs(middle.face.roll_deg) == pytest.approx(180)
    assert middle.face.score == 0.7
    assert np.allclose(middle.face.landmarks, points + 10)
    assert end.face.box == second.face.box
    assert end.face.roll_deg == pytest.approx(-170)


def test_overlap_of_known_boxes():
    assert overlap(Box(0, 0, 2, 2), Box(1, 0, 2, 2)) == pytest.approx(1 / 3)
    assert overlap(Box(0, 0, 2, 2), Box(2, 0, 2, 2)) == 0


def test_a_gap_below_zero_is_refused():
    with pytest.raises(ValueError, match="at least 0"):
        Tracker(max_gap_s=-1)
