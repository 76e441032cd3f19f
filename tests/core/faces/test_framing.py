"""How tightly faces are framed: a known framing is measured correctly, and crops of photos are framed like FER2013."""

import io

import cv2
import numpy as np
import pyarrow.parquet as parquet
import pytest
from PIL import Image

from core.faces import MEASURED, CropMargin, crop, detectors, measure_margin

PLACES = [(-2, -1), (0, 0), (1, 2), (2, -2), (-1, 1)]


def frames_about(image: np.ndarray, center: tuple[float, float], side_px: int, size_px: int = 96) -> np.ndarray:
    """Gray frames of one size cut about places near a center, (N, size, size)."""
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    frames = []
    for dx, dy in PLACES:
        left, top = round(center[0] + dx - side_px / 2), round(center[1] + dy - side_px / 2)
        cut = gray[top : top + side_px, left : left + side_px]
        frames.append(cv2.resize(cut, (size_px, size_px), interpolation=cv2.INTER_AREA))
    return np.stack(frames)


def test_a_known_framing_is_measured(portrait, any_detector):
    box = any_detector.detect(portrait)[0].box
    side_px = 150
    x, y = box.center
    framing = measure_margin(frames_about(portrait, (x + 6, y - 9), side_px), any_detector)
    assert framing.detector == any_detector.name
    assert (framing.found, framing.n) == (1.0, 5)
    assert framing.margin.side == pytest.approx((side_px / box.side - 1) / 2, abs=0.05)
    assert framing.margin.dx == pytest.approx(6 / box.side, abs=0.04)
    assert framing.margin.dy == pytest.approx(-9 / box.side, abs=0.04)
    low, high = framing.quartiles
    assert low.side <= framing.margin.side <= high.side


def test_frames_without_a_face_count_as_not_found(portrait, yunet):
    faces = frames_about(portrait, (133, 107), 140)
    framing = measure_margin(np.concatenate([faces, np.full_like(faces, 90)]), yunet)
    assert (framing.found, framing.n) == (0.5, 10)


def test_no_face_at_all_is_an_error(haar):
    with pytest.raises(ValueError, match="'haar' found no face in any of the 2 frames"):
        measure_margin(np.full((2, 48, 48), 90, np.uint8), haar)


@pytest.mark.parametrize("shape", [(0, 48, 48), (3, 48, 40), (3, 48, 48, 3)])
def test_frames_of_another_shape_are_refused(haar, shape):
    with pytest.raises(ValueError, match=r"\(N, S, S\) uint8"):
        measure_margin(np.zeros(shape, np.uint8), haar)


def test_a_photos_crop_is_framed_as_it_was_measured(portrait, any_detector):
    """The crop made with the measured margin, taken as a frame, gives that margin back."""
    margin = MEASURED[any_detector.name]
    image = crop(portrait, any_detector.detect(portrait)[0], margin)
    frame = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (48, 48), interpolation=cv2.INTER_AREA)
    framing = measure_margin(frame[None], any_detector)
    assert framing.margin.side == pytest.approx(margin.side, abs=0.05)
    assert framing.margin.dx == pytest.approx(margin.dx, abs=0.05)
    assert framing.margin.dy == pytest.approx(margin.dy, abs=0.05)


def test_every_measured_margin_is_near_the_box():
    assert set(MEASURED) == set(detectors())
    assert all(isinstance(margin, CropMargin) and abs(margin.side) < 0.25 for margin in MEASURED.values())


def test_fer2013_is_framed_as_measured(fer2013, any_detector):
    batch = next(parquet.ParquetFile(fer2013).iter_batches(60, columns=["image"])).to_pandas()
    frames = np.stack([np.asarray(Image.open(io.BytesIO(data)).convert("L")) for data in batch["image"]])
    count = {"haar": 30, "mtcnn": 60, "yunet": 60}[any_detector.name]
    framing = measure_margin(frames[:count], any_detector)
    assert framing.found > {"haar": 0.5, "mtcnn": 0.75, "yunet": 0.9}[any_detector.name]
    assert framing.margin.side == pytest.approx(MEASURED[any_detector.name].side, abs=0.03)
    assert framing.margin.dx == pytest.approx(MEASURED[any_detector.name].dx, abs=0.03)
    assert framing.margin.dy == pytest.approx(MEASURED[any_detector.name].dy, abs=0.03)
