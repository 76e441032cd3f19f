"""How unsure the networks are of a face: spread of one answer, distance between answers, answers to other views."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import entropy

from core.errors import NotFiniteError
from core.evaluation import Abstention, EvaluationRun, abstention, threshold_for
from core.inference.analysis import ENSEMBLE, PhotoAnalysis
from core.inference.perturbation import Perturbation, perturbed_inputs
from core.inference.predictor import Prediction, Predictor, ensemble_prediction

# Side of a crop in parts of the picture's: 44 of 48 px, as ten-crop testing on FER2013 usually has it.
CROP_PART = 11 / 12
VIEWS = ("one", "mirror", "ten crops")


def entropy_bits(probabilities: np.ndarray) -> float:
    """Spread of one answer (K,): 0 for one certain class, log2 K where all are alike."""
    return float(entropy(probabilities, base=2))


def disagreement_bits(answers: Sequence[np.ndarray]) -> float:
    """Jensen-Shannon divergence of M answers (K,) each, Lin 1991: 0 where all say the same, at most log2 M.

    The entropy of their mean less the mean of their entropies; NaN where an answer holds one.
    """
    found = entropy_bits(np.mean(answers, axis=0)) - float(np.mean([entropy_bits(a) for a in answers]))
    return float(np.maximum(0.0, found))  # rounding may leave it a hair below


@dataclass(frozen=True, eq=False)
class Doubt:
    """One face's answers by network, the ensemble with them, as they are shown and as they came from the logits.

    They are without features: a doubt may be kept for longer than the analysis it came from.
    """

    raw: Mapping[str, Prediction]  # temperature 1
    calibrated: Mapping[str, Prediction]
    augmented: Mapping[str, Prediction]  # the mean over the views; the calibrated ones where there is one view
    views: str

    @property
    def verdict(self) -> Prediction:
        """The ensemble's answer over the views, or the only network's."""
        return self.augmented.get(ENSEMBLE) or next(iter(self.augmented.values()))

    @property
    def disagreement(self) -> float | None:
        """Jensen-Shannon divergence of the single networks in bits; None for one network or for different classes."""
        if ENSEMBLE not in self.augmented:
            return None
        return disagreement_bits([p.probabilities for m, p in self.augmented.items() if m != ENSEMBLE])


@dataclass(frozen=True)
class Decision:
    """Whether an answer is given at all: its confidence against a threshold chosen on other images."""

    expression: str
    confidence: float  # probability of that expression
    target: float  # accuracy asked for on the images the threshold was chosen on
    chosen_on: int  # how many those were
    effect: Abstention  # the threshold, and what it does where it was not chosen
    shown_on: int  # images there

    @property
    def sure(self) -> bool:
        """False: the answer is *unsure*."""
        return self.confidence >= self.effect.threshold


def decide(answer: Prediction, chosen_on: EvaluationRun, shown_on: EvaluationRun, target: float) -> Decision:
    """Is this answer sure enough to be right as often as ``target``? The threshold is the lowest confidence above which
    the answers of ``chosen_on`` are; ``shown_on`` are other images, where its effect is counted.

    Raises EvaluationError where no threshold reaches the target.
    """
    effect = abstention(shown_on, threshold_for(chosen_on, target))
    confidence = float(answer.probabilities[answer.top])
    return Decision(answer.expression, confidence, target, len(chosen_on), effect, len(shown_on))


def doubt(predictors: Sequence[Predictor], analysis: PhotoAnalysis, face_number: int, views: str = "one") -> Doubt:
    """How sure the networks are. ``views`` is "one", "mirror" (the face and its mirror image) or "ten crops" (four
    corners and the middle, each mirrored too); answers to several views are averaged as probabilities.

    A network that meets a value that is not a finite number in a view is left out; NotFiniteError where all do. Raises
    ValueError for other views.
    """
    if views not in VIEWS:
        raise ValueError(f"views must be one of {', '.join(VIEWS)}, got {views!r}")
    found = analysis.faces[face_number]
    augmented = {}
    for predictor in predictors:
        with contextlib.suppress(NotFiniteError):
            augmented[predictor.model_id] = _over_views(predictor, analysis, face_number, views)
    if not augmented:
        raise NotFiniteError(*(p.model_id for p in predictors))
    singles = {m: replace(found.predictions[m], features=None) for m in augmented}
    together = ENSEMBLE in found.predictions and len(singles) > 1
    return Doubt(
        raw=_with_mean({m: replace(p, temperature=1.0) for m, p in singles.items()}, together),
        calibrated=_with_mean(singles, together),
        augmented=_with_mean(augmented, together),
        views=views,
    )


def ten_crops(image: np.ndarray) -> list[np.ndarray]:
    """The corners and the middle of a picture (S, S) or (S, S, 3), then the same mirrored; each 11/12 of the side."""
    size = image.shape[0]
    side = round(size * CROP_PART)
    far, middle = size - side, (size - side) // 2
    corners = [(0, 0), (0, far), (far, 0), (far, far), (middle, middle)]
    crops = [image[top : top + side, left : left + side] for top, left in corners]
    return [np.ascontiguousarray(c) for c in crops + [crop[:, ::-1] for crop in crops]]


def _over_views(predictor: Predictor, analysis: PhotoAnalysis, face_number: int, views: str) -> Prediction:
    found = analysis.faces[face_number]
    if views == "one":
        return replace(found.predictions[predictor.model_id], features=None)
    if views == "mirror":
        changes = [Perturbation(), Perturbation(mirrored=True)]
        answers = predictor.predict_inputs(
            perturbed_inputs(predictor, analysis, face_number, changes), keep_features=False
        )
    else:
        # The stored picture is equalized already; its crops only have to be brought to size again.
        to_size = replace(predictor.card.preprocessing, equalize="none").to_input_image
        crops = [to_size(c) for c in ten_crops(found.inputs[predictor.model_id])]
        answers = predictor.predict_inputs(crops, keep_features=False)
    return ensemble_prediction(answers, predictor.model_id)


def _with_mean(answers: dict[str, Prediction], together: bool) -> dict[str, Prediction]:
    return answers | {ENSEMBLE: ensemble_prediction(list(answers.values()), ENSEMBLE)} if together else answers
