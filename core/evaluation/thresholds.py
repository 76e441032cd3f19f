"""How many positive and negative images have each score: what curves over all thresholds are computed from.

Up to 50,000 images, every distinct score is a threshold. Beyond that, scores are rounded, because Compare must show a
million images of four networks with seven classes within 3 seconds: sorting 28 columns of a million scores alone takes
longer, counting them takes a fifth of that. The distance to 0 or to 1, whichever is less, is rounded to 0.1 % of
itself, because the scores of an overconfident network are close to 0 and 1. Rounding changes an area by less than
0.001.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

EXACT_IMAGES = 50_000
DROPPED_BITS = 13  # of the 23 bits of a mantissa
HALF = int(np.float32(0.5).view(np.int32)) >> DROPPED_BITS


@dataclass(frozen=True, eq=False)
class ThresholdCounts:
    """Images by score, in ascending order of the T scores; ``index`` is the position of each image's score."""

    negatives: np.ndarray  # (T,) images of other classes with this score
    positives: np.ndarray  # (T,) images of the class with this score
    index: np.ndarray  # (N,) of each image
    is_positive: np.ndarray  # (N,) bool

    @classmethod
    def of(cls, probabilities: np.ndarray, is_positive: np.ndarray) -> ThresholdCounts:
        """Count the probabilities (N,) of one class for images that belong to it or not, (N,) bool."""
        if len(probabilities) <= EXACT_IMAGES:
            scores, index = np.unique(probabilities, return_inverse=True)
            everyone = np.bincount(index, minlength=len(scores))
        else:
            levels = _rounded(probabilities)
            images = np.bincount(levels, minlength=2 * HALF + 1)
            everyone, index = images[images > 0], (np.cumsum(images > 0) - 1)[levels]
        positives = np.bincount(index[is_positive], minlength=len(everyone))
        return cls(everyone - positives, positives, index, is_positive)

    def at_or_above(self) -> tuple[np.ndarray, np.ndarray]:
        """Negatives and positives that have at least each score, from the highest score down: (T,) each."""
        return np.cumsum(self.negatives[::-1]), np.cumsum(self.positives[::-1])

    def placements(self) -> tuple[np.ndarray, np.ndarray]:
        """For each score, the share of the negatives that a positive image with this score is above, and the share of
        the positives that a negative image is below; ties count half (DeLong et al. 1988). (T,) each."""
        above = (np.cumsum(self.negatives) - self.negatives / 2) / self.negatives.sum()
        below = 1 - (np.cumsum(self.positives) - self.positives / 2) / self.positives.sum()
        return above, below


def _rounded(probabilities: np.ndarray) -> np.ndarray:
    """A number from 0 to 2 * HALF for each probability (N,), in the same order; (N,) int32."""
    # Floats that are not negative have the order of their bits.
    distances = np.minimum(probabilities, 1 - probabilities).astype(np.float32)
    rounded = distances.view(np.int32) >> DROPPED_BITS
    return np.asarray(np.where(probabilities < 0.5, rounded, 2 * HALF - rounded))
