"""What if: predictions of the same face after a change of lighting, sharpness, framing, or with parts occluded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from core.errors import NotFiniteError, PerturbationError
from core.faces import CropMargin, crop
from core.inference import FaceAnalysis, PhotoAnalysis, Prediction, Predictor, margin_for
from core.parallel import parallel_map

OCCLUSION_GRID = 6
NOISE_SEED = 0

# Parts of an upright face in a crop framed as FER2013's, as cells (row, column) of the occlusion grid.
OCCLUSION_PRESETS = {
    "brows": frozenset((1, column) for column in range(OCCLUSION_GRID)),
    "eyes": frozenset((2, column) for column in range(OCCLUSION_GRID)),
    "nose": frozenset((3, column) for column in (2, 3)),
    "mouth": frozenset((4, column) for column in (1, 2, 3, 4)),
    "left half": frozenset((row, column) for row in range(OCCLUSION_GRID) for column in range(OCCLUSION_GRID // 2)),
    "right half": frozenset(
        (row, column) for row in range(OCCLUSION_GRID) for column in range(OCCLUSION_GRID // 2, OCCLUSION_GRID)
    ),
}


@dataclass(frozen=True)
class PerturbationSetting:
    """A numeric field of :class:`Perturbation` with its unit, range and neutral value.

    ``short_unit`` is an abbreviated unit for the labels of controls.
    """

    name: str
    title: str
    short_unit: str
    unit: str
    low: float
    high: float
    step: float
    identity: float

    @property
    def title_in_text(self) -> str:
        """The title inside a sentence: "rotation", "JPEG quality"."""
        return self.title if self.title[:2].isupper() else self.title.lower()


PERTURBATION_SETTINGS = {
    setting.name: setting
    for setting in (
        PerturbationSetting("brightness", "Brightness", "fraction", "fraction of the full range", -0.5, 0.5, 0.05, 0.0),
        PerturbationSetting("contrast", "Contrast", "factor", "factor; 1 leaves it unchanged", 0.2, 2.0, 0.1, 1.0),
        PerturbationSetting("blur", "Blur", "% of side", "% of the crop's side", 0.0, 10.0, 0.5, 0.0),
        PerturbationSetting("noise", "Noise", "fraction", "fraction of the full range", 0.0, 0.3, 0.02, 0.0),
        PerturbationSetting("jpeg_quality", "JPEG quality", "of 100", "100: not compressed", 5.0, 100.0, 5.0, 100.0),
        PerturbationSetting("rotation_deg", "Rotation", "°", "degrees, counterclockwise", -45.0, 45.0, 5.0, 0.0),
        PerturbationSetting("margin", "Crop margin", "fraction", "fraction of the box's side", -0.2, 0.4, 0.05, 0.0),
    )
}


@dataclass(frozen=True)
class Perturbation:
    """A change to a face. The default values change nothing.

    ``brightness`` is added, and ``noise`` is a standard deviation, both as a fraction of the full range; ``contrast``
    multiplies the distance from the image's mean. ``blur`` is the standard deviation of a Gaussian in percent of the
    side. A ``jpeg_quality`` of 100 leaves the image uncompressed. ``margin`` is added on each side of the crop, as a
    fraction of the detector's box; it needs the photo, so :func:`perturbed_inputs` applies it, not :meth:`apply`.
    ``hidden`` are cells (row, column) of a 6 x 6 grid, filled with the image's mean.
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
        for name, setting in PERTURBATION_SETTINGS.items():
            value = getattr(self, name)
            # Negated, so that NaN is refused as well.
            if not setting.low <= value <= setting.high:
                raise PerturbationError(f"{name} must lie in {setting.low} to {setting.high}, got {value}")
        outside = [cell for cell in self.hidden if not all(0 <= index < OCCLUSION_GRID for index in cell)]
        if outside:
            raise PerturbationError(
                f"the hidden cells must lie in a grid of {OCCLUSION_GRID} × {OCCLUSION_GRID}, got {min(outside)}"
            )
        if len(self.hidden) == OCCLUSION_GRID * OCCLUSION_GRID:
            raise PerturbationError("the whole face is hidden; leave at least one cell visible")

    @property
    def is_identity(self) -> bool:
        """Whether nothing is changed."""
        return self == Perturbation()

    def apply(self, image: np.ndarray, *, noise_seed: int | Sequence[int] = NOISE_SEED) -> np.ndarray:
        """A changed copy of a square image (S, S) or (S, S, 3) uint8; the margin is not changed."""
        return self.apply_pixels(self.apply_geometry(image), noise_seed=noise_seed)

    def apply_geometry(self, image: np.ndarray) -> np.ndarray:
        """Mirror and rotate an image of any resolution; border pixels are repeated."""
        if self.mirrored:
            image = np.ascontiguousarray(image[:, ::-1])
        if self.rotation_deg:
            height, width = image.shape[:2]
            rotation = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), self.rotation_deg, 1.0)
            image = np.asarray(cv2.warpAffine(image, rotation, (width, height), borderMode=cv2.BORDER_REPLICATE))
        return image

    def apply_pixels(self, image: np.ndarray, *, noise_seed: int | Sequence[int] = NOISE_SEED) -> np.ndarray:
        """Apply blur, lighting, noise, compression and hidden cells, in this order."""
        changed = image
        sigma_px = self.blur / 100 * max(image.shape[:2])
        if sigma_px > 0.1:  # a narrower kernel is a single pixel, which OpenCV refuses
            changed = np.asarray(cv2.GaussianBlur(changed, (0, 0), sigma_px))
        if self.brightness or self.contrast != 1.0 or self.noise:
            values = changed.astype(np.float32)
            mean = values.mean(axis=(0, 1))
            values = mean + self.contrast * (values - mean) + 255 * self.brightness
            if self.noise:
                # The same noise for every other setting, and in all colors as a sensor's luminance noise.
                noise = np.random.default_rng(noise_seed).normal(0.0, 255 * self.noise, image.shape[:2])
                values = values + (noise if image.ndim == 2 else noise[..., None])
            changed = np.clip(np.rint(values), 0, 255).astype(np.uint8)
        if self.jpeg_quality < 100:
            changed = _compress(changed, round(self.jpeg_quality))
        if self.hidden:
            changed = changed.copy()
            mean_color = changed.mean(axis=(0, 1)).round().astype(np.uint8)
            rows = np.linspace(0, image.shape[0], OCCLUSION_GRID + 1).round().astype(int)
            columns = np.linspace(0, image.shape[1], OCCLUSION_GRID + 1).round().astype(int)
            for row, column in self.hidden:
                changed[rows[row] : rows[row + 1], columns[column] : columns[column + 1]] = mean_color
        return changed


