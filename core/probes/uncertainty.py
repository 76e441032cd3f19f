"""How uncertain the predictions of a face are: entropy, disagreement between networks, and test-time augmentation."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.errors import NotFiniteError
from core.evaluation import Abstention, EvaluationRun, abstention, threshold_for
from core.inference import (
    LabelGroup,
    PhotoAnalysis,
    Prediction,
    Predictor,
    ensemble_prediction,
    group_predictions,
    predictions_by_model,
)
from core.probes.perturbation import Perturbation, perturbed_inputs

# Side of a crop relative to the image: 44 of 48 px, as is common for ten-crop testing on FER2013.
CROP_FRACTION = 11 / 12
VIEWS = ("one", "mirror", "ten crops")


@dataclass(frozen=True, eq=False)
class GroupUncertainty:
    """Predictions of the networks that share their classes, in three stages; the same networks in each.

    They have no features, so that the result is small enough to be stored.
    """

    raw: LabelGroup  # temperature 1
    calibrated: LabelGroup  # after temperature scaling
    augmented: LabelGroup  # mean over the views; equal to the calibrated ones for a single view


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """Predictions of one face before and after temperature scaling, and over several views of the face."""

    views: str
    groups: tuple[GroupUncertainty, ...]  # the largest group first

    @property
    def verdict(self) -> Prediction:
        """The verdict of the largest group over the views."""
        return self.groups[0].augmented.verdict

    @property
    def predictions(self) -> Mapping[str, Prediction]:
        """Predictions of the single networks over the views, by model id."""
        return predictions_by_model(group.augmented for group in self.groups)


@dataclass(frozen=True)
class Decision:
    """Whether a prediction is confident enough to be reported, by a threshold chosen on other images."""

    expression: str
    confidence: float  # probability of that expression
    target: float  # accuracy required on the images that the threshold was chosen on
    chosen_on: int  # number of those images
    effect: Abstention  # the threshold and its effect on images that it was not chosen on
    shown_on: int  # number of those images

    @property
    def sure(self) -> bool:
        """Whether the confidence reaches the threshold; otherwise the prediction is *unsure*."""
        return self.confidence >= self.effect.threshold


def decide(prediction: Prediction, chosen_on: EvaluationRun, shown_on: EvaluationRun, target: float) -> Decision:
    """Compare a prediction's confidence with the lowest threshold at or above which the predictions of ``chosen_on``
    reach the accuracy ``target``; the threshold's effect is measured on the other images ``shown_on``.

    Raises EvaluationError where no threshold reaches the target.
    """
    effect = abstention(shown_on, threshold_for(chosen_on, target))
    return Decision(prediction.expression, prediction.confidence, target, len(chosen_on), effect, len(shown_on))


def estimate_uncertainty(
    predictors: Sequence[Predictor], analysis: PhotoAnalysis, face_number: int, views: str = "one"
) -> Uncertainty:
    """Predictions of one face with their uncertainty. ``views`` is "one", "mirror" (the face and its mirror image) or
    "ten crops" (four corners and the center, each also mirrored); the probabilities of the views are averaged.

    A network that returns NaN or infinity for a view is left out; raises NotFiniteError where all do, and ValueError
    for other views.
    """
    if views not in VIEWS:
        raise ValueError(f"views must be one of {', '.join(VIEWS)}, got {views!r}")
    given = analysis.faces[face_number].predictions
    augmented = {}
    for predictor in predictors:
        with contextlib.suppress(NotFiniteError):
            augmented[predictor.model_id] = _mean_over_views(predictor, analysis, face_number, views)
    if not augmented:
        raise NotFiniteError(*(p.model_id for p in predictors))
    calibrated = {model_id: replace(given[model_id], features=None) for model_id in augmented}
    raw = {model_id: replace(prediction, temperature=1.0) for model_id, prediction in calibrated.items()}
    stages = (group_predictions(of_stage) for of_stage in (raw, calibrated, augmented))
    return Uncertainty(views, tuple(GroupUncertainty(*groups) for groups in zip(*stages, strict=True)))


def ten_crops(image: np.ndarray) -> list[np.ndarray]:
    """The corners and the center of an image (S, S) or (S, S, 3), then their mirror images; each 11/12 of the side."""
    size = image.shape[0]
    side = round(size * CROP_FRACTION)
    far, center = size - side, (size - side) // 2
    offsets = [(0, 0), (0, far), (far, 0), (far, far), (center, center)]
    crops = [image[top : top + side, left : left + side] for top, left in offsets]
    return [np.ascontiguousarray(c) for c in crops + [crop[:, ::-1] for crop in crops]]


def _mean_over_views(predictor: Predictor, analysis: PhotoAnalysis, face_number: int, views: str) -> Prediction:
    face = analysis.faces[face_number]
    if views == "one":
        return replace(face.predictions[predictor.model_id], features=None)
    if views == "mirror":
        inputs = perturbed_inputs(predictor, analysis, face_number, [Perturbation(), Perturbation(mirrored=True)])
    else:
        # The stored input is already equalized; its crops only need to be resized.
        to_size = replace(predictor.card.preprocessing, equalize="none").to_input_image
        inputs = [to_size(c) for c in ten_crops(face.inputs[predictor.model_id])]
    return ensemble_prediction(predictor.predict_inputs(inputs, keep_features=False), predictor.model_id)
