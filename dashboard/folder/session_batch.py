"""A batch that belongs to a session: scored in the background, in memory only, and ended with the session."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from core.batch.entry import Entry
from core.batch.job import given_columns
from core.batch.listing import PhotoSource
from core.batch.local import in_threads, score_locally
from core.batch.part import ScoredPart, parts_of
from core.batch.scorer import Preparation, Scorer
from core.errors import BatchError, FerscopeError
from core.inference import WHOLE_IMAGE
from core.parallel import core_count
from dashboard.section import listed
from dashboard.ui import network_picker

MAX_FILES = 20_000  # a face takes about 4 KB, its thumbnail and its row; the command line has no limit
FILES_PER_PART = 16  # smaller than in files: results appear sooner
THREADS = 2
MAX_RUNNING = 2  # batches of all sessions; the next one waits for its turn

_places = threading.BoundedSemaphore(MAX_RUNNING)

# Columns that are added to the rows: the position of the file in the list, and the thumbnail. They are capitalized,
# because the names of a source's columns are in lower case.
ENTRY = "Entry"
THUMBNAIL = "Thumbnail"

log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Work:
    """What the thread and the page share. The thread does not refer to the batch, so that it ends with the session."""

    source: PhotoSource
    entries: Sequence[Entry]
    scorer: Scorer
    preparation: Preparation
    stopped: threading.Event = field(default_factory=threading.Event)
    tables: dict[int, pd.DataFrame] = field(default_factory=dict)  # by part
    error: str = ""
    waiting: bool = False  # for one of the places
    begun: float = 0.0
    done_before: int = 0


class SessionBatch:
    """The files of a source, scored in the background. Nothing is written; dropping the object stops the work."""

    def __init__(
        self,
        name: str,
        source: PhotoSource,
        scorer: Scorer,
        preparation: Preparation,
        request: object,
        notes: Sequence[str] = (),
    ) -> None:
        """``request`` identifies the networks and the options; ``notes`` are sentences to show with the results.

        Raises BatchError where the source has no photo or too many.
        """
        entries: list[Entry] = []
        for entry in source.entries():
            entries.append(entry)
            if len(entries) > MAX_FILES:
                raise BatchError(
                    f"at most {MAX_FILES:,} photos are analyzed on this page, {name} has more; use the command line: "
                    "python -m core batch SOURCE --out results.parquet"
                )
        if not entries:
            raise BatchError(f"{name} contains no photo; choose another one")
        self.name, self.source, self.request, self.notes = name, source, request, notes
        self._work = _Work(source, entries, scorer, preparation)
        self._thread: threading.Thread | None = None
        self._merged: tuple[int, pd.DataFrame] = (0, pd.DataFrame())
        weakref.finalize(self, self._work.stopped.set)

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of the verdict."""
        return self._work.scorer.layout.groups[0].labels.classes

    @property
    def network_count(self) -> int:
        """How many networks the verdict is of."""
        return len(self._work.scorer.layout.groups[0].model_ids)

    @property
    def who(self) -> str:
        """Whose predictions the faces are listed with: those of the largest group of networks with the same classes."""
        groups = self._work.scorer.layout.groups
        titles = network_picker.titles(self._work.scorer.predictors)
        if len(groups) == 1:
            return "the ensemble" if self.network_count > 1 else "the network"
        if self.network_count > 1:
            return f"the ensemble of {listed([titles[m] for m in groups[0].model_ids])}"
        return titles[groups[0].model_ids[0]]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the source's own columns among the rows."""
        return given_columns(self.source.columns, self._work.scorer.layout.columns)

    @property
    def networks(self) -> str:
        """The titles of the networks."""
        return ", ".join(network_picker.titles(self._work.scorer.predictors).values())

    @property
    def detector(self) -> str:
        """The name of the detector, or that no detector is used."""
        return WHOLE_IMAGE if self._work.preparation.whole_image else self._work.preparation.detector

    @property
    def total(self) -> int:
        """Number of files."""
        return len(self._work.entries)

    @property
    def done(self) -> int:
        """Number of files that are scored."""
        return min(self.total, len(self._work.tables) * FILES_PER_PART)

    @property
    def unreadable(self) -> int:
        """Number of files that could not be analyzed so far."""
        rows = self.rows()
        return int(rows.loc[rows["error"].notna(), ENTRY].nunique()) if len(rows) else 0

    @property
    def finished(self) -> bool:
        """Whether every file is scored."""
        return self.done == self.total

    @property
    def running(self) -> bool:
        """Whether the work has not ended."""
        return self._thread is not None and self._thread.is_alive() and not self._work.stopped.is_set()

    @property
    def no_face_sentence(self) -> str:
        """What to say where no photo has a face."""
        return "No face has been found yet." if self.running else "No face was found."

    @property
    def waiting(self) -> bool:
        """Whether the work begins when one of the MAX_RUNNING batches of other sessions has ended."""
        return self.running and self._work.waiting

    @property
    def error(self) -> str:
        """Why the work ended early; empty where it did not."""
        return self._work.error

    @property
    def files_per_s(self) -> float:
        """Since the work was last started; 0 before the first result."""
        work = self._work
        return max(0.0, (self.done - work.done_before) / max(time.monotonic() - work.begun, 1e-9))

    def start(self) -> None:
        """Score the files that are not scored yet, in the background."""
        if self.running or self.finished:
            return
        if self._thread is not None:
            self._thread.join()  # stopped, and perhaps still with its last part
        work = self._work
        work.stopped.clear()
        work.error, work.begun, work.done_before = "", time.monotonic(), self.done
        self._thread = threading.Thread(target=_score, args=(work,), daemon=True, name="session-batch")
        self._thread.start()

    def stop(self) -> None:
        """End the work after the part that is being scored; what is scored remains."""
        self._work.stopped.set()

    def rows(self) -> pd.DataFrame:
        """The rows so far, in the order of the files, with the columns ``entry`` and ``thumbnail`` at the end."""
        tables = dict(self._work.tables)
        if self._merged[0] != len(tables):
            self._merged = len(tables), pd.concat([tables[n] for n in sorted(tables)], ignore_index=True)
        return self._merged[1]

    def data(self, entry: int) -> bytes:
        """The bytes of a file by its position. Raises ImageError."""
        return self.source.read(self._work.entries[entry])


