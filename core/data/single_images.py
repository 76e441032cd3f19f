"""Some images of a known data set, read without all others.

What is known about a data set is its table of :class:`ImageFacts`. Every image is compared with it, so that the pixels
of another data set are never shown for a row number of this one.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from core.caching import Cache
from core.data.image_facts import ImageFacts, gray_levels, shipped
from core.data.packed import labels_and_splits
from core.data.samples import Samples
from core.data.sources import data_stamp, read
from core.errors import DataError

PROBED = 16


class SingleImages:
    """The images that were read last, until a file of their data set changes."""

    def __init__(self) -> None:
        self._read = Cache(32)
        self._recognized = Cache(1)

    def read(self, source: Path, facts: ImageFacts, ids: np.ndarray, size_px: int = 48, channels: int = 1) -> Samples:
        """See :func:`read_images`."""
        key = (source, data_stamp(source), facts.fingerprints, size_px, channels, tuple(ids.tolist()))
        return self._read.get(key, lambda: read_images(source, facts, ids, size_px=size_px, channels=channels))

    def recognized(self, source: Path) -> ImageFacts | None:
        """See :func:`recognized`, with the tables of FERscope."""
        return self._recognized.get((source, data_stamp(source)), lambda: recognized(source, shipped()))


def read_images(source: Path, facts: ImageFacts, ids: np.ndarray, *, size_px: int = 48, channels: int = 1) -> Samples:
    """The images with these row numbers, in ascending order.

    Raises DataError if one of them is missing or another than in the data set of ``facts``.
    """
    wanted = np.unique(ids)
    expected = facts.at(wanted)
    samples = read(source, size_px=size_px, channels=channels, rows=frozenset(wanted.tolist()))
    brightness, contrast = gray_levels(samples)
    if not np.array_equal(samples.ids, wanted):
        raise DataError(f"{source} does not contain all images of {facts.name}; name the complete data set")
    different = (brightness != expected.brightness) | (contrast != expected.contrast)
    if different.any():
        raise DataError(f"{source}, row {wanted[np.argmax(different)]}: another image than in {facts.name}")
    return samples


def recognized(source: Path, known: Iterable[ImageFacts]) -> ImageFacts | None:
    """The facts about a packed data set: the table with the same labels and splits in every row, and the same images in
    a few of them. None for a data set without a table and for other kinds of sources, whose images all have to be read.
    """
    try:
        truth, split = labels_and_splits(source)
    except (DataError, OSError):
        return None
    rows = np.arange(len(truth))
    for facts in known:
        if all(np.array_equal(*pair) for pair in ((rows, facts.ids), (truth, facts.truth), (split, facts.split))):
            try:
                read_images(source, facts, np.linspace(0, len(rows) - 1, PROBED).astype(np.int64))
            except DataError:
                continue
            return facts
    return None
