"""Analyses as plain values for strict JSON; what is unknown or not a finite number is None."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.explain import REGION_NAMES, ChanceResult, Explanation
from core.inference import (
    FaceAnalysis,
    LabelGroup,
    PhotoAnalysis,
    Prediction,
    Predictor,
    entropy_bits,
    predictions_by_model,
)
from core.probes import Decision, FaithfulnessMeasures, TrustFindings, Uncertainty
from core.versions import versions


@dataclass(frozen=True, eq=False)
class FaceFindings:
    """What is known of one face besides its position and predictions; what is unknown is empty."""

    uncertainty: Uncertainty
    decision: Decision | None = None
    # By model id, for one class (or one rather than another), by one method.
    explained: Mapping[str, Explanation] = field(default_factory=dict)
    shares: Mapping[str, np.ndarray] = field(default_factory=dict)  # (5,) in the order of REGION_NAMES
    trust: Mapping[str, TrustFindings] = field(default_factory=dict)


def photo_record(path: str, analysis: PhotoAnalysis) -> dict[str, Any]:
    """``{"path", "detector", "rotation_deg", "left_out": [network], "faces": [{"box", "score", "uncertain",
    "predictions": {network: {class: probability}}}]}``.

    Boxes are [left, top, width, height] in pixels of the upright photo, which is the given one rotated clockwise by
    ``rotation_deg``, clipped to it. ``left_out`` are networks without predictions, and ``predictions`` has the ensemble
    of the largest label group under "ensemble".
    """
    return {"path": path, **_found(analysis), "faces": [_face(found, analysis) for found in analysis.faces]}


def detailed_photo_record(
    path: str, analysis: PhotoAnalysis, predictors: Sequence[Predictor], findings: Sequence[FaceFindings]
) -> dict[str, Any]:
    """Everything known of a photo; ``findings`` has one entry per face. The fields of :func:`photo_record` and:

    - ``versions``: {name: version}; ``photo``: {width, height} in px
    - ``networks``: {network: {title, architecture, classes, weights_sha256, temperature}}
    - each of ``faces``:
      - ``number`` from 1, ``landmarks`` [[x, y], …] px (right eye, left eye, nose, right and left mouth corner, the
        person's own right first) or null, ``roll_deg`` clockwise
      - ``predictions``: after temperature scaling, of the face alone; ``raw``: before it, {network: {class: p}}
      - ``uncertainty``: {views, probabilities: {network: {class: p}} over those views, entropy_bits: {network: bits},
        disagreement_bits: Jensen-Shannon or null}
      - ``verdict``: {says, probability, sure, threshold, target_accuracy, chosen_on: {split, images}, shown_on: {split,
        images, coverage, accuracy}}, the last two as {value, low, high, n, method}; null without stored answers
      - ``maps``: {network: {method, class, against, layer, evidence, heatmap: rows of cells in [0, 1]}}
      - ``shares``: {network: {region: share of the saliency}}
      - ``trust``: {network: {deletion_insertion, road, drop, chance, agreement, randomized}}, without the networks of
        which nothing has been measured, and null for what has not
    """
    labels = {p.model_id: p.card.labels.classes for p in predictors}
    faces = [
        {"number": number, **_face(face, analysis), **_findings(face, known, labels)}
        for number, (face, known) in enumerate(zip(analysis.faces, findings, strict=True), start=1)
    ]
    height, width = analysis.image.shape[:2]
    networks = {
        p.model_id: {
            "title": p.card.title,
            "architecture": p.card.architecture,
            "classes": list(p.card.labels.classes),
            "weights_sha256": p.card.weights_sha256,
            "temperature": p.card.temperature,
        }
        for p in predictors
    }
    values = {
        "versions": versions(),
        "path": path,
        "photo": {"width": width, "height": height},
        "networks": networks,
        **_found(analysis),
        "faces": faces,
    }
    plain: dict[str, Any] = _plain(values)
    return plain


def _found(analysis: PhotoAnalysis) -> dict[str, Any]:
    return {
        "detector": analysis.detector,
        "rotation_deg": analysis.rotation_deg,
        "left_out": list(analysis.left_out),
    }


def _face(found: FaceAnalysis, analysis: PhotoAnalysis) -> dict[str, Any]:
    height, width = analysis.image.shape[:2]
    box = found.face.box.clipped(width, height)
    return {
        "box": [round(float(v), 1) for v in (box.left, box.top, box.width, box.height)],
        "score": round(float(found.face.score), 4),
        "uncertain": found.face.uncertain,
        "predictions": _probabilities(found.groups),
    }


def _findings(found: FaceAnalysis, known: FaceFindings, labels: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    uncertainty = known.uncertainty
    augmented = [group.augmented for group in uncertainty.groups]
    return {
        "landmarks": found.face.landmarks,
        "roll_deg": found.face.roll_deg,
        "raw": _probabilities([group.raw for group in uncertainty.groups]),
        "uncertainty": {
            "views": uncertainty.views,
            "probabilities": _probabilities(augmented),
            "entropy_bits": {m: entropy_bits(p.probabilities) for m, p in _with_ensemble(augmented).items()},
            "disagreement_bits": augmented[0].disagreement_bits,
        },
        "verdict": None if known.decision is None else _verdict(known.decision),
        "maps": {m: _map(e, labels[m]) for m, e in known.explained.items()},
        "shares": {m: dict(zip(REGION_NAMES, of, strict=True)) for m, of in known.shares.items()},
        "trust": {m: _trust(of) for m, of in known.trust.items()},
    }


def _with_ensemble(groups: Sequence[LabelGroup]) -> dict[str, Prediction]:
    found = predictions_by_model(groups)
    ensemble = groups[0].ensemble
    return found if ensemble is None else found | {ensemble.model_id: ensemble}


def _probabilities(groups: Sequence[LabelGroup]) -> dict[str, dict[str, float]]:
    return {
        model_id: dict(zip(p.labels.classes, (round(float(v), 6) for v in p.probabilities), strict=True))
        for model_id, p in _with_ensemble(groups).items()
    }


def _verdict(decision: Decision) -> dict[str, Any]:
    effect = decision.effect
    return {
        "says": decision.expression,
        "probability": decision.confidence,
        "sure": decision.sure,
        "threshold": effect.threshold,
        "target_accuracy": decision.target,
        "chosen_on": {"split": "PublicTest", "images": decision.chosen_on},
        "shown_on": {
            "split": "PrivateTest",
            "images": decision.shown_on,
            "coverage": effect.coverage.to_json(),
            "accuracy": effect.accuracy.to_json(),
        },
    }


def _map(explanation: Explanation, classes: Sequence[str]) -> dict[str, Any]:
    return {
        "method": explanation.method,
        "class": classes[explanation.class_index],
        "against": None if explanation.against is None else classes[explanation.against],
        "layer": explanation.layer,
        "evidence": explanation.evidence,
        "heatmap": explanation.heatmap,
    }


def _trust(of: TrustFindings) -> dict[str, Any]:
    agreement = of.agreement
    return {
        **_measures(of.measures),
        "chance": None if of.chance is None else _chance(of.chance),
        "agreement": None
        if agreement is None
        else {"methods": list(agreement.methods), "rank_correlation": agreement.correlation},
        "randomized": None
        if of.randomization is None
        else [{"down_to": layer, "rank_correlation": value} for layer, value in of.randomization],
    }


def _measures(found: FaithfulnessMeasures | None) -> dict[str, Any]:
    if found is None:
        return dict.fromkeys(("deletion_insertion", "road", "drop"))
    curves, road = found.curves, found.road
    return {
        "deletion_insertion": {
            "steps": curves.steps,
            "fractions": curves.fractions,
            "deletion": curves.deletion,
            "insertion": curves.insertion,
            "deletion_area": curves.deletion_area,
            "insertion_area": curves.insertion_area,
        },
        "road": {
            "fractions": road.fractions,
            "most_relevant_first": road.most_relevant_first,
            "least_relevant_first": road.least_relevant_first,
            "score": road.score,
        },
        "drop": {"hidden_part": found.drop.part, "before": found.drop.before, "after": found.drop.after},
    }


def _chance(found: ChanceResult) -> dict[str, Any]:
    return {
        "steps": found.steps,
        "insertion_minus_deletion": found.score,
        "percentile_95_of_shuffled": found.percentile_95,
        "shuffled": found.copies,
        "better_than_chance": found.better_than_chance,
    }


def _plain(value: Any) -> Any:
    """Lists, dicts and Python's own numbers with six decimals; None for a number that is not finite."""
    if isinstance(value, Mapping):
        return {key: _plain(v) for key, v in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
