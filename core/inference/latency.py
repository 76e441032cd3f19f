"""Latency of a network on this machine."""

from __future__ import annotations

import math
import statistics
import time

import numpy as np

from core.inference.predictor import Predictor

MIN_DURATION_S, MAX_DURATION_S = 0.25, 1.0


def milliseconds_per_face(predictor: Predictor, repeats: int = 9) -> float:
    """Median milliseconds from a face at the network's input size to its logits, with batch size 1 after two warm-up
    predictions.

    The measurement is repeated for at least a quarter of a second, and for up to a second while the median falls by
    more than a tenth: a program that has just started still has other work, which would be counted as the network's.
    """
    settings = predictor.card.preprocessing
    shape = (settings.size_px, settings.size_px) + ((3,) if settings.channels == 3 else ())
    face = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)

    def predict_once_ms() -> float:
        started = time.perf_counter()
        predictor.predict_inputs([face])
        return (time.perf_counter() - started) * 1e3

    for _ in range(2):
        predict_once_ms()
    begun, best = time.perf_counter(), math.inf
    while True:
        before, best = best, min(best, statistics.median(predict_once_ms() for _ in range(repeats)))
        taken = time.perf_counter() - begun
        if taken > MAX_DURATION_S or (taken > MIN_DURATION_S and best > 0.9 * before):
            return best
