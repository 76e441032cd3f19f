import gc
import time
import weakref
from collections.abc import Iterator

import pytest

from dashboard import garbage


class Node:
    """An object that only garbage collection frees, because it refers to itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def soon(monkeypatch) -> Iterator[None]:
    monkeypatch.setattr(garbage, "DELAY_S", 0.2)
    gc.disable()
    yield
    gc.enable()


def test_garbage_is_collected_a_moment_after_the_last_call(soon):
    reference = weakref.ref(Node())
    for _ in range(20):
        garbage.collect_later()
    assert reference() is not None
    deadline = time.monotonic() + 10
    while reference() is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert reference() is None


def test_no_garbage_is_collected_while_paused():
    with garbage.paused():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ImportError), garbage.paused():
        raise ImportError
    assert gc.isenabled()
