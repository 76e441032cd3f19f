"""How long a network takes on the machine it runs on."""

from __future__ import annotations

import math
import statistics
import time

import numpy as np

from core.inference.predictor import Predictor

AT_LEAST_S, ENOUGH_S = 0.25, 1.0


def milliseconds_per_face(predictor: Predictor, repeats: int = 9) -> float:
    """Median time of one answer, from the face at the network's size to its logits; batch 1, two warm-up turns.

    Measured again for a quarter of a second, and for up to a second while that makes it faster by a tenth: a program
    that has only just begun still has other work, and would pass for a slow network.
    """
    settings = predictor.card.preprocessing
    shape = (settings.size_px, settings.size_px) + ((3,) if settings.channels == 3 else ())
    face = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)

    def turn() -> float:
        started = time.perf_counter()
        predictor.predict_inputs([face])
        return (time.perf_counter() - started) * 1e3

    for _ in range(2):
        turn()
    begun, best = time.perf_counter(), math.inf
    while True:
        before, best = best, min(best, statistics.median(turn() for _ in range(repeats)))
        taken = time.perf_counter() - begun
        if taken > ENOUGH_S or (taken > AT_LEAST_S and best > 0.9 * before):
            return best
