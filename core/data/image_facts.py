"""Numbers on every image of a data set, keyed by row number, in one small table without any pixel.

With it a page can show how bright, sharp or disputed the images are on which a network fails, on a machine that does
not have the images. ``python -m core data describe`` writes the table; the one of FER2013 ships with FERscope.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.data.auditing import blank_images, copies_in_train, identical_groups
from core.data.ferplus import ferplus_majority, with_ferplus_labels
from core.data.info import DatasetInfo
from core.data.samples import FERPLUS_COLUMNS, SPLITS, Samples
from core.errors import DataError, LabelError
from core.files import write_atomically
from core.labels import LABEL_SETS, LabelSet

FOLDER = Path(__file__).resolve().parent.parent / "assets"
SUFFIX = "_images.parquet"
NO_GROUP = -1
LICENSE = (
    "Numbers computed from the images of {name} and, where there are any, the vote counts of FER+ (Barsoum et al. "
    "2016, MIT license). The table contains no pixels, and no image can be reconstructed from it."
)
_KEY = b"ferscope"
_COLUMNS = ("split", "truth", "brightness", "contrast", "sharpness", "blank", "copy_in_train", "copy_group")
_VOTES = tuple(f"votes_{c}" for c in FERPLUS_COLUMNS)


# Compared by identity: an equality of arrays has no single truth value.
@dataclass(frozen=True, eq=False)
class ImageFacts:
    """Facts about N images of one data set, by ascending row number; arrays are read-only.

    ``brightness`` is the mean and ``contrast`` the standard deviation of the gray levels (0 to 255, to a tenth).
    ``sharpness`` is the variance of the Laplacian (Pech-Pacheco et al. 2000), to three digits, and low for blurred
    images. ``copy_group`` numbers the sets of pixel-identical images, -1 for an image without a copy. ``fingerprints``
    are those of the data set from which it was computed, in each of the forms in which networks get it.
    Raises DataError for columns of different lengths or with invalid values.
    """

    name: str
    fingerprints: tuple[str, ...]
    labels: LabelSet
    ids: np.ndarray  # (N,) int64
    split: np.ndarray  # (N,) str, one of SPLITS
    truth: np.ndarray  # (N,) int64, position in labels
    brightness: np.ndarray  # (N,) float32
    contrast: np.ndarray  # (N,) float32
    sharpness: np.ndarray  # (N,) float32
    blank: np.ndarray  # (N,) bool, all pixels are equal
    copy_in_train: np.ndarray  # (N,) bool, val and test images that are also in train
    copy_group: np.ndarray  # (N,) int32
    votes: np.ndarray | None = None  # (N, 10) uint8, the ten FER+ counts

    def __post_init__(self) -> None:
        n = len(self.ids)
        for name, array in self._arrays().items():
            if len(array) != n:
                raise DataError(f"the image facts of {self.name}: {name} must have {n} rows like ids, got {len(array)}")
            view = array.view()
            view.flags.writeable = False
            object.__setattr__(self, name, view)
        if n > 1 and not (np.diff(self.ids) > 0).all():
            raise DataError(f"the image facts of {self.name}: row numbers must ascend, each of them once")
        unknown = sorted({str(s) for s in np.unique(self.split)} - set(SPLITS))
        if unknown:
            raise DataError(
                f"the image facts of {self.name}: splits must be {', '.join(SPLITS)}, got {', '.join(unknown)}"
            )
        if n and not 0 <= int(self.truth.min()) <= int(self.truth.max()) < len(self.labels):
            raise DataError(
                f"the image facts of {self.name}: labels must lie in 0..{len(self.labels) - 1} for {self.labels.name}"
            )
        for name in ("brightness", "contrast", "sharpness"):
            values = getattr(self, name)
            if not (np.isfinite(values) & (values >= 0)).all():
                raise DataError(f"the image facts of {self.name}: {name} must be a number from 0 in every row")
        if self.votes is not None and self.votes.shape != (n, len(FERPLUS_COLUMNS)):
            raise DataError(f"the image facts of {self.name}: votes must have shape ({n}, 10), got {self.votes.shape}")

    def __len__(self) -> int:
        return len(self.ids)

    def _arrays(self) -> dict[str, np.ndarray]:
        values = {name: getattr(self, name) for name in ("ids", *_COLUMNS, "votes")}
        return {name: value for name, value in values.items() if value is not None}

    def at(self, image_ids: np.ndarray) -> ImageFacts:
        """The facts about these images, which must ascend. Raises DataError naming the first one that is missing."""
        wanted = np.asarray(image_ids)
        if np.array_equal(wanted, self.ids):
            return self
        rows = np.searchsorted(self.ids, wanted).clip(max=max(0, len(self) - 1))
        found = self.ids[rows] == wanted if len(self) else np.zeros(len(wanted), bool)
        if not found.all():
            raise DataError(f"the table of image facts of {self.name} has no image {wanted[np.argmin(found)]}")
        return replace(self, **{name: array[rows] for name, array in self._arrays().items()})

    def save(self, path: Path) -> None:
        """Write a Parquet file with one column per fact and the fingerprints in its metadata."""
        about = {
            "name": self.name,
            "fingerprints": list(self.fingerprints),
            "label_set": self.labels.name,
            "classes": list(self.labels.classes),
            "license": LICENSE.format(name=self.name),
        }
        columns: dict[str, Any] = {
            "image_id": self.ids.astype(np.int32),
            "split": pa.array(self.split.tolist()).dictionary_encode(),
            "truth": self.truth.astype(np.uint8),
            "brightness": self.brightness.astype(np.float32),
            "contrast": self.contrast.astype(np.float32),
            "sharpness": self.sharpness.astype(np.float32),
            "blank": self.blank,
            "copy_in_train": self.copy_in_train,
            "copy_group": self.copy_group.astype(np.int32),
        }
        if self.votes is not None:
            columns |= {c: self.votes[:, k].astype(np.uint8) for k, c in enumerate(_VOTES)}
        table = pa.table(columns).replace_schema_metadata({_KEY: json.dumps(about)})
        write_atomically(path, lambda partial: pq.write_table(table, partial, compression="zstd", compression_level=19))

    @classmethod
    def load(cls, path: Path) -> ImageFacts:
        """Read a file of :meth:`save`. Raises DataError naming the file and its defect."""
        about = _about(path)
        try:
            table = pq.read_table(path)
        except (OSError, pa.ArrowException) as error:
            raise DataError(f"{path.name} cannot be read as a table of image facts: {error}") from error
        votes = [c for c in _VOTES if c in table.column_names]
        for column in ("image_id", *_COLUMNS, *(_VOTES if votes else ())):
            if column not in table.column_names:
                raise DataError(
                    f"{path.name} lacks the column {column!r}; write it again with: python -m core data describe"
                )
            if table[column].null_count:
                raise DataError(f"{path.name} has no value in a row of the column {column!r}")
        values = {c: table[c].to_numpy() for c in ("image_id", *_COLUMNS)}
        try:
            return cls(
                name=about["name"],
                fingerprints=tuple(about["fingerprints"]),
                labels=LabelSet(about["label_set"], tuple(about["classes"])),
                ids=values.pop("image_id").astype(np.int64),
                split=values.pop("split").astype(str),
                truth=values.pop("truth").astype(np.int64),
                votes=np.column_stack([table[c].to_numpy() for c in votes]) if votes else None,
                **values,
            )
        except (KeyError, TypeError, ValueError, LabelError) as error:
            raise DataError(f"{path.name}: {error}") from error


def describe(samples: Samples) -> ImageFacts:
    """Measure every image of a data set; color images by their gray levels."""
    gray = _gray_images(samples)
    brightness, contrast = gray_levels(samples)
    groups = identical_groups(samples)
    _, first, sizes = np.unique(groups, return_index=True, return_counts=True)
    sharpness = np.array([cv2.Laplacian(image, cv2.CV_64F).var() for image in gray])
    # Sets of two or more are numbered from 0, in the order of their first image.
    numbers = np.full(len(sizes), NO_GROUP, np.int32)
    several = np.flatnonzero(sizes > 1)
    numbers[several[np.argsort(first[several])]] = np.arange(len(several))
    order = np.argsort(samples.ids)
    return ImageFacts(
        name=samples.name,
        fingerprints=_fingerprints(samples),
        labels=samples.labels,
        ids=samples.ids[order],
        split=samples.split[order],
        truth=samples.truth[order],
        brightness=brightness[order],
        contrast=contrast[order],
        sharpness=_three_digits(sharpness)[order].astype(np.float32),
        blank=blank_images(samples)[order],
        copy_in_train=copies_in_train(samples)[order],
        copy_group=numbers[groups][order],
        votes=None if samples.votes is None else samples.votes[order].astype(np.uint8),
    )


def gray_levels(samples: Samples) -> tuple[np.ndarray, np.ndarray]:
    """Brightness and contrast of every image, (N,) float32 each, as :class:`ImageFacts` stores them."""
    gray = _gray_images(samples)
    pixels = gray.reshape(len(gray), -1)
    return pixels.mean(axis=1).round(1).astype(np.float32), pixels.std(axis=1).round(1).astype(np.float32)


def shipped() -> Iterator[ImageFacts]:
    """The tables in ``FOLDER``, without those that cannot be read."""
    for path in sorted(FOLDER.glob(f"*{SUFFIX}")):
        with contextlib.suppress(DataError):  # reported on Compare, in Slices
            yield ImageFacts.load(path)


def facts_for(fingerprint: str, folder: Path = FOLDER) -> ImageFacts:
    """The table in ``folder`` that was computed from the data set with that fingerprint.

    Raises DataError if there is none, naming the data sets that have one and the tables that cannot be read.
    """
    known, problems = [], []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            about = _about(path)
        except DataError as error:  # the table may be that of another data set
            problems.append(f"; {error}")
            continue
        if fingerprint in about.get("fingerprints", []):
            return ImageFacts.load(path)
        known.append(str(about.get("name")))
    raise DataError(
        f"no table of image facts was computed from this data set (fingerprint {fingerprint[:12]}…); available: "
        f"{', '.join(known) or 'none'}{''.join(problems)}"
    )


def facts_about(data: DatasetInfo, folder: Path = FOLDER) -> ImageFacts:
    """The table of a data set, or of the one of which it is a copy. Raises DataError as :func:`facts_for`."""
    for fingerprint in data.copy_of:
        with contextlib.suppress(DataError):
            return facts_for(fingerprint, folder)
    return facts_for(data.fingerprint, folder)


def table_path(facts: ImageFacts, folder: Path = FOLDER) -> Path:
    """The path of a table: the data set's name, with its fingerprint if another data set has the same name."""
    stem = "".join(c if c.isalnum() else "_" for c in facts.name.lower())
    path = folder / f"{stem}{SUFFIX}"
    with contextlib.suppress(DataError):  # a damaged table is replaced
        if path.is_file() and not set(facts.fingerprints) & set(_about(path).get("fingerprints", [])):
            return folder / f"{stem}_{facts.fingerprints[0][:12]}{SUFFIX}"
    return path


