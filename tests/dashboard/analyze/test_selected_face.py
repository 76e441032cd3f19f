"""The names of the files about a face."""

import pytest

from dashboard.analyze.selected_face import SelectedFace
from dashboard.services import Photo
from dashboard.style import LIGHT


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("holiday.2024.JPG", "holiday.2024-face1"),
        ("sample.mp4 at 3.25 s", "sample.mp4 at 3.25 s-face1"),
        ("Webcam snapshot", "Webcam snapshot-face1"),
    ],
)
def test_only_the_suffix_of_a_photo_is_left_out_of_file_names(name, stem):
    photo = Photo.of(name, b"", "upload")
    face = SelectedFace(photo, None, 0, (), {}, {}, LIGHT, 0.8)  # only the photo's name and the number are used
    assert face.stem == stem
