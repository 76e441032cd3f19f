"""A batch is divided into parts: the unit that is scored together, stored, and not scored again once it is stored."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from core.batch.entry import Entry
from core.batch.scorer import PreparedFile
from core.records.face_rows import Row

# Enough faces for full passes through the networks, and a few seconds of work at most.
FILES_PER_PART = 64


@dataclass(frozen=True)
class Part:
    """Consecutive files of a source; parts are numbered from 0."""

    number: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, eq=False)
class ScoredPart:
    """A part with the rows of each of its files; the prepared files are given by the local engine only."""

    part: Part
    rows: list[list[Row]]
    files: tuple[PreparedFile, ...] = ()


def parts_of(
    entries: Iterable[Entry], finished: Collection[int] = (), files_per_part: int = FILES_PER_PART
) -> Iterator[Part]:
    """The entries in parts, without those that are finished."""
    remaining = iter(entries)
    for number in itertools.count():
        chosen = tuple(itertools.islice(remaining, files_per_part))
        if not chosen:
            return
        if number not in finished:
            yield Part(number, chosen)
