"""Predictions of several networks for one face: networks with the same classes form a group with its own ensemble."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import entr

from core.evaluation import ENSEMBLE, divergence_bits, log_mean_probabilities
from core.inference.predictor import Prediction
from core.labels import LabelSet, groups_by_classes


@dataclass(frozen=True, eq=False)
class LabelGroup:
    """Predictions of networks that share their classes. There is at least one; the ensemble is not among them."""

    labels: LabelSet
    predictions: Mapping[str, Prediction]  # by model id, in the order given

    def __post_init__(self) -> None:
        if not self.predictions:
            raise ValueError("a label group needs at least one prediction, got none")
        for model_id, prediction in self.predictions.items():
            _require_same_classes(self.labels, prediction, model_id)

    @property
    def model_ids(self) -> tuple[str, ...]:
        """The networks of the group, in the order given."""
        return tuple(self.predictions)

    @cached_property
    def ensemble(self) -> Prediction | None:
        """Mean of the networks' probabilities; None for a single network."""
        return ensemble_prediction(list(self.predictions.values())) if len(self.predictions) > 1 else None

    @property
    def verdict(self) -> Prediction:
        """The ensemble, or the only prediction."""
        return self.ensemble or next(iter(self.predictions.values()))

    @property
    def agreeing(self) -> int:
        """Number of networks that predict the most frequently predicted expression."""
        return max(Counter(p.expression for p in self.predictions.values()).values())

    @property
    def disagreement_bits(self) -> float | None:
        """Jensen-Shannon divergence of the networks; None for a single network."""
        if len(self.predictions) < 2:
            return None
        return float(divergence_bits([p.probabilities for p in self.predictions.values()]))


def group_predictions(predictions: Mapping[str, Prediction]) -> tuple[LabelGroup, ...]:
    """Predictions by model id in groups, ordered as by :func:`core.labels.groups_by_classes`."""
    labels = {model_id: prediction.labels for model_id, prediction in predictions.items()}
    return tuple(
        LabelGroup(labels[ids[0]], {model_id: predictions[model_id] for model_id in ids})
        for ids in groups_by_classes(labels)
    )


def predictions_by_model(groups: Iterable[LabelGroup]) -> dict[str, Prediction]:
    """The predictions of all single networks by model id, group by group."""
    return {model_id: prediction for group in groups for model_id, prediction in group.predictions.items()}


def ensemble_prediction(predictions: Sequence[Prediction], model_id: str = ENSEMBLE) -> Prediction:
    """Mean of calibrated probabilities, stored as log-probabilities. Raises ValueError for different classes."""
    labels = predictions[0].labels
    for prediction in predictions:
        _require_same_classes(labels, prediction, prediction.model_id)
    shares = [1 / len(predictions)] * len(predictions)
    logits = log_mean_probabilities([p.probabilities for p in predictions], shares)
    return Prediction(model_id, labels, logits.astype(np.float32))


def entropy_bits(probabilities: np.ndarray) -> float:
    """Shannon entropy of one distribution (K,): 0 for a certain class, log2 K for a uniform distribution."""
    return float(entr(probabilities / np.sum(probabilities)).sum() / np.log(2))


def _require_same_classes(labels: LabelSet, prediction: Prediction, model_id: str) -> None:
    if prediction.labels.classes != labels.classes:
        raise ValueError(
            f"an ensemble needs networks with the same classes, got {labels.name} and {prediction.labels.name} "
            f"({model_id})"
        )
