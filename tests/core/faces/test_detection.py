"""Detectors on a real portrait: where, how large, how turned, and the same from every thread."""

import io
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import cv2
import numpy as np
import pytest
from PIL import Image

from core.errors import UnknownDetectorError
from core.faces import MEASURED, CropMargin, Detector, Face, crop, detector, detectors, register_detector
from core.images import decode
from core.sample_photos import sample_photos

# Where the portrait's face lies, judged by eye: from forehead to chin, px of the (300, 256) picture.
CENTER, HEIGHT = (133.5, 107.5), 105

# The transposition that undoes each EXIF orientation's own, by Pillow's names.
STORED_AS = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}


def assert_on_the_face(face: Face, scale: float = 1.0, offset: tuple[float, float] = (0.0, 0.0)) -> None:
    x, y = face.box.center
    assert x == pytest.approx(CENTER[0] * scale + offset[0], abs=0.1 * HEIGHT * scale)
    assert y == pytest.approx(CENTER[1] * scale + offset[1], abs=0.1 * HEIGHT * scale)
    assert face.box.height == pytest.approx(HEIGHT * scale, rel=0.2)


def turned(image: np.ndarray, degrees_clockwise: float) -> np.ndarray:
    matrix = cv2.getRotationMatrix2D(CENTER, -degrees_clockwise, 1)
    size = (image.shape[1], image.shape[0])
    return np.asarray(cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REPLICATE))


def test_the_one_face_of_a_portrait_is_found_where_it_is(portrait, any_detector):
    (face,) = any_detector.detect(portrait)
    assert_on_the_face(face)
    assert 0.75 <= face.score <= 1
    assert not face.uncertain


@pytest.mark.parametrize("scale", [0.4, 3.0, 8.0])
def test_boxes_are_in_px_of_the_photo_at_any_size(portrait, any_detector, scale):
    image = np.asarray(cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    assert_on_the_face(any_detector.detect(image)[0], scale)


def test_every_stored_orientation_gives_the_same_box(portrait, any_detector):
    boxes = []
    for orientation, transposition in STORED_AS.items():
        picture = Image.fromarray(portrait)
        stored = picture if transposition is None else picture.transpose(Image.Transpose(transposition))
        exif = Image.Exif()
        exif[274] = orientation
        file = io.BytesIO()
        stored.save(file, "JPEG", quality=95, subsampling=0, exif=exif)
        (face,) = any_detector.detect(decode(file.getvalue()))
        boxes.append((face.box.left, face.box.top, face.box.width, face.box.height))
    np.testing.assert_allclose(boxes, np.tile(boxes[0], (8, 1)), atol=0.06 * HEIGHT)


def test_the_larger_of_two_faces_is_first(portrait, any_detector):
    small = cv2.resize(portrait, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    scene = np.full((300, 440, 3), 128, np.uint8)
    scene[:180, 20 : 20 + small.shape[1]] = small
    scene[:, 440 - 256 :] = portrait
    faces = any_detector.detect(scene)
    assert len(faces) == 2
    assert all(a.box.area >= b.box.area for a, b in pairwise(faces))
    assert_on_the_face(faces[0], offset=(440 - 256, 0))
    assert_on_the_face(faces[1], scale=0.6, offset=(20, 0))


def test_a_face_that_fills_the_photo_is_found_at_its_size(portrait, any_detector):
    for size_px in (48, 1200):
        tight = cv2.resize(portrait[50:165, 75:190], (size_px, size_px), interpolation=cv2.INTER_AREA)
        scale = size_px / 115
        assert_on_the_face(any_detector.detect(tight)[0], scale, (-75 * scale, -50 * scale))


def test_a_face_at_the_border_is_found_and_cropped_to_a_square(portrait, any_detector):
    cut = portrait[70:]  # through the forehead
    faces = any_detector.detect(cut)
    assert faces
    image = crop(cut, faces[0], MEASURED[any_detector.name])
    assert image.shape[0] == image.shape[1] > 60


def test_a_face_cut_by_the_border_has_a_box_that_extends_beyond_it(portrait, haar):
    (face,) = haar.detect(np.ascontiguousarray(portrait[:, 100:]))
    assert face.box.left < 0
    assert_on_the_face(face, offset=(-100, 0))


@pytest.mark.parametrize("shape", [(16, 16), (16, 5000), (5000, 16), (300, 400)])
def test_a_photo_without_a_face_gives_an_empty_list(any_detector, shape):
    slope = np.tile(np.linspace(0, 255, shape[1]).astype(np.uint8), (shape[0], 1))
    assert any_detector.detect(np.dstack([slope] * 3)) == []


def test_the_photo_is_not_changed(portrait, any_detector):
    before = portrait.copy()
    any_detector.detect(portrait)
    np.testing.assert_array_equal(portrait, before)


def test_a_higher_min_score_keeps_fewer_faces(portrait, haar):
    score = haar.detect(portrait)[0].score
    assert detector("haar", min_score=score + 0.001).detect(portrait) == []
    with pytest.raises(ValueError, match=r"min_score must lie in \[0, 1\]"):
        detector("haar", min_score=2)


def test_two_threads_on_one_detector_get_equal_faces(portrait, any_detector):
    side = cv2.resize(portrait[20:220, 30:230], (150, 150), interpolation=cv2.INTER_AREA)
    photos = [side, np.ascontiguousarray(side[:, 10:140])]  # of different sizes, so that shared state would show

    def boxes(number: int) -> list[object]:
        return [(face.box, face.score, face.roll_deg) for face in any_detector.detect(photos[number % 2])]

    alone = [boxes(0), boxes(1)]
    assert all(alone)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(boxes, range(50))) == alone * 25


def test_two_threads_detect_at_the_same_time(portrait, any_detector, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    shared, both_detect = detector(any_detector.name, **options_of(any_detector)), threading.Barrier(2, timeout=60)
    find = shared._find

    def meeting(view, model):
        both_detect.wait()  # raises BrokenBarrierError unless two threads come here
        return find(view, model)

    monkeypatch.setattr(shared, "_find", meeting)
    alone = any_detector.detect(portrait)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(shared.detect, [portrait] * 2))
    for faces in found:
        assert [(f.box, f.score, f.roll_deg) for f in faces] == [(f.box, f.score, f.roll_deg) for f in alone]


def options_of(any_detector: Detector) -> dict[str, object]:
    """How another detector of that kind is made in these tests."""
    return {"path": os.environ["FERSCOPE_YUNET"]} if any_detector.name == "yunet" else {}


def test_landmarks_lie_in_the_face_in_their_order(portrait, landmark_detector):
    (face,) = landmark_detector.detect(portrait)
    right_eye, left_eye, nose, right_mouth, left_mouth = face.landmarks
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_mouth[0] < nose[0] < left_mouth[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])
    assert all(face.box.contains(tuple(point)) for point in face.landmarks)


