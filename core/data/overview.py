"""An overview of a data set before anything is trained on it: classes, copies, defects, average faces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.data.image_facts import NO_GROUP, ImageFacts
from core.data.samples import SPLITS, Samples

MEAN_OF = 1_000  # images


def class_counts(facts: ImageFacts) -> pd.DataFrame:
    """Images by class (rows, in the order of the labels) and split (columns train, val, test)."""
    k = len(facts.labels)
    counts = {s: np.bincount(facts.truth[facts.split == s], minlength=k) for s in SPLITS}
    return pd.DataFrame(counts, index=pd.Index(facts.labels.classes, name="class"))


@dataclass(frozen=True, eq=False)
class Findings:
    """What an audit of N images found. A group is a set of two or more pixel-identical images.

    ``groups`` has one row per group, in the order of their first image: ``image_ids``, ``classes`` and ``splits``
    (tuples with one entry per image, by row number), ``images`` (their number), ``conflicting`` (the labels differ) and
    ``across_splits`` (the group has images in more than one split). ``blank`` are the images whose pixels are all
    equal, ``copies_in_train`` counts the images of val and test that are also in train.
    """

    groups: pd.DataFrame
    blank: np.ndarray  # (n,) int64 row numbers
    copies_in_train: dict[str, int]

    @property
    def identical_images(self) -> int:
        """Number of images in a group."""
        return int(self.groups["images"].sum())


def findings(facts: ImageFacts) -> Findings:
    """The defects of a data set, from its table of facts."""
    member = np.flatnonzero(facts.copy_group != NO_GROUP)
    member = member[np.argsort(facts.copy_group[member], kind="stable")]  # ids ascend within a group
    groups = facts.copy_group[member]
    starts = np.flatnonzero(np.diff(groups, prepend=-2)) if len(groups) else np.empty(0, np.int64)
    classes = np.asarray(facts.labels.classes, object)
    rows = [
        (
            tuple(facts.ids[of].tolist()),
            tuple(classes[facts.truth[of]].tolist()),
            tuple(facts.split[of].tolist()),
        )
        for of in np.split(member, starts[1:])
        if len(of)
    ]
    table = pd.DataFrame(
        {
            "image_ids": [ids for ids, _, _ in rows],
            "classes": [names for _, names, _ in rows],
            "splits": [splits for _, _, splits in rows],
            "images": np.array([len(ids) for ids, _, _ in rows], np.int64),
            "conflicting": np.array([len(set(names)) > 1 for _, names, _ in rows], bool),
            "across_splits": np.array([len(set(splits)) > 1 for _, _, splits in rows], bool),
        }
    )
    return Findings(
        table,
        facts.ids[facts.blank],
        {s: int((facts.copy_in_train & (facts.split == s)).sum()) for s in ("val", "test")},
    )


def rows_of_mean_faces(facts: ImageFacts, split: str) -> np.ndarray:
    """Row numbers of the images that :func:`mean_faces` needs: of each class in that split 1,000, or all if it has
    fewer. With more, the mean hardly changes, and reading them takes long."""
    return np.concatenate([drawn(facts, MEAN_OF, 0, split=split, class_name=name) for name in facts.labels.classes])


def mean_faces(samples: Samples, split: str) -> dict[str, tuple[np.ndarray, int]]:
    """For each class with images in that split, the average of at most 1,000 of them, (S, S) or (S, S, 3)
    uint8, and their number."""
    found = {}
    for k, name in enumerate(samples.labels.classes):
        rows = np.flatnonzero((samples.truth == k) & (samples.split == split))
        of_class = samples.images[_chosen(rows, MEAN_OF, 0)]
        if len(of_class):
            found[name] = np.rint(of_class.mean(axis=0)).astype(np.uint8), len(of_class)
    return found


def drawn(facts: ImageFacts, count: int, seed: int, *, split: str, class_name: str) -> np.ndarray:
    """Row numbers of ``count`` images of a class in a split at random without repetition, or of all if there are fewer.

    The same for the same seed. Raises LabelError for a class that the data set lacks.
    """
    rows = np.flatnonzero((facts.truth == facts.labels.index(class_name)) & (facts.split == split))
    ids: np.ndarray = facts.ids[_chosen(rows, count, seed)]
    return ids


def _chosen(rows: np.ndarray, count: int, seed: int) -> np.ndarray:
    chosen: np.ndarray = np.random.default_rng(seed).permutation(rows)
    return chosen[:count]
