"""A labeled data set in memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from core.errors import DataError
from core.labels import LabelSet

if TYPE_CHECKING:
    from core.data.splits import SplitShares

SPLITS = ("train", "val", "test")

# The ten vote columns of fer2013new.csv, in its order (Barsoum et al. 2016).
FERPLUS_COLUMNS = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "NF",
)


@dataclass(frozen=True, eq=False)
class Samples:
    """N labeled faces of one size.

    ``ids`` are row numbers in the source and unchanged by every selection, so that results of different networks can be
    paired without storing a pixel. ``votes`` are the ten FER+ counts, None if the source has none. ``shares``
    are those by which a source without its own splits was split, None otherwise; ``grouped`` states whether images of
    one group stayed together.
    """

    name: str
    labels: LabelSet
    images: np.ndarray  # (N, S, S) or (N, S, S, 3) uint8
    truth: np.ndarray  # (N,) int64, position in labels
    split: np.ndarray  # (N,) str, one of SPLITS
    ids: np.ndarray  # (N,) int64
    votes: np.ndarray | None = None  # (N, 10) int16
    skipped: int = 0
    shares: SplitShares | None = None
    grouped: bool = False

    def __post_init__(self) -> None:
        n = len(self.images)
        for field_name in ("truth", "split", "ids"):
            length = len(getattr(self, field_name))
            if length != n:
                raise DataError(f"{self.name}: {field_name} must have {n} rows like the images, got {length}")
        shape = self.images.shape
        if self.images.dtype != np.uint8 or shape[1:] not in ((shape[1:2] * 2), (*(shape[1:2] * 2), 3)):
            found = f"{self.images.dtype} {shape}"
            raise DataError(f"{self.name}: images must be uint8 (N, S, S) or (N, S, S, 3), got {found}")
        if n and not 0 <= int(self.truth.min()) <= int(self.truth.max()) < len(self.labels):
            raise DataError(f"{self.name}: labels must lie in 0..{len(self.labels) - 1} for {self.labels.name}")
        unknown = sorted(set(np.unique(self.split)) - set(SPLITS))
        if unknown:
            raise DataError(f"{self.name}: splits must be {', '.join(SPLITS)}, got {', '.join(map(str, unknown))}")
        if self.votes is not None and self.votes.shape != (n, len(FERPLUS_COLUMNS)):
            raise DataError(f"{self.name}: votes must have shape ({n}, 10), got {self.votes.shape}")

    def __len__(self) -> int:
        return len(self.images)

    @property
    def channels(self) -> int:
        """1 for gray images, 3 for RGB."""
        return 1 if self.images.ndim == 3 else 3

    @property
    def split_rule(self) -> str:
        """How a source without its own splits was split, in words; "" otherwise."""
        return f"{self.shares}, by {'group' if self.grouped else 'image'}" if self.shares else ""

    def select(self, mask: np.ndarray) -> Samples:
        """The rows where ``mask`` (N,) is true, or those whose positions it lists."""
        votes = None if self.votes is None else self.votes[mask]
        return replace(
            self,
            images=self.images[mask],
            truth=self.truth[mask],
            split=self.split[mask],
            ids=self.ids[mask],
            votes=votes,
        )

    def ordered_like(self, labels: LabelSet) -> Samples:
        """The same samples with the classes in the order of ``labels``; those of a folder are alphabetical.

        Raises DataError if ``labels`` has other classes.
        """
        if labels == self.labels:
            return self
        if not labels.same_classes(self.labels):
            raise DataError(f"expected the classes {', '.join(labels.classes)}, got {', '.join(self.labels.classes)}")
        position = np.array([labels.index(c) for c in self.labels.classes])
        return replace(self, labels=labels, truth=position[self.truth])

    def restricted_to(self, labels: LabelSet) -> Samples:
        """The rows whose class is in ``labels``, with the classes and order of ``labels``.

        Raises DataError if none is.
        """
        position = np.array([labels.classes.index(c) if c in labels.classes else -1 for c in self.labels.classes])
        truth = position[self.truth]
        if not (truth >= 0).any():
            raise DataError(f"{self.name} has no image of the classes {', '.join(labels.classes)}")
        selected = self.select(truth >= 0)
        return replace(selected, labels=labels, truth=truth[truth >= 0])

    def of(self, split: str) -> Samples:
        """One split. Raises DataError if it is empty."""
        if split not in SPLITS:
            raise DataError(f"a split is one of {', '.join(SPLITS)}, got {split!r}")
        mask = self.split == split
        if not mask.any():
            raise DataError(f"{self.name} has no images in its {split} split")
        return self.select(mask)

    def fingerprint(self) -> str:
        """SHA-256 over pixels, labels and splits: the same data in another container has the same fingerprint."""
        digest = hashlib.sha256()
        # S5 holds the longest split name, so that the digest does not depend on which splits are present.
        for part in (self.images, self.truth.astype("<i8"), self.split.astype("S5")):
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()
