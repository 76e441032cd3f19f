"""The results of a batch on the disk: finished parts in a folder beside the output, joined into it at the end.

``results.parquet.parts/`` holds what the batch belongs to, the files in their order, and one Parquet file per finished
part. Every file is complete or absent, so a batch whose process was killed continues with the missing parts.
"""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from core.batch.entry import Entry
from core.batch.listing import PhotoSource
from core.batch.part import FILES_PER_PART, Part, ScoredPart, parts_of
from core.errors import BatchError
from core.files import write_atomically, write_text
from core.records.face_rows import RowLayout

FORMATS = (".parquet", ".csv")
TYPES: Mapping[type, pa.DataType] = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
PARTS_PER_ROW_GROUP = 256  # row groups of few rows would make a large file that is slow to read
METADATA = b"ferscope"  # the key of the batch's description in the metadata of a Parquet file


@dataclass(frozen=True)
class BatchStore:
    """The output of one batch and the folder of its parts. Nothing is created before :meth:`claim`."""

    output: Path

    def __post_init__(self) -> None:
        if self.output.suffix.lower() not in FORMATS:
            raise BatchError(f"the results are written as {' or '.join(FORMATS)}, got {self.output.name}")

    @property
    def folder(self) -> Path:
        """The folder of an unfinished batch."""
        return self.output.with_name(f"{self.output.name}.parts")

    @property
    def origin_path(self) -> Path:
        """What the batch belongs to, a JSON file; it is written last, so that a folder with it has a complete list."""
        return self.folder / "batch.json"

    @property
    def files_path(self) -> Path:
        """The files of the batch in their order, one JSON array per line."""
        return self.folder / "files.jsonl"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Exclude other processes. Raises BatchError where one writes here; a killed process frees the lock."""
        with self._writing():
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / "lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                raise BatchError(
                    f"another batch is writing {self.output}; wait until it ends, or give another path with --out"
                ) from None
        try:
            yield
        finally:
            if not self.origin_path.is_file():  # finished, or failed before it began
                shutil.rmtree(self.folder, ignore_errors=True)
            lock.release()

    def claim(self, origin: Mapping[str, Any], source: PhotoSource) -> int:
        """Begin a batch, or continue the one in the folder; returns the number of its files.

        The list of files is made once: a file that appears later is not part of the batch. Raises BatchError where the
        output exists, and where the folder holds a batch with other options.
        """
        if self.origin_path.is_file():
            return self._claimed(origin)
        if self.output.exists():
            raise BatchError(f"{self.output} exists already; delete it, or give another path with --out")
        count = 0

        def write(partial: Path) -> None:
            nonlocal count
            with partial.open("w", encoding="ascii") as file:
                for entry in source.entries():
                    file.write(json.dumps([entry.path, entry.values, entry.problem]) + "\n")
                    count += 1

        with self._writing():
            self._remove_parts()
            write_atomically(self.files_path, write)
            if not count:
                raise BatchError("the source contains no photo; name a folder, pattern, zip or CSV with photos")
            write_text(self.origin_path, json.dumps({"origin": origin, "files": count}, indent=2) + "\n")
        return count

    def finished(self) -> set[int]:
        """The numbers of the stored parts."""
        return {int(path.stem.removeprefix("part-")) for path in self.folder.glob("part-*.parquet")}

    def remaining(self) -> Iterator[Part]:
        """The parts that are not stored."""
        return parts_of(self._entries(), self.finished())

    def save(self, scored: ScoredPart, schema: pa.Schema, columns: tuple[str, ...]) -> None:
        """Store a part. Raises BatchError for a full disk."""
        rows = [
            {**dict(zip(columns, entry.values, strict=True)), **row}
            for entry, of_file in zip(scored.part.entries, scored.rows, strict=True)
            for row in of_file
        ]
        table, path = pa.Table.from_pylist(rows, schema), self._part_path(scored.part.number)
        with self._writing():
            write_atomically(path, lambda partial: pq.write_table(table, partial, compression="zstd"))

    def finish(self, schema: pa.Schema, files: int) -> int:
        """Join the parts into the output; returns the number of files that could not be read.

        Leaving the lock then removes the folder. Raises BatchError for a full disk.
        """
        unreadable = 0

        def tables() -> Iterator[pa.Table]:
            nonlocal unreadable
            for number in range(-(-files // FILES_PER_PART)):
                table = pq.read_table(self._part_path(number), schema=schema)
                unreadable += len(table) - table["error"].null_count
                yield table

        write = _write_csv if self.output.suffix.lower() == ".csv" else _write_parquet
        with self._writing():
            write_atomically(self.output, lambda partial: write(partial, tables(), schema))
            self.origin_path.unlink()
        return unreadable

    def discard(self) -> None:
        """Remove the output and an unfinished batch, so that it begins again. The lock must be held."""
        with self._writing():
            self.origin_path.unlink(missing_ok=True)
            self._remove_parts()
            self.output.unlink(missing_ok=True)

    def _claimed(self, origin: Mapping[str, Any]) -> int:
        stored = json.loads(self.origin_path.read_text(encoding="utf-8"))
        known = json.loads(json.dumps(origin))
        differing = [key for key in known if stored["origin"].get(key) != known[key]]
        if differing:
            raise BatchError(
                f"{self.folder} holds an unfinished batch whose options differ in: {', '.join(differing)}; use the "
                "options of that batch, or start again with --restart"
            )
        return int(stored["files"])

    def _entries(self) -> Iterator[Entry]:
        with self.files_path.open(encoding="ascii") as file:
            for line in file:
                path, values, problem = json.loads(line)
                yield Entry(path, tuple(values), problem)

    def _remove_parts(self) -> None:
        for path in self.folder.glob("part-*"):
            path.unlink()

    def _part_path(self, number: int) -> Path:
        return self.folder / f"part-{number:06}.parquet"

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            parts = len(self.finished())
            raise BatchError(
                f"{self.output} cannot be written ({error.strerror or error}); {parts} parts of {FILES_PER_PART} files "
                "are stored. Free some disk space or correct the path, then run the same command again to continue"
            ) from error


def table_schema(layout: RowLayout, columns: tuple[str, ...], description: Mapping[str, Any]) -> pa.Schema:
    """The columns of the output: those of the source first. ``description`` is stored in a Parquet file."""
    fields = [pa.field(name, pa.string()) for name in columns]
    fields += [pa.field(name, TYPES[kind]) for name, kind in layout.columns.items()]
    return pa.schema(fields, {METADATA: json.dumps(description).encode()})


def _write_parquet(path: Path, tables: Iterator[pa.Table], schema: pa.Schema) -> None:
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while several := list(itertools.islice(tables, PARTS_PER_ROW_GROUP)):
            writer.write_table(pa.concat_tables(several))


def _write_csv(path: Path, tables: Iterator[pa.Table], schema: pa.Schema) -> None:
    with pa_csv.CSVWriter(path, schema) as writer:
        for table in tables:
            writer.write_table(table)
