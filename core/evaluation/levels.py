"""Probabilities as levels with counts, so that ties and a million images cost little."""

from __future__ import annotations

import numpy as np

from core.evaluation.probabilities import by_blocks, softmax

# Above so many images a probability is rounded to 1/16384: a million thresholds cannot be seen, only waited for.
EXACT_IMAGES = 50_000
LEVELS = 1 << 14


def levels(probabilities: np.ndarray, *, exact: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """(N,) in [0, 1] -> ascending values (L,) that include all of them, and the position of each among those (N,).

    Up to 50,000 numbers, and with ``exact``, the values are the distinct ones; of more, all multiples of 1/16384, the
    nearest for each.
    """
    if len(probabilities) <= EXACT_IMAGES or exact:
        values, position = np.unique(probabilities, return_inverse=True)
        return values, position
    nearest = np.empty(len(probabilities), np.int16)

    def fill(rows: slice) -> None:
        nearest[rows] = np.rint(probabilities[rows] * LEVELS)

    by_blocks(fill, len(probabilities))
    return np.arange(LEVELS + 1) / LEVELS, nearest


def class_levels(logits: np.ndarray, temperature: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """:func:`levels` of each class's probabilities, from logits (N, K): many probabilities need not be kept for it."""
    if len(logits) <= EXACT_IMAGES:
        return [levels(of_class) for of_class in softmax(logits, temperature).T]
    nearest = np.empty(logits.shape, np.int16, order="F")

    def fill(rows: slice) -> None:
        nearest[rows] = np.rint(softmax(logits[rows], temperature) * LEVELS)

    by_blocks(fill, len(logits))
    return [(np.arange(LEVELS + 1) / LEVELS, of_class) for of_class in nearest.T]
