"""Probabilities of many images, in blocks that stay in the processor's cache, on every core.

Arrays lie column by column. Whole arrays of a million rows, or the copies that SciPy's functions make of them, cost
several times what the arithmetic does: the memory for them is what takes long.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy.special import entr

from core.parallel import core_count

BLOCK = 1 << 14  # rows; seven classes in float64 are 0.9 MB


def softmax(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """(N, K) -> (N, K) float64 probabilities of ``logits / temperature``; rows sum to 1."""
    found = np.empty(logits.shape, np.float64, order="F")

    def fill(rows: slice) -> None:
        found[rows] = _softmax(logits[rows], temperature)

    by_blocks(fill, len(logits))
    return found


def confidence(logits: np.ndarray) -> np.ndarray:
    """(N, K) -> (N,) float64: the highest probability of each row."""
    found = np.empty(len(logits))

    def fill(rows: slice) -> None:
        found[rows] = _softmax(logits[rows], 1.0).max(axis=1)

    by_blocks(fill, len(found))
    return found


def divergence(logits: Sequence[np.ndarray], temperatures: Sequence[float]) -> np.ndarray:
    """(N,) nats: the Jensen-Shannon divergence (Lin 1991) of the probabilities that logits (N, K) at their temperatures
    give, equally weighted: the entropy of their mean less the mean of their entropies."""
    found = np.empty(len(logits[0]))

    def fill(rows: slice) -> None:
        members = _of_members(logits, temperatures, rows)
        mean = sum(members[1:], start=members[0]) / len(members)
        of_members = sum((entr(p).sum(axis=1) for p in members), start=np.zeros(len(mean)))
        found[rows] = entr(mean).sum(axis=1) - of_members / len(members)

    by_blocks(fill, len(found))
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
            probabilities = _softmax(logits[rows], temperature)
            found.predicted[rows] = first_highest(logits[rows])
            found.confidence[rows] = probabilities.max(axis=1)
            found.of_truth[rows] = probabilities[np.arange(len(probabilities)), truth[rows]]
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
        found[rows] = _log_mean(_of_members(logits, temperatures, rows), shares)

    by_blocks(fill, len(found))
    return found


def predicted_by_means(
    logits: Sequence[np.ndarray], temperatures: Sequence[float], weightings: Sequence[Sequence[float]]
) -> list[np.ndarray]:
    """What each of several weighted means predicts, (N,) int64: :func:`first_highest` of :func:`log_of_mean`."""
    found = [np.empty(len(logits[0]), np.int64) for _ in weightings]

    def fill(rows: slice) -> None:
        members = _of_members(logits, temperatures, rows)
        for predicted, shares in zip(found, weightings, strict=True):
            predicted[rows] = first_highest(_log_mean(members, shares))

    by_blocks(fill, len(logits[0]))
    return found


def first_highest(values: np.ndarray) -> np.ndarray:
    """(N, K) -> (N,) uint8: the first of the highest numbers of each row, as ``argmax`` along it, which walks the
    columns' memory row by row and takes as long as a softmax."""
    highest = values.max(axis=1)
    still_lower = values[:, 0] < highest
    position = still_lower.astype(np.uint8)
    for column in values.T[1:-1]:
        still_lower &= column < highest
        position += still_lower
    return np.asarray(position)


def by_blocks(work: Callable[[slice], object], n: int) -> None:
    """``work`` on every block of ``n`` rows, on all cores where there is more than one block. Raises what it raises."""
    blocks = [slice(start, min(start + BLOCK, n)) for start in range(0, n, BLOCK)]
    for _ in _workers().map(work, blocks) if len(blocks) > 1 else map(work, blocks):
        pass


@functools.cache
def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(core_count(), thread_name_prefix="blocks")


def _softmax(logits: np.ndarray, temperature: float) -> np.ndarray:
    scaled = logits.astype(np.float64, order="F")
    scaled /= temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    np.exp(scaled, out=scaled)
    scaled /= scaled.sum(axis=1, keepdims=True)
    return scaled


def _of_members(logits: Sequence[np.ndarray], temperatures: Sequence[float], rows: slice) -> list[np.ndarray]:
    return [_softmax(of_member[rows], t) for of_member, t in zip(logits, temperatures, strict=True)]


def _log_mean(probabilities: Sequence[np.ndarray], shares: Sequence[float]) -> np.ndarray:
    mean = np.zeros(probabilities[0].shape, order="F")
    for of_member, share in zip(probabilities, shares, strict=True):
        mean += share * of_member
    np.maximum(mean, np.finfo(np.float32).tiny, out=mean)
    return np.asarray(np.log(mean, out=mean), np.float32)