def _fingerprints(samples: Samples) -> tuple[str, ...]:
    """Of the data set, and of the forms in which networks get it: FER+ majority labels, known orders of its classes."""
    seen = [samples]
    if samples.votes is not None and bool((ferplus_majority(samples.votes) >= 0).any()):
        seen.append(with_ferplus_labels(samples))
    seen += [
        labeled.ordered_like(labels)
        for labeled in tuple(seen)
        for labels in LABEL_SETS.values()
        if labels.same_classes(labeled.labels) and labels.classes != labeled.labels.classes
    ]
    return tuple(s.fingerprint() for s in seen)


def _about(path: Path) -> dict[str, Any]:
    try:
        metadata = pq.read_schema(path).metadata or {}
        about: dict[str, Any] = json.loads(metadata.get(_KEY, b"null")) or {}
    except (OSError, pa.ArrowException, ValueError) as error:
        raise DataError(f"{path.name} cannot be read as a table of image facts: {error}") from error
    if not about:
        raise DataError(f"{path.name} does not state its data set; write it again with: python -m core data describe")
    return about


def _gray_images(samples: Samples) -> np.ndarray:
    if samples.channels == 1:
        return samples.images
    return np.stack([np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)) for image in samples.images])


def _three_digits(values: np.ndarray) -> np.ndarray:
    """Rounded, because fewer different numbers make a smaller table and the fourth digit has no meaning."""
    magnitude = 10.0 ** (np.floor(np.log10(np.maximum(values, 1e-9))) - 2)
    return np.asarray(np.round(values / magnitude) * magnitude)
