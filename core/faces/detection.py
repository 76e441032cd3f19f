"""Face detectors by name. A new detector is one file with a class under :func:`register_detector`."""

from __future__ import annotations

import contextlib
import statistics
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeVar

import cv2
import numpy as np

from core.errors import DetectorUnavailableError, UnknownDetectorError
from core.faces.face import Face
from core.faces.model_pool import ModelPool
from core.faces.scaling import resized
from core.images import require_rgb
from core.parallel import core_count

# The longest side of the photo at each level of the pyramid. Most photos need the first level only.
LEVELS_PX = (1024, 2048, 4096)
# If no face is found, the search ends at this level: it finds faces of 20 px, and a larger one would cost seconds.
LAST_LEVEL_WITHOUT_FACES_PX = 2048
# A face below this size in the scaled photo suggests that smaller ones were missed.
SMALL_FACE_PX = 48
# A 48 px training frame is itself a face; detectors find faces in it only after it has been enlarged to this size.
MIN_LONGEST_SIDE_PX = 192

AUTO = "auto"


class Detector(ABC):
    """Finds faces in photos of any size; shared between threads, as many of which detect at once as there are cores.

    Faces with a score below ``min_score`` are dropped; those below ``sure_score`` are marked as uncertain. Upright
    faces usually reach ``upright_score``, sideways and inverted ones rarely (:func:`core.faces.find_faces`).
    """

    name: ClassVar[str]
    sure_score: ClassVar[float] = 0.0
    upright_score: ClassVar[float] = 0.0
    # Fraction of the photo's shorter side that is added all around by repeating the border.
    border: ClassVar[float] = 0.0

    def __init__(self, *, min_score: float) -> None:
        if not 0 <= min_score <= 1:
            raise ValueError(f"min_score must lie in [0, 1], got {min_score}")
        self.min_score = min_score
        self._models = ModelPool(self._load, core_count())

    @abstractmethod
    def _load(self) -> Any:
        """A new model for :meth:`_find`. Raises DetectorUnavailableError."""

    @abstractmethod
    def _find(self, view: np.ndarray, model: Any) -> list[Face]:
        """The faces in a photo already scaled for detection, in px of it. No other thread uses ``model`` meanwhile."""

    def detect(self, image_rgb: np.ndarray) -> list[Face]:
        """The faces in an upright photo (H, W, 3) uint8, ranked by size times score, uncertain ones last.

        Boxes and landmarks are in px of the photo. The photo is searched at a longest side of 1,024 px, and again at
        twice the size as long as no face or only small faces were found and the photo has the resolution.
        """
        require_rgb(image_rgb)
        longest_px = max(image_rgb.shape[:2])
        faces: list[Face] = []
        for level_px in LEVELS_PX:
            view, to_photo = _scaled(image_rgb, level_px)
            small_px = SMALL_FACE_PX * to_photo[0]
            faces = _merged(faces, self._found_in(view, to_photo), small_px)
            only_small = not faces or statistics.median(face.box.side for face in faces) < small_px
            if level_px >= longest_px or not only_small or (not faces and level_px >= LAST_LEVEL_WITHOUT_FACES_PX):
                break
        # Threads report in any order; equal faces are numbered from the top left.
        return sorted(faces, key=lambda f: (f.uncertain, -f.box.area * f.score, f.box.top, f.box.left))

    def _found_in(self, view: np.ndarray, to_photo: tuple[float, float]) -> list[Face]:
        """The faces in a scaled photo, in px of the photo; ``to_photo`` (x, y) is photo px per px of the view."""
        pad = round(self.border * min(view.shape[:2]))
        if pad:
            view = cv2.copyMakeBorder(view, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
        with self._models.borrowed() as model:
            found = self._find(view, model)
        offset = (-pad * to_photo[0], -pad * to_photo[1])
        return [
            replace(face.mapped(to_photo, offset), uncertain=face.score < self.sure_score)
            for face in found
            if face.score >= self.min_score
        ]


@dataclass(frozen=True)
class DetectorKind:
    """A registered detector: how it is built and what a reader should know about it."""

    name: str
    title: str
    build: type[Detector]
    summary: str
    preference: int


_KINDS: dict[str, DetectorKind] = {}
D = TypeVar("D", bound=Detector)


def register_detector(name: str, *, title: str, preference: int) -> Callable[[type[D]], type[D]]:
    """Decorator for a :class:`Detector`; the first line of its docstring is shown to users.

    ``"auto"`` tries the available detectors by ascending ``preference``.
    """

    def add(build: type[D]) -> type[D]:
        if name in _KINDS:
            raise ValueError(f"the detector {name!r} is registered twice")
        build.name = name
        _KINDS[name] = DetectorKind(name, title, build, (build.__doc__ or "").strip().splitlines()[0], preference)
        return build

    return add


def detectors() -> dict[str, DetectorKind]:
    """All detectors by name, in the order in which ``"auto"`` tries them."""
    return {kind.name: kind for kind in sorted(_KINDS.values(), key=lambda kind: kind.preference)}


def detector(name: str = AUTO, **options: Any) -> Detector:
    """A detector ready for use, with its own options; ``"auto"`` takes the first one whose model is available.

    The ``name`` of the result is the detector's own, never ``"auto"``. Raises UnknownDetectorError,
    DetectorUnavailableError if the model file is missing, and TypeError for an option that the detector lacks.
    """
    if name == AUTO:
        return first_available(detector)
    if name not in _KINDS:
        raise UnknownDetectorError(f"no face detector {name!r}; available: {', '.join([AUTO, *detectors()])}")
    return _KINDS[name].build(**options)


def first_available(build: Callable[[str], Detector]) -> Detector:
    """The first detector that ``build`` returns for its name. Raises DetectorUnavailableError if there is none."""
    for name in detectors():
        with contextlib.suppress(DetectorUnavailableError):
            return build(name)
    raise DetectorUnavailableError("no face detector is available; install the requirements again: make setup")


_step_lock = threading.Lock()
_steps = 0  # that run in all_cores now


@contextlib.contextmanager
def all_cores() -> Iterator[None]:
    """OpenCV on all cores for a step that is long enough to be divided; elsewhere it uses one (``core.faces``).

    Steps that run at the same time divide the cores between them.
    """
    _add_steps(1)
    try:
        yield
    finally:
        _add_steps(-1)


def _add_steps(change: int) -> None:
    global _steps
    with _step_lock:
        _steps += change
        cv2.setNumThreads(max(1, core_count() // _steps) if _steps else 1)


def _scaled(image: np.ndarray, longest_px: int) -> tuple[np.ndarray, tuple[float, float]]:
    """The photo with a longest side of at most ``longest_px``, and the photo px per px of the result (x, y)."""
    height, width = image.shape[:2]
    longest = max(height, width)
    scale = max(min(longest, longest_px), MIN_LONGEST_SIDE_PX) / longest
    view = resized(image, max(1, round(width * scale)), max(1, round(height * scale)))
    return view, (width / view.shape[1], height / view.shape[0])


def _merged(faces: list[Face], closer: list[Face], small_px: float) -> list[Face]:
    """The faces of one level of the pyramid together with those of the next, each face once.

    A face below ``small_px`` is measured better in the larger view; of a larger face that view may show only parts.
    """
    kept = [face for face in faces if face.box.side >= 2 * small_px]
    added = [face for face in closer if not any(_same_face(face, known) for known in kept)]
    return kept + added + [f for f in faces if f not in kept and not any(_same_face(f, new) for new in added)]


def _same_face(one: Face, other: Face) -> bool:
    """Whether two detections show the same face: one box holds the center of the other."""
    return one.box.contains(other.box.center) or other.box.contains(one.box.center)
