"""What the browser receives to draw the photo with its faces."""

import base64
import io

import numpy as np
from PIL import Image

from core.faces import Box, Face
from core.inference import FaceAnalysis, PhotoAnalysis
from dashboard.analyze import clickable_photo


def data_of(*boxes: Box, height: int, width: int) -> dict:
    faces = tuple(FaceAnalysis(Face(box, 0.9), {}, {}) for box in boxes)
    photo = PhotoAnalysis(np.zeros((height, width, 3), np.uint8), "haar", faces, {})
    return clickable_photo.photo_data(photo, 0, ["1 · happy"] * len(boxes), alt="photo", clickable=True)


def size(source: str) -> tuple[int, int]:
    return Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))).size


def test_boxes_are_shares_of_the_photo_and_clipped_to_it():
    data = data_of(Box(-30, -55, 230, 155), Box(200, 50, 100, 100), height=200, width=400)
    assert data["aspect"] == 2
    boxes = [tuple(face[side] for side in ("left", "top", "width", "height")) for face in data["faces"]]
    assert boxes == [(0, 0, 0.5, 0.5), (0.5, 0.25, 0.25, 0.5)]


def test_a_photo_with_many_faces_can_be_zoomed_and_has_more_pixels():
    box = Box(10, 10, 50, 50)
    few = data_of(box, height=2000, width=4000)
    many = data_of(*[box] * clickable_photo.ZOOMABLE_FROM, height=2000, width=4000)
    assert not few["zoomable"]
    assert many["zoomable"]
    assert size(few["source"]) == (1280, 640)
    assert size(many["source"]) == (2560, 1280)
