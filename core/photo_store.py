"""The photos of one session and everything computed from them, in memory only and bounded in bytes."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from core import images
from core.caching import Cache

Result = TypeVar("Result")

MAX_PHOTOS = 24
MAX_BYTES = 256 << 20  # of the photo files, and again of the results: an analysis of a 12-megapixel photo has 36 MB


@dataclass(frozen=True)
class Photo:
    """The bytes of a photo as they were received."""

    name: str
    data: bytes = field(repr=False)
    digest: str  # SHA-256 of the bytes
    source: str  # "upload", "webcam" or "sample"
    file_id: str = ""  # the uploader's key of the file; empty for other sources

    @classmethod
    def of(cls, name: str, data: bytes, source: str, file_id: str = "") -> Photo:
        """A photo with the digest of its bytes."""
        return cls(name, data, images.digest(data), source, file_id)


class PhotoStore:
    """Photos by digest, oldest first, and the results computed from each. Safe in several threads.

    The oldest photos are removed when there are more than ``max_photos`` or more than ``max_bytes``; the one that was
    just added stays. Results are bounded by ``max_bytes`` as well. With a photo, its results are removed.
    """

    def __init__(self, max_photos: int = MAX_PHOTOS, max_bytes: int = MAX_BYTES) -> None:
        self.max_photos, self._max_bytes = max_photos, max_bytes
        self._photos: dict[str, Photo] = {}
        self._file_ids: dict[str, set[str]] = {}  # by digest: two equal files are one photo
        self._removed: dict[str, Photo] = {}  # removed because of the bounds, without their bytes
        self._results = Cache(max_bytes, size_of=array_bytes)
        self._lock = threading.RLock()

    @property
    def photos(self) -> tuple[Photo, ...]:
        """The photos, oldest first."""
        return tuple(self._photos.values())

    @property
    def removed(self) -> tuple[Photo, ...]:
        """Photos that were removed because of the bounds, without their bytes."""
        return tuple(self._removed.values())

    @property
    def nbytes(self) -> int:
        """Bytes of the photos and of the arrays computed from them."""
        return sum(len(photo.data) for photo in self._photos.values()) + self._results.size

    def get(self, digest: str) -> Photo | None:
        """The photo with that digest, None if there is none."""
        return self._photos.get(digest)

    def add(self, *photos: Photo) -> None:
        """Add photos as the newest ones. Where they exceed the bounds, the first of them stay."""
        with self._lock:
            for photo in photos:
                self._photos.pop(photo.digest, None)
                self._removed.pop(photo.digest, None)
                self._photos[photo.digest] = photo
                self._file_ids.setdefault(photo.digest, set()).add(photo.file_id)
            added = list(dict.fromkeys(photo.digest for photo in photos))
            removable = [digest for digest in self._photos if digest not in added] + added[:0:-1]
            for digest in removable:
                if not self._exceeds_bounds():
                    break
                removed = self._photos[digest]
                self._remove(digest)
                self._removed[digest] = dataclasses.replace(removed, data=b"")

    def remove_uploads(self, file_ids: Collection[str]) -> None:
        """Remove uploaded files; a photo stays as long as an equal file is still there."""
        with self._lock:
            for digest, of_photo in list(self._file_ids.items()):
                of_photo.difference_update(file_ids)
                if not of_photo:
                    self._remove(digest)
            self._removed = {d: photo for d, photo in self._removed.items() if photo.file_id not in file_ids}

    def clear(self) -> None:
        """Remove every photo and every result, also those that are being computed now."""
        with self._lock:
            self._photos.clear()
            self._file_ids.clear()
            self._removed.clear()
            self._results.clear()

    def compute(self, photo: Photo, key: Hashable, compute: Callable[[], Result]) -> Result:
        """The result stored for a photo under ``key``, computed first if there is none.

        It is stored only while the photo is in the store. Raises what ``compute`` raises.
        """
        result = self._results.get((photo.digest, key), compute)
        with self._lock:  # the photo may have been removed meanwhile
            if photo.digest not in self._photos:
                self._results.remove(lambda stored: stored[0] == photo.digest)
        return result

    def has(self, photo: Photo, key: Hashable) -> bool:
        """Whether the result is stored."""
        return (photo.digest, key) in self._results

    def _remove(self, digest: str) -> None:
        del self._photos[digest], self._file_ids[digest]
        self._results.remove(lambda key: key[0] == digest)

    def _exceeds_bounds(self) -> bool:
        sizes = [len(photo.data) for photo in self._photos.values()]
        return len(sizes) > self.max_photos or sum(sizes) > self._max_bytes


def array_bytes(value: Any) -> int:
    """Bytes of all arrays in a value: in its items, fields and attributes, each array counted once."""
    arrays: dict[int, int] = {}
    pending = [value]
    while pending:
        part = pending.pop()
        if isinstance(part, np.ndarray):
            arrays[id(part)] = part.nbytes
        elif isinstance(part, Mapping):
            pending += part.values()
        elif isinstance(part, tuple | list):
            pending += part
        elif dataclasses.is_dataclass(part) and not isinstance(part, type):
            pending += vars(part).values()
    return sum(arrays.values())
