"""How long a network takes on the machine it runs on."""

from __future__ import annotations

import statistics
import time

import numpy as np

from core.inference.predictor import Predictor


def milliseconds_per_face(predictor: Predictor, repeats: int = 9) -> float:
    """Median time of one answer, from the face at the network's size to its logits; batch 1, two warm-up turns."""
    settings = predictor.card.preprocessing
    shape = (settings.size_px, settings.size_px) + ((3,) if settings.channels == 3 else ())
    face = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    times = []
    for turn in range(repeats + 2):
        started = time.perf_counter()
        predictor.predict_inputs([face])
        if turn >= 2:
            times.append((time.perf_counter() - started) * 1e3)
    return statistics.median(times)
