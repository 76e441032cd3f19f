"""Detectors on a real portrait: where, how large, how turned, and the same from every thread."""

import io
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from PIL import Image

from core.faces import (
    MEASURED,
    CropMargin,
    Detector,
    UnknownDetectorError,
    crop,
    detector,
    detectors,
    register_detector,
)
from core.images import decode
from tests.core.faces.conftest import FACE_CENTRE, FACE_HEIGHT


def assert_on_the_face(faces, scale=1.0, offset=(0, 0)):
    assert len(faces) == 1
    x, y = faces[0].box.centre
    assert x == pytest.approx(FACE_CENTRE[0] * scale + offset[0], abs=0.1 * FACE_HEIGHT * scale)
    assert y == pytest.approx(FACE_CENTRE[1] * scale + offset[1], abs=0.1 * FACE_HEIGHT * scale)
    assert faces[0].box.height == pytest.approx(FACE_HEIGHT * scale, rel=0.2)
