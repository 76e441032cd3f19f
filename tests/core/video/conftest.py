"""Generated videos of the public-domain portraits, and small networks that tell bright from dark."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable

import cv2
import numpy as np
import pytest

from core import images
from core.faces import Detector, detector
from core.inference import Predictor
from core.runtime import Runtime
from core.sample_photos import sample_photos
from core.video.writer import VideoWriter


@pytest.fixture(scope="session")
def heads() -> dict[str, np.ndarray]:
    """The heads of two people, about 120 px wide, by the name of their portrait."""
    found = {}
    for name in ("grace_hopper", "eileen_collins"):
        photo = images.decode(sample_photos()[name].data)
        box = detector("mtcnn").detect(photo)[0].box
        x, y, half = int(box.center[0]), int(box.center[1]), int(0.8 * box.side)
        head = photo[max(y - half, 0) : y + half, max(x - half, 0) : x + half]
        found[name] = cv2.resize(head, (120, 120), interpolation=cv2.INTER_AREA)
    return found


def scene(*placed: tuple[np.ndarray, float, float], size: tuple[int, int] = (480, 320)) -> np.ndarray:
    """Heads on a ground with a gradient, each with the position of its center; the last one is in front."""
    width, height = size
    image = np.repeat(np.linspace(90, 150, width)[None, :, None], height, axis=0).repeat(3, axis=2).astype(np.uint8)
    for head, x, y in placed:
        left, top = round(x - head.shape[1] / 2), round(y - head.shape[0] / 2)
        first_x, first_y = max(left, 0), max(top, 0)
        last_x, last_y = min(left + head.shape[1], width), min(top + head.shape[0], height)
        image[first_y:last_y, first_x:last_x] = head[first_y - top : last_y - top, first_x - left : last_x - left]
    return image


@pytest.fixture(scope="session")
def write_video() -> Callable[..., bytes]:
    """The bytes of an mp4 file with the given pictures at ``rate`` or at ``times_s``."""

    def written(
        pictures: Iterable[np.ndarray], rate: float = 10.0, times_s: Iterable[float] | None = None, **options
    ) -> bytes:
        file, pictures = io.BytesIO(), list(pictures)
        times = [i / rate for i in range(len(pictures))] if times_s is None else list(times_s)
        with VideoWriter(file, pictures[0].shape[1], pictures[0].shape[0], **options) as writer:
            for picture, time_s in zip(pictures, times, strict=True):
                writer.write(picture, time_s)
        return file.getvalue()

    return written


@pytest.fixture(scope="session")
def compose() -> Callable[..., np.ndarray]:
    """See :func:`scene`."""
    return scene


@pytest.fixture(scope="session")
def predictors(checkpoint_root) -> list[Predictor]:
    """Two small trained networks with the classes bright, dark and striped."""
    return Runtime(checkpoint_root).predictors()


@pytest.fixture(scope="session")
def find() -> Detector:
    """The detector whose weights are installed."""
    return detector("mtcnn")
