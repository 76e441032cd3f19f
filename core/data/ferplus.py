"""FER+: the votes of ten annotators for every row of FER2013, and the labels derived from them.

Barsoum, Zhang, Canton Ferrer and Zhang, *Training Deep Networks for Facial Expression Recognition with Crowd-Sourced
Label Distribution*, ICMI 2016.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.data.rows import CsvTable, shown
from core.data.samples import FERPLUS_COLUMNS, Samples
from core.data.splits import split_of
from core.errors import DataError
from core.labels import FERPLUS8

FILE_NAME = "fer2013new.csv"
_VOTE = {str(count): count for count in range(11)}


@dataclass(frozen=True)
class FerPlusTable:
    """``fer2013new.csv``: M rows in the order of ``fer2013.csv``; ``bad`` states why a row cannot be read."""

    path: Path
    usage: tuple[str, ...]  # (M,)
    image_names: tuple[str, ...]  # (M,)
    votes: np.ndarray  # (M, 10) int16
    bad: dict[int, str]

    @classmethod
    def read(cls, path: Path) -> FerPlusTable:
        """Raises DataError if a column is missing."""
        table = CsvTable.open(path)
        columns = [c.lower() for c in FERPLUS_COLUMNS]
        for column in ("usage", *columns):
            if column not in table.columns:
                raise DataError(
                    f"{path.name} lacks the column {column!r}; FER+ has Usage, {', '.join(FERPLUS_COLUMNS)}"
                )
        usage, names, votes, bad = [], [], [], {}
        for number, line in enumerate(table.lines()):
            try:
                fields = table.fields(line)
                counts = parse_votes(fields[c] for c in columns)
            except DataError as error:
                bad[number] = str(error)
                fields, counts = {"usage": ""}, (0,) * len(columns)
            usage.append(fields["usage"])
            names.append(fields.get("image name", ""))
            votes.append(counts)
        return cls(path, tuple(usage), tuple(names), np.asarray(votes, np.int16).reshape(-1, len(columns)), bad)

    def attach(self, samples: Samples, *, skip_bad: bool) -> Samples:
        """``samples`` of fer2013.csv with their votes.

        Raises DataError if the two files differ in length, and for the first row with invalid votes or another Usage
        than its face; with ``skip_bad`` such rows are skipped and counted.
        """
        rows = len(samples) + samples.skipped
        if rows != len(self.votes):
            raise DataError(
                f"{self.path.name} must have one row for each of the {rows} faces in the same folder, "
                f"got {len(self.votes)}; use complete copies of both files, or remove {self.path.name} to read the "
                "faces without votes"
            )
        reasons = dict(self.bad)
        for number, split in zip(samples.ids.tolist(), samples.split.tolist(), strict=True):
            if number not in reasons and split_of(self.usage[number]) != split:
                reasons[number] = f"Usage must be that of its face ({split}), got {shown(self.usage[number])}"
        is_bad = np.isin(samples.ids, list(reasons))
        if is_bad.any() and (not skip_bad or is_bad.all()):
            number = int(samples.ids[is_bad][0])
            raise DataError(f"{self.path.name}, row {number}: {reasons[number]}")
        voted = replace(samples, votes=self.votes[samples.ids], skipped=samples.skipped + int(is_bad.sum()))
        return voted.select(~is_bad) if is_bad.any() else voted


def parse_votes(counts: Iterable[object]) -> tuple[int, ...]:
    """Ten counts of 0 to 10. Raises DataError for anything else."""
    found = [str(count).strip() for count in counts]
    try:
        return tuple(_VOTE[count] for count in found)
    except KeyError as error:
        raise DataError(f"a vote must be a whole number from 0 to 10, got {shown(error.args[0])}") from error


def ferplus_majority(votes: np.ndarray) -> np.ndarray:
    """The majority label of each image: ``votes`` (N, 10) -> (N,) int64 position in FERPLUS8, -1 if there is none.

    A single vote is treated as a mistake and set to 0 in all ten columns; the winner needs more than half of the
    remaining votes and has to be one of the eight expressions, not *unknown* or *not a face* (Barsoum et al. 2016).
    """
    if votes.ndim != 2 or votes.shape[1] != len(FERPLUS_COLUMNS):
        raise DataError(f"the votes must have shape (N, {len(FERPLUS_COLUMNS)}), got {votes.shape}")
    remaining = np.where(votes == 1, 0, votes).astype(np.int64)
    winner = remaining.argmax(axis=1)
    wins = 2 * remaining.max(axis=1, initial=0) > remaining.sum(axis=1)
    return np.where(wins & (winner < len(FERPLUS8)), winner, -1)


def with_ferplus_labels(samples: Samples) -> Samples:
    """The images with a majority of FER+ votes, labeled FERPLUS8 by :func:`ferplus_majority`; ids are unchanged.

    Raises DataError if the samples have no votes or no image has a majority.
    """
    if samples.votes is None:
        raise DataError(
            f"{samples.name} has no FER+ votes; put {FILE_NAME} in the folder of fer2013.csv and read it again"
        )
    truth = ferplus_majority(samples.votes)
    if not (truth >= 0).any():
        raise DataError(f"{samples.name}: FER+ has a majority label for none of the {len(samples)} images")
    kept = samples.select(truth >= 0)
    return replace(kept, name="FER+", labels=FERPLUS8, truth=truth[truth >= 0])