def _compress(image: np.ndarray, quality: int) -> np.ndarray:
    color = image.ndim == 3
    written = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if color else image  # OpenCV writes blue first
    _, data = cv2.imencode(".jpg", written, [cv2.IMWRITE_JPEG_QUALITY, quality])
    read = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    return np.asarray(cv2.cvtColor(np.asarray(read), cv2.COLOR_BGR2RGB) if color else read)


def perturbed_inputs(
    predictor: Predictor, analysis: PhotoAnalysis, face_number: int, changes: Sequence[Perturbation]
) -> list[np.ndarray]:
    """The face at the network's input size after each change, (S, S) or (S, S, 3) uint8.

    Rotation, mirroring and cropping happen at the photo's resolution, all other changes at the network's: noise on a
    large photo would average out before it reached the network.
    """
    preprocessing = predictor.card.preprocessing
    plain = replace(preprocessing, equalize="none")
    face, margin = analysis.faces[face_number].face, margin_for(predictor.card, analysis.detector)
    crops: dict[float, np.ndarray] = {}
    inputs = []
    for change in changes:
        if change.margin not in crops:
            # Less than a tenth of the box no longer shows a face.
            side = max(margin.side + change.margin, -0.45)
            crops[change.margin] = crop(analysis.image, face, CropMargin(side, margin.dx, margin.dy))
        seen = change.apply_pixels(plain.to_input_image(change.apply_geometry(crops[change.margin])))
        inputs.append(preprocessing.to_input_image(seen))
    return inputs


def predict_perturbed(
    predictors: Sequence[Predictor], analysis: PhotoAnalysis, face_number: int, change: Perturbation
) -> FaceAnalysis:
    """The predictions for a changed face.

    A network that returns NaN or infinity has no prediction; raises NotFiniteError where all do.
    """

    def of_network(predictor: Predictor) -> tuple[np.ndarray, Prediction | None]:
        (seen,) = perturbed_inputs(predictor, analysis, face_number, [change])
        try:
            return seen, predictor.predict_inputs([seen])[0]
        except NotFiniteError:
            return seen, None

    slowest_first = sorted(predictors, key=lambda p: -p.card.macs)
    results = dict(zip((p.model_id for p in slowest_first), parallel_map(of_network, slowest_first), strict=True))
    inputs = {p.model_id: results[p.model_id][0] for p in predictors}
    predictions = {p.model_id: found for p in predictors if (found := results[p.model_id][1]) is not None}
    if not predictions:
        raise NotFiniteError(*(p.model_id for p in predictors))
    return FaceAnalysis(analysis.faces[face_number].face, inputs, predictions)


@dataclass(frozen=True, eq=False)
class Sweep:
    """Predictions of one network while one setting varies and all others are fixed."""

    setting: PerturbationSetting
    setting_values: np.ndarray  # (V,)
    predictions: tuple[Prediction, ...]  # V, without features

    def probability(self, class_index: int) -> np.ndarray:
        """(V,) of one class."""
        return np.array([p.probabilities[class_index] for p in self.predictions])


def sweep(
    predictor: Predictor,
    analysis: PhotoAnalysis,
    face_number: int,
    change: Perturbation,
    setting: str,
    values: Sequence[float] | None = None,
) -> Sweep:
    """Predictions for ``change`` with one setting at each of the values (None: 13 over its range), in one batch.

    Raises PerturbationError for an unknown setting, and NotFiniteError.
    """
    if setting not in PERTURBATION_SETTINGS:
        raise PerturbationError(f"unknown setting {setting!r}; available: {', '.join(PERTURBATION_SETTINGS)}")
    varied = PERTURBATION_SETTINGS[setting]
    chosen = np.linspace(varied.low, varied.high, 13) if values is None else np.asarray(values, float)
    changes = [replace(change, **{setting: float(v)}) for v in chosen]  # type: ignore[arg-type]  # every one is a float
    inputs = perturbed_inputs(predictor, analysis, face_number, changes)
    return Sweep(varied, chosen, tuple(predictor.predict_inputs(inputs, keep_features=False)))
