"""Whether a source is a known data set, although a few of its images may differ.

Copies of FER2013 are not identical: of the 35,887 images that the shipped networks were trained on, 173 have another
contrast than in the official file.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.data.image_facts import ImageFacts, gray_levels, shipped
from core.data.info import DatasetInfo
from core.data.rows import RowLabels
from core.data.samples import Samples

PROBED, MIN_SAME = 200, 0.97  # images, evenly distributed over the rows


def identify(samples: Samples, labeled: Samples) -> DatasetInfo:
    """The facts about ``labeled``, which are ``samples`` with the labels that a network learns.

    If ``samples`` differ from a data set with a table of facts in a few images only, ``copy_of`` names that data set.
    """
    info, tables = DatasetInfo.of(labeled), list(shipped())
    if any(info.matches(*facts.fingerprints) for facts in tables):
        return info
    known = next((facts for facts in tables if _is_data_set(samples, facts)), None)
    return replace(info, copy_of=known.fingerprints) if known else info


def _is_data_set(samples: Samples, facts: ImageFacts) -> bool:
    rows = RowLabels(samples.labels, samples.truth, samples.split)
    if not np.array_equal(samples.ids, facts.ids) or not has_same_labels(rows, facts):
        return False
    if samples.votes is not None and facts.votes is not None and not np.array_equal(samples.votes, facts.votes):
        return False
    return has_same_images(samples.select(np.isin(samples.ids, probed_rows(facts))), facts)


def has_same_labels(rows: RowLabels, facts: ImageFacts) -> bool:
    """Whether the classes, and the label and the split of each row, are those of the table."""
    pairs = ((rows.truth, facts.truth), (rows.split, facts.split))
    return rows.labels.classes == facts.labels.classes and all(np.array_equal(*pair) for pair in pairs)


def probed_rows(facts: ImageFacts) -> np.ndarray:
    """The numbers of the rows whose images :func:`has_same_images` compares."""
    return facts.ids[np.unique(np.linspace(0, len(facts) - 1, PROBED).astype(np.int64))]


def has_same_images(samples: Samples, facts: ImageFacts) -> bool:
    """Whether at least 97 % of these images have the gray levels of their rows in the table."""
    return bool(is_same_image(samples, facts).mean() >= MIN_SAME)


def is_same_image(samples: Samples, facts: ImageFacts) -> np.ndarray:
    """(N,) bool: whether each image has the gray levels of its row in the table."""
    expected = facts.at(samples.ids)
    brightness, contrast = gray_levels(samples)
    same: np.ndarray = (brightness == expected.brightness) & (contrast == expected.contrast)
    return same
