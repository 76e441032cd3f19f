"""Analyses as plain values, for files and pipes: strict JSON, in which what is not known or not a number is None."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.explain import REGION_NAMES, Explanation
from core.inference.analysis import FaceAnalysis, PhotoAnalysis
from core.inference.doubt import Decision, Doubt, entropy_bits
from core.inference.predictor import Prediction, Predictor
from core.inference.trust import Measures, Trust, TrustFindings
from core.versions import versions


@dataclass(frozen=True, eq=False)
class FaceFindings:
    """What is known of one face beside where it is and what each network said; what is not known is left empty."""

    doubt: Doubt
    decision: Decision | None = None
    # By model id, for one class (or one rather than another), by one method.
    explained: Mapping[str, Explanation] = field(default_factory=dict)
    shares: Mapping[str, np.ndarray] = field(default_factory=dict)  # (5,) in the order of REGION_NAMES
    trust: Mapping[str, TrustFindings] = field(default_factory=dict)


def photo_values(path: str, analysis: PhotoAnalysis) -> dict[str, Any]:
    """``{"path", "left_out": [network], "faces": [{"box", "score", "predictions": {network: {class: probability}}}]}``;
    boxes are [left, top, width, height] in pixels of the upright photo, ``left_out`` are networks without an answer.
    """
    faces = [_face(found) for found in analysis.faces]
    return {"path": path, "left_out": list(analysis.left_out), "faces": faces}


def everything(
    path: str, analysis: PhotoAnalysis, predictors: Sequence[Predictor], findings: Sequence[FaceFindings]
) -> dict[str, Any]:
    """All that is known of a photo; ``findings`` has one entry a face. What :func:`photo_values` holds, and with it

    - ``versions``: {name: version}; ``photo``: {width, height} in px; ``detector``
    - ``networks``: {network: {title, architecture, classes, weights_sha256, temperature}}
    - each of ``faces``:
      - ``number`` from 1, ``landmarks`` [[x, y], …] px (right eye, left eye, nose, right and left mouth corner, the
        person's own right first) or null, ``roll_deg`` clockwise
      - ``predictions``: after temperature scaling, of the face alone; ``raw``: before it, {network: {class: p}}
      - ``doubt``: {views, probabilities: {network: {class: p}} over those views, entropy_bits: {network: bits},
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
        {"number": number, **_face(face), **_findings(face, known, labels)}
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
        "detector": analysis.detector,
        "networks": networks,
        "left_out": list(analysis.left_out),
        "faces": faces,
    }
    plain: dict[str, Any] = _plain(values)
    return plain


def _face(found: FaceAnalysis) -> dict[str, Any]:
    box = found.face.box
    return {
        "box": [round(float(v), 1) for v in (box.left, box.top, box.width, box.height)],
        "score": round(float(found.face.score), 4),
        "predictions": _probabilities(found.predictions),
    }


def _findings(found: FaceAnalysis, known: FaceFindings, labels: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    doubt = known.doubt
    return {
        "landmarks": found.face.landmarks,
        "roll_deg": found.face.roll_deg,
        "raw": _probabilities(doubt.raw),
        "doubt": {
            "views": doubt.views,
            "probabilities": _probabilities(doubt.augmented),
            "entropy_bits": {m: entropy_bits(p.probabilities) for m, p in doubt.augmented.items()},
            "disagreement_bits": doubt.disagreement,
        },
        "verdict": None if known.decision is None else _verdict(known.decision),
        "maps": {m: _map(e, labels[m]) for m, e in known.explained.items()},
        "shares": {m: dict(zip(REGION_NAMES, of, strict=True)) for m, of in known.shares.items()},
        "trust": {m: _trust(of) for m, of in known.trust.items()},
    }


def _probabilities(answers: Mapping[str, Prediction]) -> dict[str, dict[str, float]]:
    return {
        model_id: dict(zip(p.labels.classes, (round(float(v), 6) for v in p.probabilities), strict=True))
        for model_id, p in answers.items()
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
        "agreement": None
        if agreement is None
        else {"methods": list(agreement.methods), "rank_correlation": agreement.correlation},
        "randomized": None
        if of.randomized is None
        else [{"down_to": layer, "rank_correlation": value} for layer, value in of.randomized],
    }


def _measures(found: Measures | None) -> dict[str, Any]:
    if found is None:
        return dict.fromkeys(("deletion_insertion", "road", "drop", "chance"))
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
        "chance": _chance(found) if isinstance(found, Trust) else None,
    }


def _chance(found: Trust) -> dict[str, Any]:
    return {
        "steps": found.chance.steps,
        "insertion_minus_deletion": found.chance.score,
        "percentile_95_of_shuffled": found.chance.percentile_95,
        "shuffled": found.chance.copies,
        "better_than_chance": found.chance.better_than_chance,
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
