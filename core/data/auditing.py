"""Defects of a data set before anything is trained on it: blank images, copies, conflicting labels, leaks."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from core.data.samples import SPLITS, Samples


@dataclass(frozen=True)
class Audit:
    """Findings about N images. A group is a set of two or more pixel-identical images, of any split."""

    rows: int
    blank: int  # images whose pixels are all equal
    identical_groups: int
    identical_images: int  # images in such a group
    conflicting_groups: int  # groups whose images have different labels
    copies_in_train: dict[str, int]  # val and test -> their images that are also in train
    counts: dict[str, dict[str, int]]  # split -> class -> images
    skipped: int  # rows and files skipped while reading
    split_rule: str  # how a data set without its own splits was split, otherwise ""

    def to_json(self) -> dict[str, Any]:
        """Plain numbers and dicts, under the names of the fields."""
        return asdict(self)


def audit(samples: Samples) -> Audit:
    """The counts that a reader of results on ``samples`` should know."""
    groups = identical_groups(samples)
    _, size = np.unique(groups, return_counts=True)
    labels_of_group = np.unique(np.stack([groups, samples.truth]), axis=1)[0]
    _, differing = np.unique(labels_of_group, return_counts=True)
    copies = copies_in_train(samples)
    return Audit(
        rows=len(samples),
        blank=int(blank_images(samples).sum()),
        identical_groups=int((size > 1).sum()),
        identical_images=int(size[size > 1].sum()),
        conflicting_groups=int((differing > 1).sum()),
        copies_in_train={split: int((copies & (samples.split == split)).sum()) for split in ("val", "test")},
        counts={
            split: {
                name: int(((samples.split == split) & (samples.truth == k)).sum())
                for k, name in enumerate(samples.labels.classes)
            }
            for split in SPLITS
        },
        skipped=samples.skipped,
        split_rule=samples.split_rule,
    )


def copies_in_train(samples: Samples) -> np.ndarray:
    """(N,) bool: the rows of val and test whose image is also in train, pixel for pixel."""
    groups = identical_groups(samples)
    in_train = samples.split == "train"
    return np.asarray(np.isin(groups, groups[in_train]) & ~in_train)


def blank_images(samples: Samples) -> np.ndarray:
    """(N,) bool: the images whose pixels are all equal."""
    images = samples.images
    return np.asarray((images == images[:, :1, :1]).all(axis=tuple(range(1, images.ndim))))


def identical_groups(samples: Samples) -> np.ndarray:
    """A number for each image (N,) int64, equal exactly where the pixels are."""
    numbers: dict[bytes, int] = {}  # by digest, because the pixels themselves would be a copy of the data set
    digests = (hashlib.sha256(image.tobytes()).digest() for image in samples.images)
    return np.asarray([numbers.setdefault(digest, len(numbers)) for digest in digests], np.int64)
