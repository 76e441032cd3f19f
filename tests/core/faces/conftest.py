import os

import numpy as np
import pytest

from core.faces import Detector, detector
from core.images import decode
from core.sample_photos import sample_photos

# Where the face lies in the portrait, judged by eye: forehead to chin, px.
FACE_CENTRE = (267, 215)
FACE_HEIGHT = 210


@pytest.fixture(scope="session")
def portrait() -> np.ndarray:
    """Grace Hopper facing the camera, (600, 512, 3)."""
    return decode(sample_photos()["grace_hopper"].data)


@pytest.fixture(scope="session")
def haar() -> Detector:
    return detector("haar")


@pytest.fixture(scope="session")
def yunet() -> Detector:
    path = os.environ.get("FERSCOPE_YUNET")
    if not path:
        pytest.skip("needs YuNet's model file, named by FERSCOPE_YUNET")
    return detector("yunet", path=path)


@pytest.fixture(params=["haar", "yunet"])
def any_detector(request: pytest.FixtureRequest) -> Detector:
    return request.getfixturevalue(request.param)
