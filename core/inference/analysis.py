"""Photo -> faces -> predictions of every network: the one path shared by the pages and the command line."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.errors import NotFiniteError
from core.faces import MEASURED, CropMargin, Detection, Detector, Face, crop, find_faces, whole_image_face
from core.images import rotated
from core.inference.ensemble import LabelGroup, group_predictions, predictions_by_model
from core.inference.predictor import Prediction, Predictor

WHOLE_IMAGE = "whole image"  # the detector's name where no detector was used


@dataclass(frozen=True, eq=False)
class FaceAnalysis:
    """One face of a photo with the networks' predictions, of which there is at least one.

    A network that returned NaN or infinity has an input and no prediction.
    """

    face: Face
    inputs: Mapping[str, np.ndarray]  # model id -> the crop at that network's input size, (S, S) or (S, S, 3) uint8
    groups: tuple[LabelGroup, ...]  # networks with the same classes; the largest group first

    @cached_property
    def predictions(self) -> Mapping[str, Prediction]:
        """The predictions of the single networks by model id, group by group."""
        return predictions_by_model(self.groups)

    @property
    def verdict(self) -> Prediction:
        """The verdict of the first, largest group: its ensemble, or its only prediction."""
        return self.groups[0].verdict

    def group_of(self, model_id: str) -> LabelGroup:
        """The group of a network. Raises KeyError for a network without a prediction."""
        for group in self.groups:
            if model_id in group.predictions:
                return group
        raise KeyError(f"{model_id} has no prediction for this face; available: {', '.join(self.predictions)}")


@dataclass(frozen=True, eq=False)
class PhotoAnalysis:
    """The faces of one photo with their predictions; ``faces`` is empty where none was found."""

    image: np.ndarray  # (H, W, 3) uint8, upright
    detector: str
    faces: tuple[FaceAnalysis, ...]
    elapsed_ms: Mapping[str, float]  # by step: detect, crop, predict
    left_out: tuple[str, ...] = ()  # model ids of the networks that returned NaN or infinity
    rotation_deg: int = 0  # by how much ``image`` is the given photo rotated clockwise

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays: the photo, and the crops and features of each face."""
        arrays = [self.image]
        for face in self.faces:
            arrays += face.inputs.values()
            arrays += [a for p in face.predictions.values() for a in (p.logits, p.features) if a is not None]
        return sum(array.nbytes for array in arrays)

    def name_of(self, number: int) -> str:
        """What the face with that index is called: its number from 1, or "whole image" where nothing was detected."""
        return WHOLE_IMAGE if self.detector == WHOLE_IMAGE else f"face {number + 1}"

    def predicting(self, predictors: Iterable[Predictor]) -> tuple[Predictor, ...]:
        """Those of the networks that have predictions."""
        return tuple(p for p in predictors if p.model_id not in self.left_out)


def analyze(
    image: np.ndarray,
    detector: Detector,
    predictors: Sequence[Predictor],
    *,
    whole_image: bool = False,
    rotation_deg: int | None = None,
) -> PhotoAnalysis:
    """Find the faces of an RGB photo (H, W, 3) and predict each with every network, in one batch per network.

    A photo that was stored sideways is set upright (:func:`core.faces.find_faces`), unless ``rotation_deg`` states by
    how much it is rotated clockwise. ``whole_image`` takes the central square of the photo as its only face instead of
    detecting. A network that returns NaN or infinity is left out and
    named; raises NotFiniteError where all do. Safe in several threads.
    """
    if not predictors:
        raise ValueError("analyze needs at least one network, got none; choose one")
    start = time.perf_counter()
    if whole_image:
        image = rotated(image, rotation_deg or 0)
        detection = Detection((whole_image_face(image),), WHOLE_IMAGE, rotation_deg or 0, image)
    else:
        detection = find_faces(image, detector, rotation_deg)
    image, faces, found_by = detection.image, detection.faces, detection.detector
    detected = time.perf_counter()

    # Networks trained on the same data share their framing, so each crop is made once.
    margins = {p.model_id: margin_for(p, found_by) for p in predictors}
    crops = {margin: [crop(image, face, margin) for face in faces] for margin in dict.fromkeys(margins.values())}
    cropped = time.perf_counter()

    predictions: dict[str, list[Prediction]] = {}
    inputs: dict[str, list[np.ndarray]] = {}
    left_out: list[str] = []
    for predictor in predictors:
        model_id = predictor.model_id
        inputs[model_id] = predictor.input_images(crops[margins[model_id]])
        try:
            predictions[model_id] = predictor.predict_inputs(inputs[model_id])
        except NotFiniteError:
            left_out.append(model_id)
    if not predictions:
        raise NotFiniteError(*left_out)
    analyzed = [
        FaceAnalysis(
            face,
            {model_id: images[number] for model_id, images in inputs.items()},
            group_predictions({model_id: of_faces[number] for model_id, of_faces in predictions.items()}),
        )
        for number, face in enumerate(faces)
    ]
    predicted = time.perf_counter()

    elapsed_ms = {
        "detect": (detected - start) * 1e3,
        "crop": (cropped - detected) * 1e3,
        "predict": (predicted - cropped) * 1e3,
    }
    return PhotoAnalysis(image, found_by, tuple(analyzed), elapsed_ms, tuple(left_out), detection.rotation_deg)


def margin_for(predictor: Predictor, detector: str) -> CropMargin:
    """How that network's training images are framed around the detector's box; a whole image has no margin."""
    stored = predictor.card.preprocessing.crop_margin.get(detector)
    if stored is not None:
        return CropMargin(*stored)
    return MEASURED.get(detector, CropMargin(0.0))
