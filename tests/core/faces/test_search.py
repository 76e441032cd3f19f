"""Large photos, photos stored sideways, uncertain detections, and the automatic choice of a detector."""

import numpy as np
import pytest
from PIL import Image

from core.errors import DetectorUnavailableError
from core.faces import Box, Detector, Face, detector, find_faces, register_detector
from core.faces import detection as detection_module
from core.images import decode, rotated
from core.sample_photos import sample_photos


def group_photo(width: int, height: int, columns: int, rows: int, face_px: int) -> np.ndarray:
    """A gray photo (height, width, 3) with copies of the two portraits whose faces are ``face_px`` high."""
    portraits = [
        (Image.fromarray(decode(sample_photos()[name].data)), face_px / face_height)
        for name, face_height in (("grace_hopper", 220), ("eileen_collins", 113))
    ]
    copies = [p.resize((round(p.width * s), round(p.height * s)), Image.Resampling.BILINEAR) for p, s in portraits]
    photo = Image.new("RGB", (width, height), "gray")
    for k in range(columns * rows):
        photo.paste(copies[k % 2], (k % columns * (width // columns) + 10, k // columns * (height // rows) + 10))
    return np.asarray(photo)


@pytest.mark.parametrize(
    ("size", "grid", "face_px"),
    [((4032, 3024), (8, 3), 150), ((6000, 4000), (8, 5), 220), ((16_000, 2500), (6, 1), 400)],
)
def test_every_face_of_a_large_group_photo_is_found(landmark_detector, size, grid, face_px):
    photo = group_photo(*size, *grid, face_px)
    faces = landmark_detector.detect(photo)
    assert len(faces) == grid[0] * grid[1]
    assert all(0.7 * face_px < face.box.height < 1.3 * face_px for face in faces)


def test_small_faces_are_found_at_a_larger_level_of_the_pyramid(landmark_detector):
    assert len(landmark_detector.detect(group_photo(4032, 3024, 6, 2, 60))) == 12


def test_the_cascade_finds_a_large_group_too(haar):
    assert len(haar.detect(group_photo(4032, 3024, 8, 3, 150))) == 24


@pytest.mark.parametrize("stored_deg", [0, 90, 180, 270])
@pytest.mark.parametrize("name", ["eileen_collins", "two_faces"])
def test_a_photo_stored_sideways_is_rotated_and_the_rotation_reported(landmark_detector, name, stored_deg):
    upright = decode(sample_photos()[name].data)
    found = find_faces(rotated(upright, stored_deg), landmark_detector)
    assert found.rotation_deg == (360 - stored_deg) % 360
    assert found.detector == landmark_detector.name
    np.testing.assert_array_equal(found.image, upright)
    assert len(found.faces) == (2 if name == "two_faces" else 1)
    assert all(abs(face.roll_deg) < 20 for face in found.faces)


@pytest.mark.parametrize("rotation_deg", [0, 90])
def test_a_given_rotation_replaces_the_automatic_one(landmark_detector, rotation_deg):
    sideways = rotated(decode(sample_photos()["eileen_collins"].data), 90)
    found = find_faces(sideways, landmark_detector, rotation_deg)
    assert found.rotation_deg == rotation_deg
    np.testing.assert_array_equal(found.image, rotated(sideways, rotation_deg))


def test_a_photo_without_a_face_is_not_rotated(any_detector):
    slope = np.tile(np.linspace(0, 255, 400).astype(np.uint8), (300, 1))
    found = find_faces(np.dstack([slope] * 3), any_detector)
    assert (found.faces, found.rotation_deg) == ((), 0)


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
@pytest.mark.parametrize("share", [0.2, 0.25])
def test_a_face_cut_by_a_border_is_found(landmark_detector, side, share):
    image = decode(sample_photos()["grace_hopper"].data)
    left, top, width, height = 174, 118, 182, 220  # the face's box
    cut = {
        "left": image[:, int(left + share * width) :],
        "right": image[:, : int(left + (1 - share) * width)],
        "top": image[int(top + share * height) :],
        "bottom": image[: int(top + (1 - share) * height)],
    }[side]
    assert len(landmark_detector.detect(np.ascontiguousarray(cut))) == 1


class Scripted(Detector):
    """Reports the faces it was given, as boxes in px of the scaled photo."""

    name = "scripted"
    sure_score = 0.8

    def __init__(self, *faces: Face) -> None:
        super().__init__(min_score=0.5)
        self.faces = faces
        self.views: list[int] = []

    def _load(self) -> None:
        return None

    def _find(self, view: np.ndarray, _: None) -> list[Face]:
        self.views.append(max(view.shape[:2]))
        return list(self.faces)


PHOTO = np.zeros((400, 600, 3), np.uint8)


def test_faces_are_ranked_by_size_times_score_and_uncertain_ones_come_last():
    found = Scripted(
        Face(Box(0, 0, 200, 200), 0.7),
        Face(Box(300, 0, 80, 80), 0.99),
        Face(Box(200, 0, 90, 90), 0.9),
        Face(Box(400, 0, 300, 300), 0.4),
    ).detect(PHOTO)
    assert [(face.score, face.uncertain) for face in found] == [(0.9, False), (0.99, False), (0.7, True)]


def test_size_times_score_decides_between_two_certain_faces():
    found = Scripted(Face(Box(0, 0, 80, 80), 0.95), Face(Box(200, 0, 82, 82), 0.81)).detect(PHOTO)
    assert [face.score for face in found] == [0.95, 0.81]


def test_an_uncertain_face_is_never_first_even_if_it_is_large():
    found = Scripted(Face(Box(0, 0, 390, 390), 0.79), Face(Box(500, 0, 50, 50), 0.8)).detect(PHOTO)
    assert [face.uncertain for face in found] == [False, True]


def test_the_pyramid_stops_at_the_first_level_with_large_faces():
    large = Scripted(Face(Box(10, 10, 90, 90), 0.9))
    large.detect(np.zeros((3000, 4000, 3), np.uint8))
    assert large.views == [1024]
    nothing = Scripted()
    nothing.detect(np.zeros((3000, 4000, 3), np.uint8))
    assert nothing.views == [1024, 2048]
    small = Scripted(Face(Box(10, 10, 20, 20), 0.9))
    small.detect(np.zeros((3000, 4000, 3), np.uint8))
    assert small.views == [1024, 2048, 4000]


@pytest.fixture
def own_registry(monkeypatch):
    monkeypatch.setattr(detection_module, "_KINDS", {})


def test_auto_takes_the_first_detector_whose_model_is_available(own_registry):
    @register_detector("missing", title="Missing", preference=1)
    class Missing(Scripted):
        """Without a model."""

        def __init__(self) -> None:
            raise DetectorUnavailableError("no file")

    @register_detector("there", title="There", preference=2)
    class There(Scripted):
        """Available."""

    assert detector("auto").name == "there"
    assert detector().name == "there"


def test_auto_without_any_detector_names_the_remedy(own_registry):
    with pytest.raises(DetectorUnavailableError, match="make setup"):
        detector("auto")


def test_auto_works_without_a_network(monkeypatch, tmp_path):
    monkeypatch.delenv("FERSCOPE_YUNET", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    assert detector("auto").name == "mtcnn"


def test_auto_prefers_yunet_where_its_file_is_present(yunet):
    assert detector("auto").name == "yunet"
