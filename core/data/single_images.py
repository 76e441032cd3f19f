"""Some images of a known data set, read without all others.

What is known about a data set is its table of :class:`ImageFacts`. Images are compared with it, so that the pixels of
another data set are never shown for a row number of this one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from core.caching import Cache
from core.data.identity import has_same_images, has_same_labels, is_same_image, probed_rows
from core.data.image_facts import ImageFacts, shipped
from core.data.samples import Samples
from core.data.sources import data_stamp, read, row_labels
from core.errors import DataError


class SingleImages:
    """The images that were read last, until a file of their data set changes."""

    def __init__(self) -> None:
        self._read = Cache(32)
        self._recognized = Cache(1)

    def read(self, source: Path, facts: ImageFacts, ids: np.ndarray, size_px: int = 48, channels: int = 1) -> Samples:
        """See :func:`read_images`. Each image is compared with ``facts`` unless the source is recognized as a whole."""
        recognized = self.recognized(source)
        is_known = recognized is not None and recognized.fingerprints == facts.fingerprints
        key = (source, data_stamp(source), facts.fingerprints, size_px, channels, tuple(ids.tolist()))
        return self._read.get(
            key, lambda: read_images(source, facts, ids, size_px=size_px, channels=channels, compare=not is_known)
        )

    def recognized(self, source: Path) -> ImageFacts | None:
        """See :func:`recognized`, with the tables of FERscope."""
        return self._recognized.get((source, data_stamp(source)), lambda: recognized(source, shipped()))


def read_images(
    source: Path, facts: ImageFacts, ids: np.ndarray, *, size_px: int = 48, channels: int = 1, compare: bool = True
) -> Samples:
    """The images with these row numbers, in ascending order.

    Raises DataError if one of them is missing or, with ``compare``, another than in the data set of ``facts``.
    """
    wanted = np.unique(ids)
    facts.at(wanted)  # raises an error for a row that the table lacks
    samples = read(source, size_px=size_px, channels=channels, rows=frozenset(wanted.tolist()))
    if not np.array_equal(samples.ids, wanted):
        raise DataError(f"{source} does not contain all images of {facts.name}; name the complete data set")
    if compare and not (same := is_same_image(samples, facts)).all():
        raise DataError(f"{source}, row {wanted[np.argmin(same)]}: another image than in {facts.name}")
    return samples


def recognized(source: Path, known: Iterable[ImageFacts]) -> ImageFacts | None:
    """The facts about a data set: the table with the same labels and splits in every row and nearly all of the same
    images. None for a data set without a table and for a source whose labels
    cannot be read without its images."""
    try:
        found = row_labels(source)
    except (DataError, OSError):
        return None
    if found is None:
        return None
    for facts in known:
        if not has_same_labels(found, facts) or not np.array_equal(facts.ids, np.arange(len(facts))):
            continue
        with contextlib.suppress(DataError):
            if has_same_images(read_images(source, facts, probed_rows(facts), compare=False), facts):
                return facts
    return None
