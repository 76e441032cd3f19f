"""Photo -> faces -> every chosen network: the one path shared by the pages and the command line."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import NotFiniteError
from core.faces import MEASURED, CropMargin, Detector, Face, crop, whole_image_face
from core.inference.predictor import Prediction, Predictor, ensemble_prediction

ENSEMBLE = "ensemble"


@dataclass(frozen=True)
class FaceAnalysis:
    """One face of a photo: where it is, what each network saw of it, and what each said; at least one said something.

    A network that met a value that is not a finite number has an input and no prediction.
    """

    face: Face
    inputs: Mapping[str, np.ndarray]  # model_id -> the crop as that network sees it, (S, S) or (S, S, 3) uint8
    predictions: Mapping[str, Prediction]  # model_id -> answer; "ensemble" beside them where there are two or more

    @property
    def agreeing(self) -> int:
        """How many single networks give the expression that most of them give."""
        votes = [p.expression for model_id, p in self.predictions.items() if model_id != ENSEMBLE]
        return max(votes.count(v) for v in votes)

    @property
    def verdict(self) -> Prediction:
        """The ensemble's answer, or the only network's."""
        return self.predictions.get(ENSEMBLE) or next(iter(self.predictions.values()))


@dataclass(frozen=True)
class PhotoAnalysis:
    """Everything the networks say of one photo; ``faces`` is empty where none was found."""

    image: np.ndarray  # (H, W, 3) uint8, upright
    detector: str
    faces: tuple[FaceAnalysis, ...]
    elapsed_ms: Mapping[str, float]  # by step: detect, crop, predict
    left_out: tuple[str, ...] = ()  # model ids of the networks that met a value that is not a finite number

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays it keeps: the photo's, and for each face the crops and the features."""
        arrays = [self.image]
        for face in self.faces:
            arrays += face.inputs.values()
            arrays += [a for p in face.predictions.values() for a in (p.logits, p.features) if a is not None]
        return sum(array.nbytes for array in arrays)

    def answering(self, predictors: Iterable[Predictor]) -> tuple[Predictor, ...]:
        """Those of the networks that gave answers."""
        return tuple(p for p in predictors if p.model_id not in self.left_out)


def analyze(
    image: np.ndarray, detector: Detector, predictors: Sequence[Predictor], *, whole_image: bool = False
) -> PhotoAnalysis:
    """Find the faces of an upright RGB photo (H, W, 3) and ask every network, all faces in one batch each.

    ``whole_image`` takes the photo's central square as the one face instead of detecting. The mean of the networks'
    probabilities is added as ``"ensemble"`` where two or more networks share their classes. A network that meets a
    value that is not a finite number is left out and named; raises NotFiniteError where all do. Safe in several
    threads.
    """
    if not predictors:
        raise ValueError("analyze needs at least one network, got none; choose one")
    clock = time.perf_counter()
    faces = [whole_image_face(image)] if whole_image else detector.detect(image)
    detected = time.perf_counter()

    # Networks trained on the same data share their framing, so each crop is made once.
    crops: dict[CropMargin, list[np.ndarray]] = {}
    for predictor in predictors:
        margin = margin_for(predictor, "whole image" if whole_image else detector.name)
        if margin not in crops:
            crops[margin] = [crop(image, face, margin) for face in faces]
    cropped = time.perf_counter()

    answers: dict[str, list[Prediction]] = {}
    inputs: dict[str, list[np.ndarray]] = {}
    left_out: list[str] = []
    for predictor in predictors:
        chosen = crops[margin_for(predictor, "whole image" if whole_image else detector.name)]
        inputs[predictor.model_id] = predictor.input_images(chosen)
        try:
            answers[predictor.model_id] = predictor.predict_inputs(inputs[predictor.model_id])
        except NotFiniteError:
            left_out.append(predictor.model_id)
    if not answers:
        raise NotFiniteError(*left_out)
    shared = len({p.card.labels.classes for p in predictors if p.model_id in answers}) == 1
    analyzed = []
    for number, face in enumerate(faces):
        predictions = {model_id: of_faces[number] for model_id, of_faces in answers.items()}
        if shared and len(predictions) > 1:
            predictions[ENSEMBLE] = ensemble_prediction(list(predictions.values()), ENSEMBLE)
        analyzed.append(FaceAnalysis(face, {m: images[number] for m, images in inputs.items()}, predictions))
    predicted = time.perf_counter()

    elapsed_ms = {
        "detect": (detected - clock) * 1e3,
        "crop": (cropped - detected) * 1e3,
        "predict": (predicted - cropped) * 1e3,
    }
    found_by = "whole image" if whole_image else detector.name
    return PhotoAnalysis(image, found_by, tuple(analyzed), elapsed_ms, tuple(left_out))


def margin_for(predictor: Predictor, detector: str) -> CropMargin:
    """How that network's training images are framed around the detector's box; the whole image is taken as it is."""
    stored = predictor.card.preprocessing.crop_margin.get(detector)
    if stored is not None:
        return CropMargin(*stored)
    return MEASURED.get(detector, CropMargin(0.0))
