"""A whole batch: its options, and the run that scores what is missing and stores it part by part."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import checkpoints
from core.batch.listing import PhotoSource, open_source
from core.batch.local import in_processes, score_locally
from core.batch.part import FILES_PER_PART, Part, ScoredPart
from core.batch.scorer import Preparation, Scorer, thresholds
from core.batch.store import BatchStore, table_schema
from core.evaluation import REQUIRED_ACCURACY
from core.faces import AUTO, detector
from core.parallel import core_count
from core.records import SCHEMA_VERSION
from core.runtime import Runtime
from core.versions import versions


@dataclass(frozen=True)
class BatchOptions:
    """What is scored and how; with the same options, every process and machine gives the same rows."""

    source: str
    run_ids: tuple[str, ...] = ()  # the default networks where it is empty
    detector: str = AUTO
    whole_image: bool = False
    accuracy: float = REQUIRED_ACCURACY  # of the predictions that are called sure
    root: Path = checkpoints.ROOT
    device: str = "auto"


@dataclass(frozen=True)
class BatchProgress:
    """Files that are stored, of all; ``new`` of them in ``elapsed_s`` seconds of this run.

    ``unreadable`` counts the new ones that cannot be read, in the result of :func:`run_batch` all of them.
    """

    done: int
    total: int
    new: int
    elapsed_s: float
    unreadable: int

    @property
    def files_per_s(self) -> float:
        """0 before the first part."""
        return self.new / self.elapsed_s if self.elapsed_s > 0 else 0.0

    @property
    def left_s(self) -> float | None:
        """Seconds that are left; None before the first part."""
        return (self.total - self.done) / self.files_per_s if self.new else None


class Batch:
    """The networks and the source of a batch, ready to score. Raises BatchError and what the networks raise."""

    def __init__(self, options: BatchOptions, *, report: Callable[[str], None] | None = None) -> None:
        place = options.source if "://" in options.source else str(Path(options.source).absolute())
        self.source: PhotoSource = open_source(place)
        self.scorer = load_scorer(options, report=report)
        self.predictors = self.scorer.predictors
        # Names and complete paths, so that another process, or a network or a detector that is added, changes nothing.
        self.options = dataclasses.replace(
            options,
            source=place,
            run_ids=tuple(p.model_id for p in self.predictors),
            detector=detector(options.detector).name,
            root=options.root.resolve(),
        )

    @property
    def preparation(self) -> Preparation:
        """What other processes do with each file."""
        cards = tuple(p.card for p in self.predictors)
        return Preparation(cards, self.options.detector, self.options.whole_image)

    @property
    def origin(self) -> Mapping[str, Any]:
        """What an unfinished batch must agree with to be continued, as plain values."""
        return {
            "source": self.options.source,
            "networks": {p.model_id: p.card.weights_sha256 for p in self.predictors},
            "order of the networks": [p.model_id for p in self.predictors],  # that of the columns
            "temperatures": {p.model_id: p.card.temperature for p in self.predictors},
            "detector": self.options.detector,
            "whole_image": self.options.whole_image,
            "accuracy": self.options.accuracy,
            "files_per_part": FILES_PER_PART,
            "schema_version": SCHEMA_VERSION,
        }


def load_scorer(options: BatchOptions, *, report: Callable[[str], None] | None = None) -> Scorer:
    """The networks of a batch; ``report`` receives a sentence about each installed one that cannot be loaded, and about
    classes for which no prediction can be called sure."""
    runtime = Runtime(options.root, options.device)
    predictors = runtime.predictors(options.run_ids, report=report)
    listing = runtime.listing()
    used = [listing.get(p.model_id) for p in predictors]
    return Scorer(predictors, thresholds(used, options.accuracy, report=report))


Engine = Callable[[Batch, Iterable[Part]], Iterator[ScoredPart]]


def local_engine(processes: int | None = None) -> Engine:
    """Decoding and detection in processes of this machine, by default one per core; the networks in this one."""

    def engine(batch: Batch, parts: Iterable[Part]) -> Iterator[ScoredPart]:
        start = in_processes(batch.source, batch.preparation, processes or core_count())
        return score_locally(parts, batch.scorer, start)

    return engine


def run_batch(
    batch: Batch,
    output: Path,
    engine: Engine,
    *,
    restart: bool = False,
    progress: Callable[[BatchProgress], None] | None = None,
) -> BatchProgress:
    """Score the files that are not stored yet, store each part, and join the parts into ``output``.

    A run that ends early, for whatever reason, is continued by the same call. Raises BatchError.
    """
    store = BatchStore(output)
    layout = batch.scorer.layout
    columns = given_columns(batch.source.columns, layout.columns)
    schema = table_schema(layout, columns, {**batch.origin, "versions": versions()})
    with store.lock():
        if restart:
            store.discard()
        total = store.claim(batch.origin, batch.source)
        begun, new, unreadable = time.monotonic(), 0, 0
        before = sum(_size(number, total) for number in store.finished())
        now = BatchProgress(before, total, 0, 0.0, 0)
        if before < total:
            for scored in engine(batch, store.remaining()):
                if all(rows[0]["error"] is not None for rows in scored.rows):
                    batch.source.check()
                store.save(scored, schema, columns)
                new += len(scored.part.entries)
                unreadable += sum(rows[0]["error"] is not None for rows in scored.rows)
                now = BatchProgress(before + new, total, new, time.monotonic() - begun, unreadable)
                if progress is not None:
                    progress(now)
        return dataclasses.replace(now, unreadable=store.finish(schema, total))


def given_columns(columns: Sequence[str], results: Collection[str]) -> tuple[str, ...]:
    """Different names for the columns of a source beside those of ``results``.

    A column without a name, or named like one of the results, is called ``given_`` and its name.
    """
    taken, names = {*results, *columns}, []
    for name in columns:
        if not name or name in results:
            while not name or name in taken:
                name = f"given_{name}"
            taken.add(name)
        names.append(name)
    return tuple(names)


def _size(number: int, total: int) -> int:
    return min(FILES_PER_PART, total - number * FILES_PER_PART)
