"""Models that one thread uses at a time: as many as are in use at once, at most the limit."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.faces.model_pool import ModelPool


def test_one_thread_needs_one_model_whatever_it_does_with_it():
    loaded = []
    pool = ModelPool(lambda: loaded.append(None) or object(), limit=4)
    with pool.borrowed() as first:
        pass
    with pytest.raises(ValueError, match="in use"), pool.borrowed():
        raise ValueError("in use")
    with pool.borrowed() as again:
        assert again is first
    assert len(loaded) == 1


def test_no_model_is_shared_and_no_more_are_loaded_than_the_limit():
    loaded, in_use, most, lock = [], set(), [0], threading.Lock()
    pool = ModelPool(lambda: loaded.append(None) or object(), limit=3)

    def use(_):
        with pool.borrowed() as model:
            with lock:
                assert model not in in_use
                in_use.add(model)
                most[0] = max(most[0], len(in_use))
            threading.Event().wait(0.001)
            with lock:
                in_use.remove(model)

    with ThreadPoolExecutor(12) as threads:
        list(threads.map(use, range(300)))
    assert len(loaded) == most[0] <= 3


def test_a_failure_to_load_is_raised_by_the_caller_and_leaves_its_place_free():
    attempts = []

    def load():
        attempts.append(None)
        if len(attempts) == 2:
            raise OSError("the file is gone")
        return object()

    pool = ModelPool(load, limit=2)
    with pool.borrowed(), pytest.raises(OSError, match="is gone"), pool.borrowed():
        pass
    with pool.borrowed() as one, pool.borrowed() as other:
        assert one is not other
