import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.caching import Cache, file_stamp


def test_eight_threads_compute_a_key_once():
    cache, calls, start = Cache(4), [], threading.Barrier(8)

    def compute():
        calls.append(threading.get_ident())
        threading.Event().wait(0.05)  # long enough for every thread to ask meanwhile
        return object()

    def ask(_):
        start.wait()
        return cache.get("key", compute)

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(ask, range(8)))
    assert len(calls) == 1
    assert all(result is results[0] for result in results)


def test_a_slow_key_does_not_block_other_keys():
    cache, slow_may_end, slow_began = Cache(4), threading.Event(), threading.Event()

    def slow():
        slow_began.set()
        assert slow_may_end.wait(10)
        return "slow"

    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(cache.get, "a", slow)
        assert slow_began.wait(10)
        assert cache.get("b", lambda: "quick") == "quick"
        slow_may_end.set()
        assert pending.result() == "slow"


def test_an_error_is_passed_on_and_not_stored():
    cache = Cache(4)

    def fail():
        raise OSError("no network")

    for _ in range(2):
        with pytest.raises(OSError, match="no network"):
            cache.get("key", fail)
    assert "key" not in cache
    assert cache.get("key", lambda: 1) == 1


def test_a_thread_that_waits_computes_itself_after_an_error():
    cache, begun, may_fail = Cache(4), threading.Event(), threading.Event()

    def fail():
        begun.set()
        assert may_fail.wait(10)
        raise OSError("no network")

    with ThreadPoolExecutor(2) as pool:
        failing = pool.submit(cache.get, "key", fail)
        assert begun.wait(10)
        waiting = pool.submit(cache.get, "key", lambda: "second")
        may_fail.set()
        assert waiting.result(10) == "second"
        with pytest.raises(OSError, match="no network"):
            failing.result()


def test_a_computation_may_use_the_cache():
    cache = Cache(4)
    assert cache.get("outer", lambda: cache.get("inner", lambda: 1) + 1) == 2
    assert "inner" in cache


@given(st.lists(st.integers(0, 9), max_size=40), st.integers(1, 5))
def test_the_number_of_results_is_bounded_and_the_last_used_stay(keys, maxsize):
    cache = Cache(maxsize)
    for key in keys:
        assert cache.get(key, lambda key=key: key * 2) == key * 2
    recent = list(dict.fromkeys(reversed(keys)))[:maxsize]
    assert sorted(recent) == sorted(key for key in range(10) if key in cache)
    assert len(cache) == cache.size == len(recent)


@given(st.lists(st.integers(1, 200), min_size=1, max_size=30))
def test_the_bytes_are_bounded_and_the_newest_result_stays(sizes):
    cache = Cache(100, size_of=lambda array: array.nbytes)
    for key, size in enumerate(sizes):
        cache.get(key, lambda size=size: np.zeros(size, np.uint8))
        assert cache.size <= 100
        assert key in cache


def test_remove_affects_only_the_keys_of_the_condition():
    cache = Cache(9)
    for photo in ("a", "b"):
        for number in range(3):
            cache.get((photo, number), object)
    cache.remove(lambda key: key[0] == "a")
    assert len(cache) == 3
    assert ("b", 0) in cache


def test_clear_also_drops_what_is_being_computed():
    cache, begun, may_end = Cache(4), threading.Event(), threading.Event()

    def slow():
        begun.set()
        assert may_end.wait(10)
        return np.zeros(8)

    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(cache.get, "key", slow)
        assert begun.wait(10)
        cache.clear()
        may_end.set()
        array = weakref.ref(pending.result())
    del pending
    gc.collect()
    assert len(cache) == 0
    assert array() is None


def test_a_size_below_one_is_refused():
    with pytest.raises(ValueError, match="at least 1, got 0"):
        Cache(0)


def test_a_file_stamp_changes_when_a_file_is_written_created_or_deleted(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    stamps = [file_stamp(first, second)]
    first.write_text("1")
    stamps.append(file_stamp(first, second))
    first.write_text("22")
    stamps.append(file_stamp(first, second))
    second.write_text("1")
    stamps.append(file_stamp(first, second))
    first.unlink()
    stamps.append(file_stamp(first, second))
    assert stamps[0] == (None, None)
    assert len(set(stamps)) == 5
