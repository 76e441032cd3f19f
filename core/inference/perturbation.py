"""What would change the answer: the same face darker, blurred, turned, or with parts of it hidden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from core.errors import NotFiniteError, PerturbationError
from core.faces import CropMargin, crop
from core.inference.analysis import ENSEMBLE, FaceAnalysis, PhotoAnalysis, margin_for
from core.inference.one_core import one_core_map
from core.inference.predictor import Prediction, Predictor, ensemble_prediction

GRID = 6
NOISE_SEED = 0

# Where an upright face's parts lie in a crop framed as FER2013's are: a drawn template, cells (row, column).
REGIONS = {
    "brows": frozenset((1, column) for column in range(GRID)),
    "eyes": frozenset((2, column) for column in range(GRID)),
    "nose": frozenset((3, column) for column in (2, 3)),
    "mouth": frozenset((4, column) for column in (1, 2, 3, 4)),
    "left half": frozenset((row, column) for row in range(GRID) for column in range(GRID // 2)),
    "right half": frozenset((row, column) for row in range(GRID) for column in range(GRID // 2, GRID)),
}


@dataclass(frozen=True)
class Knob:
    """A numeric field of :class:`Perturbation` with what it means and how far it goes."""

    name: str
    title: str
    unit: str
    low: float
    high: float
    step: float
    identity: float


KNOBS = {
    knob.name: knob
    for knob in (
        Knob("brightness", "Brightness", "of the full range", -0.5, 0.5, 0.05, 0.0),
        Knob("contrast", "Contrast", "times", 0.2, 2.0, 0.1, 1.0),
        Knob("blur", "Blur", "% of the crop's side", 0.0, 10.0, 0.5, 0.0),
        Knob("noise", "Noise", "of the full range", 0.0, 0.3, 0.02, 0.0),
        Knob("jpeg_quality", "JPEG quality", "100: not compressed", 5.0, 100.0, 5.0, 100.0),
        Knob("rotation_deg", "Rotation", "degrees, counter-clockwise", -45.0, 45.0, 5.0, 0.0),
        Knob("margin", "Crop margin", "of the face's side", -0.2, 0.4, 0.05, 0.0),
    )
}


@dataclass(frozen=True)
class Perturbation:
    """A change to a face; as made without arguments it changes nothing.

    ``brightness`` is added and ``noise`` is a standard deviation, both in parts of the full range; ``contrast``
    multiplies the distance from the picture's mean. ``blur`` is the standard deviation of a Gaussian in per cent of the
    side. A ``jpeg_quality`` of 100 leaves the picture uncompressed. ``margin`` is added on each side of the crop, in
    parts of the detector's box; it needs the photo, so :meth:`apply` leaves it to :func:`perturbed_inputs`. ``hidden``
    are cells (row, column) of a 6 x 6 grid, filled with the picture's mean.
    """

    brightness: float = 0.0
    contrast: float = 1.0
    blur: float = 0.0
    noise: float = 0.0
    jpeg_quality: float = 100.0
    rotation_deg: float = 0.0
    margin: float = 0.0
    mirrored: bool = False
    hidden: frozenset[tuple[int, int]] = frozenset()

    def __post_init__(self) -> None:
        for name, knob in KNOBS.items():
            value = getattr(self, name)
            # Negated, so that a NaN is refused too.
            if not knob.low <= value <= knob.high:
                raise PerturbationError(f"{name} must lie in {knob.low} to {knob.high}, got {value}")
        outside = [cell for cell in self.hidden if not all(0 <= place < GRID for place in cell)]
        if outside:
            raise PerturbationError(f"hidden cells must lie in a grid of {GRID} × {GRID}, got {min(outside)}")
        if len(self.hidden) == GRID * GRID:
            raise PerturbationError("the whole face is hidden; leave at least one cell of it visible")

    @property
    def is_identity(self) -> bool:
        """Whether nothing is changed."""
        return self == Perturbation()

    def apply(self, image: np.ndarray) -> np.ndarray:
        """A square picture (S, S) or (S, S, 3) uint8 with the change made to it; its margin stays."""
        return self.altered(self.framed(image))

    def framed(self, image: np.ndarray) -> np.ndarray:
        """Turned and mirrored, at whatever resolution the picture has; the border is repeated."""
        if self.mirrored:
            image = np.ascontiguousarray(image[:, ::-1])
        if self.rotation_deg:
            height, width = image.shape[:2]
            turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), self.rotation_deg, 1.0)
            image = np.asarray(cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REPLICATE))
        return image

    def altered(self, image: np.ndarray, *, noise_seed: int | Sequence[int] = NOISE_SEED) -> np.ndarray:
        """Blurred, with other light, noise, compressed, and with cells hidden, in this order."""
        changed = image
        sigma_px = self.blur / 100 * max(image.shape[:2])
        if sigma_px > 0.1:  # a narrower kernel is a single pixel, and OpenCV refuses the narrowest
            changed = np.asarray(cv2.GaussianBlur(changed, (0, 0), sigma_px))
        if self.brightness or self.contrast != 1.0 or self.noise:
            values = changed.astype(np.float32)
            mean = values.mean(axis=(0, 1))
            values = mean + self.contrast * (values - mean) + 255 * self.brightness
            if self.noise:
                # The same grain whatever the other sliders say, alike in all colors as a sensor's luminance noise.
                grain = np.random.default_rng(noise_seed).normal(0.0, 255 * self.noise, image.shape[:2])
                values = values + (grain if image.ndim == 2 else grain[..., None])
            changed = np.clip(np.rint(values), 0, 255).astype(np.uint8)
        if self.jpeg_quality < 100:
            changed = _compressed(changed, round(self.jpeg_quality))
        if self.hidden:
            changed = changed.copy()
            mean_color = changed.mean(axis=(0, 1)).round().astype(np.uint8)
            rows = np.linspace(0, image.shape[0], GRID + 1).round().astype(int)
            columns = np.linspace(0, image.shape[1], GRID + 1).round().astype(int)
            for row, column in self.hidden:
                changed[rows[row] : rows[row + 1], columns[column] : columns[column + 1]] = mean_color
        return changed


def _compressed(image: np.ndarray, quality: int) -> np.ndarray:
    color = image.ndim == 3
    written = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if color else image  # OpenCV writes blue first
    _, data = cv2.imencode(".jpg", written, [cv2.IMWRITE_JPEG_QUALITY, quality])
    read = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    return np.asarray(cv2.cvtColor(np.asarray(read), cv2.COLOR_BGR2RGB) if color else read)


def perturbed_inputs(
    predictor: Predictor, analysis: PhotoAnalysis, face_number: int, changes: Sequence[Perturbation]
) -> list[np.ndarray]:
    """The face as the network sees it after each change, (S, S) or (S, S, 3) uint8.

    Turning, mirroring and cropping happen at the photo's resolution, everything else at the network's own: noise on a
    large photo would average away before it reached the network.
    """
    preprocessing = predictor.card.preprocessing
    plain = replace(preprocessing, equalize="none")
    face, margin = analysis.faces[face_number].face, margin_for(predictor, analysis.detector)
    crops: dict[float, np.ndarray] = {}
    inputs = []
    for change in changes:
        if change.margin not in crops:
            # Tighter than a tenth of the box is no face any more.
            side = max(margin.side + change.margin, -0.45)
            crops[change.margin] = crop(analysis.image, face, CropMargin(side, margin.dx, margin.dy))
        seen = change.altered(plain.to_input_image(change.framed(crops[change.margin])))
        inputs.append(preprocessing.to_input_image(seen))
    return inputs


def perturbed(
    predictors: Sequence[Predictor], analysis: PhotoAnalysis, face_number: int, change: Perturbation
) -> FaceAnalysis:
    """What the networks say of a changed face, the ensemble beside them where they share their classes.

    A network that meets a value that is not a finite number says nothing. Raises NotFiniteError where all do.
    """

    def of_network(predictor: Predictor) -> tuple[np.ndarray, Prediction | None]:
        (seen,) = perturbed_inputs(predictor, analysis, face_number, [change])
        try:
            return seen, predictor.predict_inputs([seen])[0]
        except NotFiniteError:
            return seen, None

    longest_first = sorted(predictors, key=lambda p: -p.card.macs)
    found = dict(zip((p.model_id for p in longest_first), one_core_map(of_network, longest_first), strict=True))
    inputs = {p.model_id: found[p.model_id][0] for p in predictors}
    predictions = {m: answer for m, (_, answer) in found.items() if answer is not None}
    predictions = {p.model_id: predictions[p.model_id] for p in predictors if p.model_id in predictions}
    if not predictions:
        raise NotFiniteError(*(p.model_id for p in predictors))
    if ENSEMBLE in analysis.faces[face_number].predictions and len(predictions) > 1:
        predictions[ENSEMBLE] = ensemble_prediction(list(predictions.values()), ENSEMBLE)
    return FaceAnalysis(analysis.faces[face_number].face, inputs, predictions)


@dataclass(frozen=True, eq=False)
class Sweep:
    """One network's answers while one knob is turned and all else stays."""

    knob: Knob
    positions: np.ndarray  # (V,) of the knob
    predictions: tuple[Prediction, ...]  # V, without features

    def probability(self, class_index: int) -> np.ndarray:
        """(V,) of one class."""
        return np.array([p.probabilities[class_index] for p in self.predictions])


def sweep(
    predictor: Predictor,
    analysis: PhotoAnalysis,
    face_number: int,
    change: Perturbation,
    knob: str,
    values: Sequence[float] | None = None,
) -> Sweep:
    """``change`` with one knob at each of the values (None: 13 over its range), in one batch.

    Raises PerturbationError for a knob there is not, and NotFiniteError.
    """
    if knob not in KNOBS:
        raise PerturbationError(f"there is no knob {knob!r}; there are {', '.join(KNOBS)}")
    chosen = np.linspace(KNOBS[knob].low, KNOBS[knob].high, 13) if values is None else np.asarray(values, float)
    changes = [replace(change, **{knob: float(v)}) for v in chosen]  # type: ignore[arg-type]  # every knob is a float
    inputs = perturbed_inputs(predictor, analysis, face_number, changes)
    return Sweep(KNOBS[knob], chosen, tuple(predictor.predict_inputs(inputs, keep_features=False)))
