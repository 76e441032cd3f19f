"""Probabilities as levels with counts, so that ties and a million images cost little."""

from __future__ import annotations

import numpy as np

# Above so many images a probability is rounded to 1/16384: a million thresholds cannot be seen, only waited for.
EXACT_IMAGES = 50_000
LEVELS = 1 << 14


def levels(probabilities: np.ndarray, *, exact: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """(N,) in [0, 1] -> ascending values (L,) that include all of them, and the position of each among those (N,).

    Up to 50,000 numbers, and with ``exact``, the values are the distinct ones; of more, all multiples of 1/16384, the
    nearest for each.
    """
    if len(probabilities) > EXACT_IMAGES and not exact:
        return np.arange(LEVELS + 1) / LEVELS, np.rint(probabilities * LEVELS).astype(np.int16)
    values, position = np.unique(probabilities, return_inverse=True)
    return values, position
