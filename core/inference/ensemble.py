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
    """Predictions of networks that share their classes. There is at least one; the ensemble is not among them.

    The classes of every prediction are in the order of ``labels``, which may differ from that of the network's logits.
    """

    labels: LabelSet
    predictions: Mapping[str, Prediction]  # by model id, in the order given

    def __post_init__(self) -> None:
        if not self.predictions:
            raise ValueError("a label group needs at least one prediction, got none")
        for model_id, prediction in self.predictions.items():
            found = prediction.labels
            if found.classes != self.labels.classes:
                raise ValueError(f"expected predictions of {self.labels.name}, got {found.name} by {model_id}")

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

    def in_order_of(self, labels: LabelSet) -> LabelGroup:
        """The same predictions with the classes in the order of ``labels``, which must be the same classes."""
        return LabelGroup(labels, {m: prediction.in_order_of(labels) for m, prediction in self.predictions.items()})


def group_predictions(predictions: Mapping[str, Prediction]) -> tuple[LabelGroup, ...]:
    """Predictions by model id in groups, ordered as by :func:`core.labels.groups_by_classes`."""
    labels = {model_id: prediction.labels for model_id, prediction in predictions.items()}
    return tuple(
        LabelGroup(labels[ids[0]], {m: predictions[m].in_order_of(labels[ids[0]]) for m in ids})
        for ids in groups_by_classes(labels)
    )


def predictions_by_model(groups: Iterable[LabelGroup]) -> dict[str, Prediction]:
    """The predictions of all single networks by model id, group by group."""
    return {model_id: prediction for group in groups for model_id, prediction in group.predictions.items()}


def ensemble_prediction(predictions: Sequence[Prediction], model_id: str = ENSEMBLE) -> Prediction:
    """Mean of calibrated probabilities, stored as log-probabilities; its classes are in the order of the first one's.

    Raises ValueError for different classes.
    """
    labels = predictions[0].labels
    shares = [1 / len(predictions)] * len(predictions)
    logits = log_mean_probabilities([p.in_order_of(labels).probabilities for p in predictions], shares)
    return Prediction(model_id, labels, logits.astype(np.float32))


def entropy_bits(probabilities: np.ndarray) -> float:
    """Shannon entropy of one distribution (K,): 0 for a certain class, log2 K for a uniform distribution."""
    return float(entr(probabilities / np.sum(probabilities)).sum() / np.log(2))
