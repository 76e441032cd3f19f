"""What is known about a data set on this machine: its images, the table of facts about them, or only the cards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.checkpoints import Checkpoint
from core.data import DatasetInfo, ImageFacts, Samples, image_facts
from core.data.info import KNOWN
from core.data.overview import class_counts
from core.data.samples import SPLITS
from core.errors import CheckpointError, DataError, SplitError
from dashboard import services


@dataclass(frozen=True, eq=False)
class Description:
    """One data set. ``counts`` has one row per class and one column per split; NaN where a count is not known."""

    info: DatasetInfo
    counts: pd.DataFrame
    totals: dict[str, int]  # images by split
    origin: str  # a sentence on where the counts come from
    facts: ImageFacts | None = None
    samples: Samples | None = None  # where all images have been read
    reads_singly: bool = False  # the images are read when they are shown
    missing: str = ""  # a sentence on why there are no facts

    @property
    def name(self) -> str:
        """The title of the data set."""
        return self.info.title

    @property
    def split_names(self) -> dict[str, str]:
        """The data set's own names of train, val and test."""
        return {split: self.info.split_name(split) for split in SPLITS}

    @property
    def n(self) -> int:
        """Images in all splits."""
        return sum(self.totals.values())

    @property
    def has_images(self) -> bool:
        """Whether :meth:`images` can return them."""
        return self.samples is not None or self.reads_singly

    def images(self, ids: np.ndarray) -> dict[int, np.ndarray]:
        """Images by row number. Raises DataError."""
        if self.samples is not None:
            found = self.samples.images[np.searchsorted(self.samples.ids, ids)]
            return dict(zip(ids.tolist(), found, strict=True))
        assert self.facts is not None  # reads_singly
        read = services.images_of(self.facts, ids)
        return dict(zip(read.ids.tolist(), read.images, strict=True))

    @property
    def protocol(self) -> str:
        """Title and number of images: the first words of every caption."""
        return f"{self.name}, n = {self.n:,}."


def available(*, read: bool) -> tuple[list[Description], str]:
    """The data set that FERSCOPE_DATA names and those of the installed networks; without any, those with a table.

    The second value is a sentence on why there are no images, empty where there are or could be: reading them takes a
    while and is done only with ``read``.
    """
    found: list[Description] = []
    problem = ""
    if (facts := services.recognized()) is not None:
        found.append(_from_facts(facts, reads_singly=True))
    elif read or services.is_read():
        try:
            samples, facts = services.whole_dataset()
            found.append(_from_facts(facts, samples))
        except SplitError as error:
            problem = DataError(f"{error.fact}; this page shows data sets with splits, so add them").sentence
        except DataError as error:
            problem = error.sentence
    known = {f for d in found if d.facts for f in d.facts.fingerprints}
    for checkpoint in services.listing().checkpoints:
        data = checkpoint.card.data
        if not data.fingerprint or data.matches(*known):  # an imported network may have no data set
            continue
        try:
            facts = services.facts(checkpoint.card)
            found.append(_from_facts(facts))
            known |= set(facts.fingerprints)
        except DataError as error:
            found.append(_from_predictions(checkpoint, error.sentence))
        known |= set(data.fingerprints)
    return found or [_from_facts(f) for f in image_facts.shipped()], problem


def _from_facts(facts: ImageFacts, samples: Samples | None = None, *, reads_singly: bool = False) -> Description:
    counts = class_counts(facts)
    return Description(
        info=KNOWN.get(facts.name, DatasetInfo(facts.name)),
        counts=counts.astype(float),
        totals={s: int(counts[s].sum()) for s in SPLITS},
        origin=f"Source: {'the images' if samples is not None else 'the precomputed table of image facts'}.",
        facts=facts,
        samples=samples,
        reads_singly=reads_singly,
    )


def _from_predictions(checkpoint: Checkpoint, missing: str) -> Description:
    """The sizes of the splits are on the card; the classes of val and test are counted in the stored predictions."""
    card = checkpoint.card
    counts = pd.DataFrame(np.nan, index=pd.Index(card.labels.classes, name="class"), columns=list(SPLITS))
    for split in ("val", "test"):
        try:
            truth = services.evaluation(checkpoint, split).truth
        except CheckpointError:
            continue  # reported on Compare; here the count stays unknown
        counts[split] = np.bincount(truth, minlength=len(card.labels)).astype(float)
    training = card.data.split_name("train")
    return Description(
        info=card.data,
        counts=counts,
        totals={s: card.data.images.get(s, 0) for s in SPLITS},
        origin=f"Source: the card and the stored predictions of {card.run_id}, which do not cover {training}.",
        missing=missing,
    )
