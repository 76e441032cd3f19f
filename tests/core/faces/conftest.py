import os

import cv2
import numpy as np
import pytest

from core.faces import Detector, detector
from core.images import decode
from core.sample_photos import sample_photos


@pytest.fixture(scope="session")
def portrait() -> np.ndarray:
    """Grace Hopper facing the camera, shrunk to (300, 256, 3)."""
    image = decode(sample_photos()["grace_hopper"].data)
    return np.asarray(cv2.resize(image, (256, 300), interpolation=cv2.INTER_AREA))


@pytest.fixture(scope="session")
def haar() -> Detector:
    return detector("haar")


@pytest.fixture(scope="session")
def mtcnn() -> Detector:
    return detector("mtcnn")


@pytest.fixture(scope="session")
def yunet() -> Detector:
    path = os.environ.get("FERSCOPE_YUNET")
    if not path:
        pytest.skip("needs YuNet's model file, named by FERSCOPE_YUNET")
    return detector("yunet", path=path)


@pytest.fixture(params=["haar", "mtcnn", "yunet"])
def any_detector(request: pytest.FixtureRequest) -> Detector:
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["mtcnn", "yunet"])
def landmark_detector(request: pytest.FixtureRequest) -> Detector:
    """Each detector that finds landmarks."""
    return request.getfixturevalue(request.param)
