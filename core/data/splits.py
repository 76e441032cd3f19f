"""Splits: the names that data sets use for them, and random splits for a data set that lacks them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.data.samples import SPLITS
from core.errors import DataError, SplitError

# Names of splits in published copies, lowercased and without separators. FER2013's public test is for validation.
SPLIT_OF_NAME = {
    **dict.fromkeys(("train", "training", "trainset"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "valset", "publictest"), "val"),
    **dict.fromkeys(("test", "testing", "testset", "privatetest"), "test"),
}
ALL = "all"


def split_of(name: object) -> str | None:
    """The split with that name, None for a name that is not known."""
    return SPLIT_OF_NAME.get("".join(c for c in str(name).lower() if c.isalnum()))


@dataclass(frozen=True)
class SplitShares:
    """A random split with these percentages, the same for the same ``seed``.

    Images of one group, such as those of one person, stay in one split. Classes have about the same shares in each.
    """

    train: int
    val: int
    test: int
    seed: int = 0

    @classmethod
    def parse(cls, text: str, seed: int = 0) -> SplitShares:
        """``"80/10/10"`` as shares of train, val and test; ``"all"`` makes every image a test image.

        Raises DataError for anything else, and for a negative seed.
        """
        if seed < 0:
            raise DataError(f"the seed of a split must be an integer of at least 0, got {seed}")
        if text == ALL:
            return cls(0, 0, 100, seed)
        parts = text.split("/")
        if len(parts) != 3 or not all(part.strip().isdecimal() for part in parts):
            raise DataError(f"a split must be three whole percentages such as 80/10/10, got {text!r}")
        train, val, test = map(int, parts)
        if train + val + test != 100 or train == 0:
            raise DataError(f"the shares of a split must add up to 100 and leave images to train on, got {text!r}")
        return cls(train, val, test, seed)

    @property
    def percentages(self) -> str:
        """The text that :meth:`parse` reads."""
        return ALL if self.test == 100 else f"{self.train}/{self.val}/{self.test}"

    def __str__(self) -> str:
        return "all images are test images" if self.test == 100 else f"{self.percentages}, seed {self.seed}"

    def assign(self, given: Sequence[str | None], truth: Sequence[int], groups: Sequence[str]) -> list[str]:
        """The split of each image, for N images with their given split (or None), class and group ("" for none).

        Images without a split are distributed. If all have one, the train images are distributed over train and the
        splits that are missing. Raises SplitError if none is missing, or if there are no train images.
        """
        if self.test == 100:
            return ["test"] * len(given)
        splits: list[str | None] = list(given)
        if None not in splits:
            missing = [split for split in SPLITS if split not in splits and getattr(self, split)]
            if not missing:
                found = ", ".join(split for split in SPLITS if split in splits)
                raise SplitError(
                    f"the data set already has the splits {found}, so none is missing for {self.percentages}",
                    "read it without --split",
                )
            if "train" not in splits:
                raise SplitError(
                    f"the data set has no train images to distribute by {self.percentages}",
                    f"read it without --split, or score all images: --split {ALL}",
                )
            splits = [None if split == "train" else split for split in splits]
        present = {split for split in splits if split is not None}
        targets = [split for split in SPLITS if split not in present and getattr(self, split)]
        rows = [row for row, split in enumerate(splits) if split is None]
        # An image without a group forms its own group.
        members: dict[str, list[int]] = {}
        for row in rows:
            members.setdefault(f"group {groups[row]}" if groups[row] else f"row {row}", []).append(row)
        order = list(members)
        np.random.default_rng(self.seed).shuffle(order)
        order.sort(key=lambda key: -len(members[key]))  # stable; the largest groups first, to place them well

        shares = np.array([getattr(self, split) for split in targets], float)
        per_class = np.zeros(max(truth) + 1)
        for row in rows:
            per_class[truth[row]] += 1
        wanted = np.outer(shares / shares.sum(), per_class)  # (splits, classes) images that are still to be assigned
        for key in order:
            counts = np.zeros_like(per_class)
            for row in members[key]:
                counts[truth[row]] += 1
            # The classes' own deficits decide; those of whole splits matter in classes of only a few images.
            best = int((wanted @ counts + wanted.mean(axis=1) * counts.sum()).argmax())
            wanted[best] -= counts
            for row in members[key]:
                splits[row] = targets[best]
        return [split for split in splits if split is not None]


def groups_of_names(names: Sequence[str], classes: Sequence[str]) -> list[str]:
    """The group that each file name begins with, such as the person in ``S005_001.png``, or "" if names have none.

    The part before the first separator is a group if the same one occurs with several classes, as a person with several
    expressions does, and none covers more than half of the images, as ``Training_1.jpg`` would.
    """
    prefixes = [_prefix(name) for name in names]
    expressions: dict[str, set[str]] = {}
    for prefix, name in zip(prefixes, classes, strict=True):
        expressions.setdefault(prefix, set()).add(name)
    is_person = any(len(found) > 1 for prefix, found in expressions.items() if prefix)
    if "" in expressions or not is_person or max(Counter(prefixes).values()) > len(names) / 2:
        return [""] * len(names)
    return prefixes


def _prefix(name: str) -> str:
    """``S005_001.png`` -> ``S005``; "" if the name has no separator before its suffix."""
    stem = name.rpartition(".")[0]
    for position, character in enumerate(stem):
        if character in "_-. ":
            return stem[:position]
    return ""
