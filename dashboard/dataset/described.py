"""What is known of a data set on this machine: its images, or the table of facts on them, or only what cards say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.checkpoints import Checkpoint
from core.data import ImageFacts, Samples, image_facts
from core.data.overview import class_counts
from core.errors import CheckpointError, DataError, EvaluationError
from dashboard import services
from dashboard.compare.comparison import SPLITS as SCORED

SPLITS = {"train": "Training", **{s: SCORED[s] for s in ("val", "test")}}


@dataclass(frozen=True, eq=False)
class Described:
    """One data set. ``counts`` has one row a class and one column a split; NaN where a count is not known."""

    name: str
    counts: pd.DataFrame
    totals: dict[str, int]  # images by split
    origin: str  # where the counts come from, in words
    facts: ImageFacts | None = None
    samples: Samples | None = None
    missing: str = ""  # why there are no facts

    @property
    def n(self) -> int:
        """Images in all splits."""
        return sum(self.totals.values())


def available(*, read: bool) -> tuple[list[Described], str]:
    """The data set that FERSCOPE_DATA names, then those of the installed networks; without any, those with a table.

    Beside them why there are no images, empty where there are or could be: reading them takes a while, and is done
    only when ``read`` asks for it.
    """
    found: list[Described] = []
    problem = ""
    if read or services.quickly_told():
        try:
            samples, facts = services.whole_dataset()
            found.append(_from_facts(facts, samples))
        except DataError as error:
            problem = str(error)
    known = {f for d in found if d.facts for f in d.facts.fingerprints}
    for checkpoint in services.listing().checkpoints:
        fingerprint = checkpoint.card.data.fingerprint
        if fingerprint in known:
            continue
        try:
            facts = services.facts(checkpoint.card)
            found.append(_from_facts(facts))
            known |= set(facts.fingerprints)
        except DataError as error:
            found.append(_from_answers(checkpoint, str(error)))
        known.add(fingerprint)
    return found or [_from_facts(f) for f in _shipped()], problem


def _from_facts(facts: ImageFacts, samples: Samples | None = None) -> Described:
    counts = class_counts(facts)
    return Described(
        name=facts.name,
        counts=counts.astype(float),
        totals={s: int(counts[s].sum()) for s in SPLITS},
        origin="Counted in the images." if samples is not None else "From the table of image facts.",
        facts=facts,
        samples=samples,
    )


def _from_answers(checkpoint: Checkpoint, missing: str) -> Described:
    """The splits' sizes are on the card; the classes of val and test are counted in the stored answers."""
    card = checkpoint.card
    counts = pd.DataFrame(np.nan, index=pd.Index(card.labels.classes, name="class"), columns=list(SPLITS))
    for split in SCORED:
        try:
            truth = services.evaluation(checkpoint, split).truth
        except (CheckpointError, EvaluationError):
            continue  # Compare says so; here the count stays unknown
        counts[split] = np.bincount(truth, minlength=len(card.labels)).astype(float)
    return Described(
        name=card.data.title,
        counts=counts,
        totals={s: card.data.images.get(s, 0) for s in SPLITS},
        origin=f"From the card and the stored answers of {card.run_id}, which do not hold the classes of Training.",
        missing=missing,
    )


def _shipped() -> list[ImageFacts]:
    tables = []
    for path in sorted(image_facts.FOLDER.glob(f"*{image_facts.SUFFIX}")):
        try:
            tables.append(ImageFacts.load(path))
        except DataError:
            continue  # a table that cannot be read describes nothing; Compare's Slices names it
    return tables
