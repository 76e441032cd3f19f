"""Predictions of one face, and of networks that share their classes."""

from __future__ import annotations

from typing import Any

from pydantic import model_validator

from core.inference import Prediction, entropy_bits
from core.records.base import Number, Record


class LabelsRecord(Record):
    """A label set. The classes of a network are in the order of its logits, those of a group in the order of its first
    network."""

    name: str
    classes: list[str]


class PredictionRecord(Record):
    """The prediction of a network or an ensemble."""

    expression: str
    confidence: Number  # probability of that expression
    probabilities: dict[str, Number]  # by class
    entropy_bits: Number

    @model_validator(mode="before")
    @classmethod
    def _of_prediction(cls, value: Any) -> Any:
        if not isinstance(value, Prediction):
            return value
        probabilities = value.probabilities
        return {
            "expression": value.expression,
            "confidence": value.confidence,
            "probabilities": dict(zip(value.labels.classes, probabilities, strict=True)),
            "entropy_bits": entropy_bits(probabilities),
        }


class GroupRecord(Record):
    """Networks that share their classes; for a single network, ensemble and disagreement are null."""

    labels: LabelsRecord
    predictions: dict[str, PredictionRecord]
    ensemble: PredictionRecord | None  # the mean of their probabilities
    agreeing: int  # number of networks that predict the most frequent expression
    disagreement_bits: Number  # Jensen-Shannon divergence
