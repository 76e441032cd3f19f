"""Data sets of image files: a folder ``root/split/class/image``, or a CSV of ``path,label,split``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from core.data.rows import CsvTable, ImageFormat, Row, samples_from_rows, shown
from core.data.samples import SPLITS, Samples
from core.errors import DataError, LabelError
from core.labels import LabelSet, canonical

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
MANIFEST_COLUMNS = {"path", "label", "split"}
# Names met in published copies, lower-cased and without separators -> the split. FER2013's public test is for choosing.
SPLIT_OF_NAME = {
    **dict.fromkeys(("train", "training", "trainset"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "valset", "publictest"), "val"),
    **dict.fromkeys(("test", "testing", "testset", "privatetest"), "test"),
}
_LAYOUT = (
    "a folder of images must look like root/split/class/image.jpg "
    "(split: train, val or test; image: " + ", ".join(sorted(s[1:] for s in SUFFIXES)) + ")"
)


@dataclass(frozen=True)
class ImageEntry:
    """One image file before it is opened; ``label`` and ``split`` are as the source spells them."""

    path: Path
    shown_as: str
    label: str
    split: str


def read_folder(root: Path, image_format: ImageFormat | None = None, *, skip_bad: bool = False) -> Samples:
    """Read ``root/split/class/*``; ids are positions in the sorted listing, classes are alphabetical.

    Raises DataError when an image lies at another depth, and for the first image that cannot be opened.
    """
    root = root.resolve()
    # Level by level and not rglob, which does not enter linked folders: large sets are often linked into place.
    levels = (root.glob("/".join("*" * depth)) for depth in range(1, 5))
    paths = {p.relative_to(root).as_posix(): p for level in levels for p in level if p.suffix.lower() in SUFFIXES}
    entries = []
    for relative in sorted(paths):
        folders = relative.split("/")[:-1]
        if any(part.startswith((".", "__")) for part in relative.split("/")):
            continue  # leftovers of archives: ._face.jpg, __MACOSX
        if len(folders) != 2 or _split(folders[0]) is None:
            raise DataError(f"{_LAYOUT}; found {root.name}/{relative}")
        entries.append(ImageEntry(paths[relative], relative, label=folders[1], split=folders[0]))
    if not entries:
        raise DataError(f"{_LAYOUT}; found no such image in {root.name}")
    return _read(entries, root.name, root.name, image_format, skip_bad)


def read_manifest(path: Path, image_format: ImageFormat | None = None, *, skip_bad: bool = False) -> Samples:
    """Read a CSV with the columns path (relative to the CSV), label and split; classes are alphabetical.

    Raises DataError naming the first row with an unknown split, no label, or an image that cannot be opened.
    """
    table = CsvTable.open(path)

    def entry(line: str) -> ImageEntry:
        fields = table.fields(line)
        if not fields["label"]:
            raise DataError(f"label must name a class, got nothing for {shown(fields['path'])}")
        if _split(fields["split"]) is None:
            raise DataError(f"split must be one of {', '.join(SPLITS)}, got {shown(fields['split'])}")
        return ImageEntry(path.parent / fields["path"], fields["path"], fields["label"], fields["split"])

    entries: list[ImageEntry | DataError] = []
    for line in table.lines():
        try:
            entries.append(entry(line))
        except DataError as error:  # kept in its place, so that it gets its row number
            entries.append(error)
    return _read(entries, path.stem, path.name, image_format, skip_bad)


def _read(
    entries: Sequence[ImageEntry | DataError], name: str, where: str, image_format: ImageFormat | None, skip_bad: bool
) -> Samples:
    image_format = image_format or ImageFormat()
    labels = _labels(entries, where)

    def to_row(entry: ImageEntry | DataError) -> Row:
        if isinstance(entry, DataError):
            raise entry
        split = _split(entry.split)
        assert split is not None  # checked when the entry was made
        return Row(_open(entry, image_format), labels.index(entry.label), split)

    return samples_from_rows(
        entries,
        to_row,
        name=name,
        where=where,
        labels=labels,
        image_format=image_format,
        skip_bad=skip_bad,
    )


def _labels(entries: Sequence[ImageEntry | DataError], where: str) -> LabelSet:
    """The classes of all splits together, alphabetical."""
    try:
        return LabelSet.custom(sorted({canonical(e.label) for e in entries if isinstance(e, ImageEntry)}))
    except LabelError as error:
        # A bad row may be why a class is missing, so it is what to name.
        bad = next(((n, e) for n, e in enumerate(entries) if isinstance(e, DataError)), None)
        raise DataError(f"{where}, row {bad[0]}: {bad[1]}" if bad else f"{where}: {error}") from error


def _split(name: str) -> str | None:
    return SPLIT_OF_NAME.get("".join(c for c in name.lower() if c.isalnum()))


def _open(entry: ImageEntry, image_format: ImageFormat) -> np.ndarray:
    try:
        with Image.open(entry.path, formats=("JPEG", "PNG", "WEBP", "BMP")) as file:
            return image_format.apply(ImageOps.exif_transpose(file))
    except DataError as error:
        raise DataError(f"{shown(entry.shown_as)}: {error}") from error
    except Exception as error:  # Pillow raises many kinds for a file that is cut or no image
        kind = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read as an image ({error})"
        raise DataError(f"{shown(entry.shown_as)} {kind}") from error
