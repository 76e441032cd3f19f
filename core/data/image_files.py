"""Data sets of image files: a folder ``root/split/class/image`` or ``root/class/image``, or a CSV of ``path,label``."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.data.rows import CsvTable, ReadOptions, Row, RowLabels, samples_from_rows, shown
from core.data.samples import SPLITS, Samples
from core.data.splits import groups_of_names, split_of
from core.errors import DataError, ImageError, LabelError
from core.images import SUFFIXES, open_upright
from core.labels import LabelSet, canonical

MANIFEST_COLUMNS = {"path", "label"}
GROUP_COLUMNS = ("group", "subject", "person", "identity")
_LAYOUT = (
    "a folder of images must look like root/split/class/image.jpg or, with a chosen split, root/class/image.jpg "
    "(split: train, val or test; image: " + ", ".join(s[1:] for s in SUFFIXES) + ")"
)


@dataclass(frozen=True)
class ImageEntry:
    """One image file before it is opened; ``label`` is in the spelling of the source, ``split`` None if it has none."""

    path: Path
    shown_as: str
    label: str
    split: str | None
    group: str = ""


def folder_files(root: Path) -> dict[str, Path]:
    """The files below a folder by their relative path, sorted; without hidden ones, with those in linked folders."""
    return {relative: root / relative for relative in sorted(_visible_files(root, "", frozenset()))}


def _visible_files(root: Path, below: str, above: frozenset[str]) -> Iterator[str]:
    folder = root / below
    real = os.path.realpath(folder)
    if real in above:  # a link to a folder that contains it
        return
    with contextlib.suppress(PermissionError), os.scandir(folder) as items:
        for item in items:
            # Leftovers of archives and file managers: ._face.jpg, __MACOSX, Thumbs.db
            if item.name.startswith((".", "__")) or item.name == "Thumbs.db":
                continue
            relative = f"{below}/{item.name}" if below else item.name
            if item.is_dir():
                yield from _visible_files(root, relative, above | {real})
            elif item.is_file():
                yield relative


def is_in_split_and_class(relative: str) -> bool:
    """Whether a path relative to the root of a data set is ``split/class/file``."""
    folders = relative.split("/")[:-1]
    return len(folders) == 2 and split_of(folders[0]) is not None


def read_folder(root: Path, options: ReadOptions = ReadOptions()) -> Samples:
    """Read a folder of images; ids are positions in the sorted listing, classes are alphabetical.

    Files in a class folder without the suffix of an image count as skipped. Raises DataError if an image is at
    another depth, if there are no splits and none was chosen, and for the first image that cannot be opened.
    """
    root = root.resolve()
    entries, others = _folder_entries(root)
    without = next((entry for entry in entries if entry.split is None), None)
    if without is not None:
        options.require_shares(root.name, f"its images are in root/class, for example {without.shown_as}")
    if options.shares is not None:
        groups = groups_of_names([e.path.name for e in entries], [canonical(e.label) for e in entries])
        entries = [replace(entry, group=group) for entry, group in zip(entries, groups, strict=True)]
    return _read(entries, root.name, root.name, options, ignored=others)


def folder_labels(root: Path) -> RowLabels:
    """The labels and splits of :func:`read_folder`. Raises DataError."""
    root = root.resolve()
    return _row_labels(_folder_entries(root)[0], root.name)


def _folder_entries(root: Path) -> tuple[list[ImageEntry], int]:
    """The images in the order of their rows, and the number of other files in the folders of the classes."""
    files = folder_files(root)
    images = {relative: path for relative, path in files.items() if path.suffix.lower() in SUFFIXES}
    if not images:
        raise DataError(f"{_LAYOUT}; found no such image in {root.name}")
    entries = [_entry(relative, path, root.name) for relative, path in images.items()]
    without = [entry for entry in entries if entry.split is None]
    if without and len(without) < len(entries):
        raise DataError(f"{_LAYOUT}; found both, for example {root.name}/{without[0].shown_as}")
    depth = 1 if without else 2
    return entries, sum(relative.count("/") == depth for relative in files.keys() - images.keys())


def _entry(relative: str, path: Path, root_name: str) -> ImageEntry:
    folders = relative.split("/")[:-1]
    if is_in_split_and_class(relative):
        return ImageEntry(path, relative, folders[1], split_of(folders[0]))
    if len(folders) == 1 and split_of(folders[0]) is None:
        return ImageEntry(path, relative, folders[0], None)
    raise DataError(f"{_LAYOUT}; found {root_name}/{relative}")


def read_manifest(path: Path, options: ReadOptions = ReadOptions()) -> Samples:
    """Read a CSV with the columns path (relative to the CSV), label and split; classes are alphabetical.

    Without the column split, one has to be chosen; a column group, subject, person or identity then keeps the images of
    a group in one split. Raises DataError naming the first row with an unknown split, no label, or an image that cannot
    be opened.
    """
    table = CsvTable.open(path)
    if "split" not in table.columns:
        options.require_shares(path.name, "there is no column split")
    return _read(_manifest_entries(table, grouped=options.shares is not None), path.stem, path.name, options)


def manifest_labels(path: Path) -> RowLabels:
    """The labels and splits of :func:`read_manifest`. Raises DataError."""
    return _row_labels(_manifest_entries(CsvTable.open(path), grouped=False), path.name)


def _manifest_entries(table: CsvTable, *, grouped: bool) -> list[ImageEntry | DataError]:
    """One entry per row; with ``grouped`` it has its group."""
    has_split = "split" in table.columns
    group_column = next((column for column in GROUP_COLUMNS if column in table.columns), None)

    def entry(line: str) -> ImageEntry:
        fields = table.fields(line)
        if not fields["label"]:
            raise DataError(f"label must name a class, got nothing for {shown(fields['path'])}")
        split = split_of(fields["split"]) if has_split else None
        if has_split and split is None:
            raise DataError(f"split must be one of {', '.join(SPLITS)}, got {shown(fields['split'])}")
        group = fields[group_column] if group_column and grouped else ""
        return ImageEntry(table.path.parent / fields["path"], fields["path"], fields["label"], split, group)

    entries: list[ImageEntry | DataError] = []
    for line in table.lines():
        try:
            entries.append(entry(line))
        except DataError as error:  # stored in its place, so that it gets its row number
            entries.append(error)
    return entries


def _row_labels(entries: Sequence[ImageEntry | DataError], where: str) -> RowLabels:
    labels = _labels(entries, where)
    truth, split = [], []
    for number, entry in enumerate(entries):
        if isinstance(entry, DataError):
            raise DataError(f"{where}, row {number}: {entry}")
        if entry.split is None:
            raise DataError(f"{where} has no splits")
        truth.append(labels.index(entry.label))
        split.append(entry.split)
    return RowLabels(labels, np.array(truth, np.int64), np.array(split, str))


def _read(
    entries: Sequence[ImageEntry | DataError], name: str, where: str, options: ReadOptions, *, ignored: int = 0
) -> Samples:
    labels = _labels(entries, where)

    def to_row(entry: ImageEntry | DataError) -> Row:
        if isinstance(entry, DataError):
            raise entry
        return Row(_open(entry, options), labels.index(entry.label), entry.split, group=entry.group)

    return samples_from_rows(entries, to_row, name=name, where=where, labels=labels, options=options, ignored=ignored)


def _labels(entries: Sequence[ImageEntry | DataError], where: str) -> LabelSet:
    """The classes of all splits together, alphabetical."""
    try:
        return LabelSet.custom(sorted({canonical(e.label) for e in entries if isinstance(e, ImageEntry)}))
    except LabelError as error:
        # An invalid row may be the reason why a class is missing, so it is reported instead.
        bad = next(((n, e) for n, e in enumerate(entries) if isinstance(e, DataError)), None)
        raise DataError(f"{where}, row {bad[0]}: {bad[1]}" if bad else f"{where}: {error}") from error


def _open(entry: ImageEntry, options: ReadOptions) -> np.ndarray:
    try:
        return options.image_format.apply(open_upright(entry.path.read_bytes()))
    except FileNotFoundError as error:
        raise DataError(f"{shown(entry.shown_as)} does not exist") from error
    except (OSError, ImageError, ValueError) as error:  # ValueError: a path with a null byte
        raise DataError(f"{shown(entry.shown_as)} cannot be read as an image ({error})") from error