@pytest.mark.parametrize("degrees", [-15, 15])
def test_a_rotated_face_stands_upright_in_its_crop(portrait, landmark_detector, degrees):
    image = turned(portrait, degrees)
    (face,) = landmark_detector.detect(image)
    assert face.roll_deg == pytest.approx(degrees, abs=6)
    (upright,) = landmark_detector.detect(crop(image, face, CropMargin(0.4)))
    assert upright.roll_deg == pytest.approx(0, abs=6)
    (as_it_was,) = landmark_detector.detect(crop(image, face, CropMargin(0.4), align=False))
    assert as_it_was.roll_deg == pytest.approx(degrees, abs=6)


def test_the_cascade_measures_the_roll_from_two_eyes_only(portrait, haar):
    rolls = {degrees: haar.detect(turned(portrait, degrees))[0].roll_deg for degrees in (-10, 0, 10)}
    assert rolls[-10] <= 0 <= rolls[10]
    assert rolls[-10] < rolls[10]
    assert all(abs(roll) < 25 for roll in rolls.values())
    blindfolded = portrait.copy()
    blindfolded[85:112, 85:182] = blindfolded[120, 133]
    assert all(face.roll_deg == 0 for face in haar.detect(blindfolded))


def test_all_cores_find_the_same_faces_as_one_and_opencv_uses_one_afterwards(portrait, haar, monkeypatch):
    crowd = np.tile(portrait, (2, 2, 1))
    on_all = haar.detect(crowd)
    threads, set_threads = [], cv2.setNumThreads
    monkeypatch.setattr(cv2, "setNumThreads", lambda n: threads.append(n) or set_threads(n))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
    on_one = haar.detect(crowd)
    assert threads == [1, 1]
    assert len(on_all) >= 4
    assert [(f.box, f.score, f.roll_deg) for f in on_all] == [(f.box, f.score, f.roll_deg) for f in on_one]
    assert cv2.getNumThreads() == 1


def test_a_gray_photo_is_refused(haar):
    with pytest.raises(ValueError, match=r"uint8 with shape \(H, W, 3\)"):
        haar.detect(np.zeros((50, 50), np.uint8))


def test_detectors_are_listed_in_the_order_of_their_preference():
    kinds = detectors()
    assert list(kinds) == ["yunet", "mtcnn", "haar"]
    assert all(kind.title and kind.summary.endswith(".") for kind in kinds.values())


def test_the_error_for_an_unknown_detector_names_the_available_ones():
    with pytest.raises(UnknownDetectorError, match="no face detector 'foo'; available: auto, yunet, mtcnn, haar"):
        detector("foo")
    with pytest.raises(TypeError):
        detector("haar", neighbors=3)


def test_a_name_is_registered_once():
    with pytest.raises(ValueError, match="registered twice"):
        register_detector("haar", title="again", preference=9)(Detector)


def test_opencv_uses_one_thread_of_its_own():
    assert cv2.getNumThreads() == 1


@pytest.mark.parametrize(("name", "count"), [("grace_hopper", 1), ("eileen_collins", 1), ("two_faces", 2)])
def test_the_faces_of_the_sample_photos_are_found(any_detector, name, count):
    image = decode(sample_photos()[name].data)
    faces = any_detector.detect(image)
    assert len(faces) == count
    assert all(face.box.side > 0.1 * image.shape[0] for face in faces)
