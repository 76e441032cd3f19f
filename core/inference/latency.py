"""Latency of a network on this machine."""

from __future__ import annotations

import statistics
import time

import numpy as np

from core.inference.predictor import Predictor

WARM_UPS, REPEATS = 5, 30


def milliseconds_per_face(predictor: Predictor, repeats: int = REPEATS) -> float:
    """Median milliseconds from a face at the network's input size to its logits, with batch size 1, after warm-up.

    Other work on the machine is measured too: measure one network at a time, and not while a program starts.
    """
    settings = predictor.card.preprocessing
    shape = (settings.size_px, settings.size_px) + ((3,) if settings.channels == 3 else ())
    face = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    elapsed_ms = []
    for _ in range(WARM_UPS + repeats):
        started = time.perf_counter()
        predictor.predict_inputs([face])
        elapsed_ms.append((time.perf_counter() - started) * 1e3)
    return statistics.median(elapsed_ms[WARM_UPS:])