def _score(work: _Work) -> None:
    work.waiting = True
    while not _places.acquire(timeout=0.1):
        if work.stopped.is_set():
            return
    work.waiting, work.begun = False, time.monotonic()
    try:
        _score_in_place(work)
    finally:
        _places.release()


def _score_in_place(work: _Work) -> None:
    try:
        start = in_threads(work.source, work.preparation, min(THREADS, core_count()))
        parts = parts_of(work.entries, set(work.tables), FILES_PER_PART)
        scored_parts = score_locally(parts, work.scorer, start)
        for scored in scored_parts:
            work.tables[scored.part.number] = _table(work, scored)
            if work.stopped.is_set():
                break
        scored_parts.close()
    except FerscopeError as error:
        work.error = error.sentence
    except Exception:
        log.exception("a batch of a session ended")
        work.error = "The work ended because of an error in FERscope; the server's log has the details."


def _table(work: _Work, scored: ScoredPart) -> pd.DataFrame:
    columns = given_columns(work.source.columns, work.scorer.layout.columns)
    first = scored.part.number * FILES_PER_PART
    rows = []
    for position, (file, of_file) in enumerate(zip(scored.files, scored.rows, strict=True), start=first):
        complete = len(file.thumbnails) == len(of_file)  # not where there is no face, or no prediction for any
        thumbnails = file.thumbnails if complete else (None,) * len(of_file)
        rows += [
            {**dict(zip(columns, file.entry.values, strict=True)), **row, ENTRY: position, THUMBNAIL: thumbnail}
            for row, thumbnail in zip(of_file, thumbnails, strict=True)
        ]
    return pd.DataFrame(rows, columns=[*columns, *work.scorer.layout.columns, ENTRY, THUMBNAIL])
