"""Probabilities of many images, in blocks that stay in the processor's cache, on every core.

Arrays lie column by column. Whole arrays of a million rows, or the copies that SciPy's functions make of them, cost
several times what the arithmetic does: the memory for them is what takes long.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

BLOCK = 1 << 13  # rows; seven classes in float64 are 450 kB


def softmax(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """(N, K) -> (N, K) float64 probabilities of ``logits / temperature``; rows sum to 1."""
    found = np.empty(logits.shape, np.float64, order="F")

    def fill(rows: slice) -> None:
        found[rows] = _softmax(logits[rows], temperature)

    by_blocks(fill, len(logits))
    return found


@dataclass(frozen=True, eq=False)
class Answers:
    """What figures ask of the probabilities of N images, (N,) each; a tenth of the memory that all of them take."""

    predicted: np.ndarray  # int64, the class with the highest logit, the first of equals
    confidence: np.ndarray  # its probability
    of_truth: np.ndarray  # the probability of the true class
    squares: np.ndarray  # the sum of the squared probabilities

    @classmethod
    def of(cls, logits: np.ndarray, truth: np.ndarray, temperature: float = 1.0) -> Answers:
        """``logits`` (N, K), ``truth`` (N,)."""
        n = len(logits)
        found = cls(np.empty(n, np.int64), np.empty(n), np.empty(n), np.empty(n))

        def fill(rows: slice) -> None:
            probabilities, each = _softmax(logits[rows], temperature), np.arange(rows.stop - rows.start)
            found.predicted[rows] = logits[rows].argmax(axis=1)
            found.confidence[rows] = probabilities[each, found.predicted[rows]]
            found.of_truth[rows] = probabilities[each, truth[rows]]
            found.squares[rows] = np.einsum("nk,nk->n", probabilities, probabilities)

        by_blocks(fill, n)
        for array in vars(found).values():
            array.flags.writeable = False
        return found


def log_of_mean(logits: Sequence[np.ndarray], temperatures: Sequence[float], shares: Sequence[float]) -> np.ndarray:
    """Logarithm (N, K) float32 of the weighted mean of the probabilities that logits (N, K) at their temperatures give.

    ``shares`` add up to 1. A probability that rounds to 0 does not become minus infinity.
    """
    found = np.empty(logits[0].shape, np.float32, order="F")

    def fill(rows: slice) -> None:
        mean = np.zeros(found[rows].shape, np.float64, order="F")
        for of_member, temperature, share in zip(logits, temperatures, shares, strict=True):
            probabilities = _softmax(of_member[rows], temperature)
            probabilities *= share
            mean += probabilities
        np.maximum(mean, np.finfo(np.float32).tiny, out=mean)
        found[rows] = np.log(mean, out=mean)

    by_blocks(fill, len(found))
    return found


def by_blocks(work: Callable[[slice], object], n: int) -> None:
    """``work`` on every block of ``n`` rows, on all cores where there is more than one block. Raises what it raises."""
    blocks = [slice(start, min(start + BLOCK, n)) for start in range(0, n, BLOCK)]
    for _ in _workers().map(work, blocks) if len(blocks) > 1 else map(work, blocks):
        pass


@functools.cache
def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="blocks")


def _softmax(logits: np.ndarray, temperature: float) -> np.ndarray:
    scaled = logits.astype(np.float64, order="F")
    scaled /= temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    np.exp(scaled, out=scaled)
    scaled /= scaled.sum(axis=1, keepdims=True)
    return scaled
