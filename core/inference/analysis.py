"""Photo -> faces -> predictions of every network: the one path shared by the pages and the command line."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.checkpoints import ModelCard
from core.errors import NotFiniteError, TooManyFacesError
from core.faces import MEASURED, CropMargin, Detection, Detector, Face, crop, find_faces, whole_image_face
from core.images import rotated
from core.inference.ensemble import LabelGroup, group_predictions
from core.inference.predictor import Prediction, Predictor

WHOLE_IMAGE = "whole image"  # the detector's name where no detector was used


@dataclass(frozen=True, eq=False)
class FaceAnalysis:
    """One face of a photo with the networks' predictions, of which there is at least one.

    A network that returned NaN or infinity has an input and no prediction.
    """

    face: Face
    inputs: Mapping[str, np.ndarray]  # model id -> the crop at that network's input size, (S, S) or (S, S, 3) uint8
    predictions: Mapping[str, Prediction]  # by model id; the classes are in the order of the network's logits

    @cached_property
    def groups(self) -> tuple[LabelGroup, ...]:
        """The predictions of networks with the same classes, in one order of the classes; the largest group first."""
        return group_predictions(self.predictions)

    @property
    def verdict(self) -> Prediction:
        """The verdict of the first, largest group: its ensemble, or its only prediction."""
        return self.groups[0].verdict


@dataclass(frozen=True, eq=False)
class PhotoAnalysis:
    """The faces of one photo with their predictions; ``faces`` is empty where none was found."""

    image: np.ndarray  # (H, W, 3) uint8, upright
    detector: str
    faces: tuple[FaceAnalysis, ...]
    elapsed_ms: Mapping[str, float]  # by step: detect, crop, predict
    left_out: tuple[str, ...] = ()  # model ids of the networks that returned NaN or infinity
    rotation_deg: int = 0  # by how much ``image`` is the given photo rotated clockwise

    def name_of(self, number: int) -> str:
        """What the face with that index is called: its number from 1, or "whole image" where nothing was detected."""
        return WHOLE_IMAGE if self.detector == WHOLE_IMAGE else f"face {number + 1}"

    def predicting(self, predictors: Iterable[Predictor]) -> tuple[Predictor, ...]:
        """Those of the networks that have predictions."""
        return tuple(p for p in predictors if p.model_id not in self.left_out)


@dataclass(frozen=True, eq=False)
class PreparedPhoto:
    """The faces of a photo as networks receive them; no network has run."""

    image: np.ndarray  # (H, W, 3) uint8, upright
    detector: str
    faces: tuple[Face, ...]
    inputs: Mapping[str, list[np.ndarray]]  # model id -> one image per face, (S, S) or (S, S, 3) uint8
    elapsed_ms: Mapping[str, float]  # by step: detect, crop
    rotation_deg: int = 0  # by how much ``image`` is the given photo rotated clockwise


def analyze(
    image: np.ndarray,
    detector: Detector,
    predictors: Sequence[Predictor],
    *,
    whole_image: bool = False,
    rotation_deg: int | None = None,
    max_faces: int | None = None,
) -> PhotoAnalysis:
    """Find the faces of an RGB photo (H, W, 3) and predict each with every network, in one batch per network.

    A photo that was stored sideways is set upright (:func:`core.faces.find_faces`), unless ``rotation_deg`` states by
    how much it is rotated clockwise. ``whole_image`` takes the central square of the photo as its only face instead of
    detecting. A network that returns NaN or infinity is left out and named. Safe in several threads.

    Raises NotFiniteError where every network does so, TooManyFacesError for more than ``max_faces`` faces, and
    BusyError while too many calls wait for a network.
    """
    if not predictors:
        raise ValueError("analyze needs at least one network, got none; choose one")
    cards = [p.card for p in predictors]
    photo = prepare(image, detector, cards, whole_image=whole_image, rotation_deg=rotation_deg, max_faces=max_faces)
    start = time.perf_counter()
    analyzed, left_out = predict_faces(photo.faces, photo.inputs, predictors)
    elapsed_ms = {**photo.elapsed_ms, "predict": (time.perf_counter() - start) * 1e3}
    return PhotoAnalysis(photo.image, photo.detector, analyzed, elapsed_ms, left_out, photo.rotation_deg)


def prepare(
    image: np.ndarray,
    detector: Detector,
    cards: Sequence[ModelCard],
    *,
    whole_image: bool = False,
    rotation_deg: int | None = None,
    max_faces: int | None = None,
) -> PreparedPhoto:
    """The first half of :func:`analyze`: the faces, and the input of each for the networks of these cards."""
    start = time.perf_counter()
    if whole_image:
        image = rotated(image, rotation_deg or 0)
        detection = Detection((whole_image_face(image),), WHOLE_IMAGE, rotation_deg or 0, image)
    else:
        detection = find_faces(image, detector, rotation_deg)
    image, faces, found_by = detection.image, detection.faces, detection.detector
    if max_faces is not None and len(faces) > max_faces:
        raise TooManyFacesError(f"a photo may show at most {max_faces} faces, this one shows {len(faces)}; crop it")
    detected = time.perf_counter()
    inputs = network_inputs([(image, face) for face in faces], found_by, cards)
    elapsed_ms = {"detect": (detected - start) * 1e3, "crop": (time.perf_counter() - detected) * 1e3}
    return PreparedPhoto(image, found_by, faces, inputs, elapsed_ms, detection.rotation_deg)


def network_inputs(
    faces: Sequence[tuple[np.ndarray, Face]], detector: str, cards: Sequence[ModelCard]
) -> dict[str, list[np.ndarray]]:
    """The images that the networks of these cards receive, by model id, in the order of the faces.

    Each face is given with the upright image (H, W, 3) that shows it; ``detector`` names what found it. Networks
    trained on the same data share their framing, so each crop is made once.
    """
    margins = {card.run_id: margin_for(card, detector) for card in cards}
    crops = {margin: [crop(image, face, margin) for image, face in faces] for margin in dict.fromkeys(margins.values())}
    return {card.run_id: [card.preprocessing.to_input_image(c) for c in crops[margins[card.run_id]]] for card in cards}


def predict_faces(
    faces: Sequence[Face],
    inputs: Mapping[str, Sequence[np.ndarray]],
    predictors: Sequence[Predictor],
    *,
    keep_features: bool = True,
) -> tuple[tuple[FaceAnalysis, ...], tuple[str, ...]]:
    """The predictions for faces from the result of :func:`network_inputs`, in one batch per network.

    Returns the faces, and the model ids of networks that returned NaN or infinity and are left out; raises
    NotFiniteError where all do.
    """
    predictions: dict[str, list[Prediction]] = {}
    left_out: list[str] = []
    for predictor in predictors:
        model_id = predictor.model_id
        try:
            predictions[model_id] = predictor.predict_inputs(inputs[model_id], keep_features=keep_features)
        except NotFiniteError:
            left_out.append(model_id)
    if not predictions:
        raise NotFiniteError(*left_out)
    return analyzed_faces(faces, inputs, predictions), tuple(left_out)


def analyze_faces(
    image: np.ndarray, faces: Sequence[Face], detector: str, predictors: Sequence[Predictor]
) -> PhotoAnalysis:
    """Predict known faces of an upright photo, such as those of a tracker; ``detector`` determines the framing.

    Raises NotFiniteError as :func:`analyze`.
    """
    start = time.perf_counter()
    inputs = network_inputs([(image, face) for face in faces], detector, [p.card for p in predictors])
    cropped = time.perf_counter()
    analyzed, left_out = predict_faces(faces, inputs, predictors)
    elapsed_ms = {"crop": (cropped - start) * 1e3, "predict": (time.perf_counter() - cropped) * 1e3}
    return PhotoAnalysis(image, detector, analyzed, elapsed_ms, left_out)


def analyzed_faces(
    faces: Sequence[Face], inputs: Mapping[str, Sequence[np.ndarray]], predictions: Mapping[str, Sequence[Prediction]]
) -> tuple[FaceAnalysis, ...]:
    """Faces with their inputs and predictions; both are given by model id, one per face."""
    return tuple(
        FaceAnalysis(
            face,
            {model_id: images[number] for model_id, images in inputs.items()},
            {model_id: of_faces[number] for model_id, of_faces in predictions.items()},
        )
        for number, face in enumerate(faces)
    )


def margin_for(card: ModelCard, detector: str) -> CropMargin:
    """How a network's training images are framed around the detector's box; a whole image has no margin."""
    stored = card.preprocessing.crop_margin.get(detector)
    if stored is not None:
        return CropMargin(*stored)
    return MEASURED.get(detector, CropMargin(0.0))
