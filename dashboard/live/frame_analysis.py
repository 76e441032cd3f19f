"""One frame of a camera -> what is drawn on it: faces with their tracks, probabilities and a saliency map."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from cachetools import LRUCache

from core import images
from core.errors import FerscopeError
from core.faces import Detector, crop_corners
from core.faces.tracking import MAX_GAP_S, Tracker
from core.inference import (
    ENSEMBLE,
    FaceAnalysis,
    Predictor,
    analyze_faces,
    ensemble_prediction,
    explain_face,
    margin_for,
)
from core.labels import LabelSet, groups_by_classes
from core.video import ExponentialSmoothing

MAX_PIXELS = 1_000_000
# On a slow server frames are far apart: a track then lasts for this many searches, at most for that many seconds.
SEARCHES_PER_GAP, MAX_SLOW_GAP_S = 2.5, 5.0
MAX_SMOOTHED = 256  # distributions that are smoothed at once: faces times networks


@dataclass(frozen=True)
class LiveSettings:
    """How frames are analyzed. There is at least one network."""

    networks: tuple[Predictor, ...]
    detector: Detector
    detection_interval: int = 1  # every n-th frame is searched for faces; tracks are continued between
    smoothing_s: float = 0.0
    saliency_of: str | None = None  # model id of the network whose map is drawn


@dataclass(frozen=True)
class Series:
    """A distribution over classes that is predicted for every face: by a network, or by the ensemble of a group."""

    labels: LabelSet
    model_ids: tuple[str, ...]  # the network, or the networks of the ensemble

    @property
    def key(self) -> str:
        """Identifies the series in the answers to the browser."""
        return "+".join(self.model_ids)

    @property
    def network(self) -> str:
        """The model id of the network or of the ensemble."""
        return ENSEMBLE if len(self.model_ids) > 1 else self.model_ids[0]


def series_of(networks: Sequence[Predictor]) -> tuple[Series, ...]:
    """For each set of classes, that of the most networks first: the ensemble, if there is one, and each network."""
    labels_of = {network.model_id: network.card.labels for network in networks}
    series: list[Series] = []
    for model_ids in groups_by_classes(labels_of):
        labels = labels_of[model_ids[0]]
        series += [Series(labels, model_ids)] if len(model_ids) > 1 else []
        series += [Series(labels, (model_id,)) for model_id in model_ids]
    return tuple(series)


class FrameAnalysis:
    """The frames of one viewer in their order. ``settings`` may be replaced at any time, also by another thread."""

    def __init__(self, settings: LiveSettings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget everything about earlier frames."""
        with self._lock:
            self._tracker = Tracker()
            self._smoothed: LRUCache[tuple[int, str], ExponentialSmoothing] = LRUCache(MAX_SMOOTHED)
            self._frames = 0
            self._last_s: float | None = None

    def answer(self, frame: bytes) -> str:
        """What was found in a JPEG file, as one JSON document, or the sentence that states why nothing could be."""
        try:
            with self._lock:
                return json.dumps(self._found_in(frame, self.settings), separators=(",", ":"))
        except FerscopeError as error:
            return json.dumps({"error": error.sentence})

    def _found_in(self, frame: bytes, settings: LiveSettings) -> dict[str, Any]:
        begin_s = time.monotonic()
        image = images.decode(frame, max_pixels=MAX_PIXELS)
        detections = settings.detector.detect(image) if self._frames % settings.detection_interval == 0 else None
        self._frames += 1
        if self._last_s is not None:
            between_searches_s = (begin_s - self._last_s) * settings.detection_interval
            self._tracker.max_gap_s = max(MAX_GAP_S, min(MAX_SLOW_GAP_S, SEARCHES_PER_GAP * between_searches_s))
        self._last_s = begin_s
        tracked = self._tracker.update(detections, begin_s)
        analysis = analyze_faces(image, [t.face for t in tracked], settings.detector.name, settings.networks)
        faces = [
            {
                "track": found.track,
                "box": _rounded([found.face.box.left, found.face.box.top, found.face.box.width, found.face.box.height]),
                "score": round(found.face.score, 3),
                "detected": found.detected,
                "series": self._series(found.track, face, settings, begin_s),
                "map": _saliency(face, settings),
            }
            for found, face in zip(tracked, analysis.faces, strict=True)
        ]
        return {
            "width": image.shape[1],
            "height": image.shape[0],
            "faces": faces,
            "left_out": analysis.left_out,
            "elapsed_ms": round((time.monotonic() - begin_s) * 1e3, 1),
        }

    def _series(self, track: int, face: FaceAnalysis, settings: LiveSettings, time_s: float) -> dict[str, Any]:
        """By key: the probabilities as predicted and smoothed. Series without a prediction are left out."""
        described = {}
        for series in series_of(settings.networks):
            predictions = [face.predictions[m] for m in series.model_ids if m in face.predictions]
            if not predictions:
                continue
            prediction = ensemble_prediction(predictions) if len(predictions) > 1 else predictions[0]
            prediction = prediction.in_order_of(series.labels)
            smoothing = self._smoothed.setdefault((track, series.key), ExponentialSmoothing(settings.smoothing_s))
            smoothing.time_constant_s = settings.smoothing_s
            smoothed = smoothing.update(prediction.probabilities, time_s)
            described[series.key] = [_rounded(prediction.probabilities, 4), _rounded(smoothed, 4)]
        return described


def _saliency(face: FaceAnalysis, settings: LiveSettings) -> dict[str, Any] | None:
    """The closed form map of the chosen network for the class that it predicts, and where its corners are in px."""
    prediction = face.predictions.get(settings.saliency_of or "")
    if prediction is None:
        return None
    network = next(n for n in settings.networks if n.model_id == prediction.model_id)
    (explanation,) = explain_face(network, face, stage=network.network.closed_form_stage, targets=prediction.top)
    margin = margin_for(network.card, settings.detector.name)
    return {
        "class": prediction.expression,
        "corners": crop_corners(face.face, margin).round(1).tolist(),
        "cells": np.rint(explanation.heatmap * 255).astype(int).tolist(),
    }


def _rounded(values: Sequence[float] | np.ndarray, decimals: int = 1) -> list[float]:
    return [round(float(value), decimals) for value in values]
