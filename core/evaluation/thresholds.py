"""How many positive and negative images have each score: what curves over all thresholds are computed from.

Up to 50,000 images, every distinct score is a threshold. Beyond that, scores are rounded to multiples of 1/16384,
because Compare must show a million images of four networks with seven classes within 3 seconds: sorting 28 columns of
a million scores alone takes longer, counting them takes a fifth of that. Rounding changes an area by less than 0.001.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

EXACT_IMAGES = 50_000
LEVELS = 1 << 14


@dataclass(frozen=True, eq=False)
class ThresholdCounts:
    """Images by score: ``scores`` (T,) are ascending; ``index`` is the position of each image's score."""

    scores: np.ndarray  # (T,) float64
    negatives: np.ndarray  # (T,) images of other classes with this score
    positives: np.ndarray  # (T,) images of the class with this score
    index: np.ndarray  # (N,) of each image
    is_positive: np.ndarray  # (N,) bool

    @classmethod
    def of(cls, probabilities: np.ndarray, is_positive: np.ndarray) -> ThresholdCounts:
        """Count the probabilities (N,) of one class for images that belong to it or not, (N,) bool."""
        if len(probabilities) <= EXACT_IMAGES:
            scores, index = np.unique(probabilities, return_inverse=True)
        else:
            scores = np.arange(LEVELS + 1) / LEVELS
            index = np.rint(probabilities * LEVELS).astype(np.int64)
        everyone = np.bincount(index, minlength=len(scores))
        positives = np.bincount(index[is_positive], minlength=len(scores))
        return cls(scores, everyone - positives, positives, index, is_positive)

    def at_or_above(self) -> tuple[np.ndarray, np.ndarray]:
        """Negatives and positives that have at least each score, from the highest score down: (T,) each."""
        return np.cumsum(self.negatives[::-1]), np.cumsum(self.positives[::-1])

    def placements(self) -> tuple[np.ndarray, np.ndarray]:
        """For each score, the share of the negatives that a positive image with this score is above, and the share of
        the positives that a negative image is below; ties count half (DeLong et al. 1988). (T,) each."""
        above = (np.cumsum(self.negatives) - self.negatives / 2) / self.negatives.sum()
        below = 1 - (np.cumsum(self.positives) - self.positives / 2) / self.positives.sum()
        return above, below
