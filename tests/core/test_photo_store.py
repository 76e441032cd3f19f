import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest

from core.photo_store import Photo, PhotoStore, array_bytes


def photo(data: bytes, file_id: str = "") -> Photo:
    return Photo.of(f"{data[:1]!r}.jpg", data, "upload", file_id)


def test_photos_are_in_the_order_in_which_they_were_added():
    store = PhotoStore()
    first, second = photo(b"1"), photo(b"2")
    for added in (first, second, first):
        store.add(added)
    assert store.photos == (second, first)
    assert store.get(first.digest) is first
    assert store.get("unknown") is None


def test_the_oldest_photo_is_removed_when_there_are_too_many():
    store = PhotoStore(max_photos=2)
    photos = [photo(bytes([n])) for n in range(3)]
    for added in photos:
        store.add(added)
    assert store.photos == tuple(photos[1:])
    assert [p.name for p in store.removed] == [photos[0].name]
    assert store.removed[0].data == b""
    store.add(photos[0])
    assert [p.name for p in store.removed] == [photos[1].name]


def test_the_bytes_of_photos_are_bounded_and_the_newest_stays():
    store = PhotoStore(max_bytes=10)
    store.add(photo(b"1" * 6))
    store.add(photo(b"2" * 6))
    assert [p.data[:1] for p in store.photos] == [b"2"]
    store.add(photo(b"3" * 99))
    assert [p.data[:1] for p in store.photos] == [b"3"]


def test_one_of_two_equal_files_can_be_removed():
    store = PhotoStore()
    store.add(photo(b"same", "a"))
    store.add(photo(b"same", "b"))
    store.remove_uploads({"a"})
    assert len(store.photos) == 1
    store.remove_uploads({"b"})
    assert store.photos == ()


def test_a_result_is_computed_once_and_removed_with_its_photo():
    store, calls = PhotoStore(), []
    kept, removed = photo(b"1", "1"), photo(b"2", "2")

    def compute():
        calls.append(1)
        return np.zeros(100, np.uint8)

    for added in (kept, removed):
        store.add(added)
        assert store.compute(added, "key", compute) is store.compute(added, "key", compute)
    assert len(calls) == 2
    assert store.nbytes == 202
    array = weakref.ref(store.compute(removed, "key", compute))
    store.remove_uploads({"2"})
    gc.collect()
    assert array() is None
    assert store.has(kept, "key")
    assert not store.has(removed, "key")


def test_results_are_bounded_in_bytes():
    store, only = PhotoStore(max_bytes=1000), photo(b"1")
    store.add(only)
    for number in range(9):
        store.compute(only, number, lambda: np.zeros(300, np.uint8))
    assert store.nbytes == 901
    assert [store.has(only, number) for number in range(9)] == [False] * 6 + [True] * 3


@pytest.mark.parametrize("leave", ["clear", "remove"])
def test_a_result_that_is_finished_after_its_photo_left_is_not_stored(leave):
    store, only = PhotoStore(), photo(b"1", "1")
    store.add(only)
    begun, may_end = threading.Event(), threading.Event()

    def slow():
        begun.set()
        assert may_end.wait(10)
        return np.zeros(8)

    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(store.compute, only, "key", slow)
        assert begun.wait(10)
        store.clear() if leave == "clear" else store.remove_uploads({"1"})
        may_end.set()
        array = weakref.ref(pending.result())
    del pending
    gc.collect()
    assert array() is None
    assert store.nbytes == 0


def test_the_bytes_of_nested_arrays_are_counted_once():
    @dataclass(frozen=True)
    class Result:
        image: np.ndarray
        maps: dict[str, tuple[np.ndarray, ...]]
        name: str = "x"

    image = np.zeros((10, 10), np.uint8)
    assert array_bytes(Result(image, {"a": (image, np.zeros(5))})) == 140
    assert array_bytes(None) == 0
