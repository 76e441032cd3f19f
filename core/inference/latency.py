"""Latency of a network on this machine."""

from __future__ import annotations

import statistics
import time

import numpy as np

from core.inference.backends import Backend
from core.inference.predictor import Predictor
from core.preprocessing import Preprocessing

WARM_UPS, REPEATS = 5, 30


def milliseconds_per_face(predictor: Predictor, repeats: int = REPEATS) -> float:
    """Median milliseconds from a face at the network's input size to its logits, with batch size 1, after warm-up.

    Other work on the machine is measured too: measure one network at a time, and not while a program starts.
    """
    (face,) = _random_faces(predictor.card.preprocessing, 1)
    elapsed_ms = []
    for _ in range(WARM_UPS + repeats):
        started = time.perf_counter()
        predictor.predict_inputs([face])
        elapsed_ms.append((time.perf_counter() - started) * 1e3)
    return statistics.median(elapsed_ms[WARM_UPS:])


def relative_time(
    backend: Backend, reference: Backend, preprocessing: Preprocessing, faces: int = 1, repeats: int = REPEATS
) -> float:
    """Median time of one backend ÷ that of another for a batch of faces.

    They take turns, so that other work on the machine slows both.
    """
    images = _random_faces(preprocessing, faces)
    elapsed_s: list[list[float]] = [[], []]
    for _ in range(WARM_UPS + repeats):
        for times, measured in zip(elapsed_s, (backend, reference), strict=True):
            started = time.perf_counter()
            measured.output(images)
            times.append(time.perf_counter() - started)
    first, second = (statistics.median(times[WARM_UPS:]) for times in elapsed_s)
    return first / second


def _random_faces(preprocessing: Preprocessing, n: int) -> np.ndarray:
    """Random pixels at the network's input size, (n, S, S) or (n, S, S, 3) uint8."""
    shape = (n, preprocessing.size_px, preprocessing.size_px) + ((3,) if preprocessing.channels == 3 else ())
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
