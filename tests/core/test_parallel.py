import os
import threading

import pytest
import torch

from core.parallel import READ_AHEAD, core_count, parallel_map, read_ahead, share_cores


def test_core_count_respects_the_cpu_affinity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 5, 7}, raising=False)
    assert core_count() == 3


def test_core_count_without_affinity_is_the_machines_and_at_least_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert core_count() == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert core_count() == 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no CPU affinity")
def test_a_process_limited_to_one_core_counts_one() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert core_count() == 1
    finally:
        os.sched_setaffinity(0, before)


def test_processes_that_work_at_once_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)), raising=False)
    try:
        share_cores(2)
        assert core_count() == 3
        share_cores(50)
        assert core_count() == 1
    finally:
        share_cores(1)


def test_each_item_runs_with_one_torch_thread_and_other_threads_are_not_limited():
    before = torch.get_num_threads()
    assert parallel_map(lambda _: torch.get_num_threads(), range(8)) == [1] * 8
    assert torch.get_num_threads() == before
    found = []
    later = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    later.start()
    later.join()
    assert found == [before]


def test_results_keep_the_order_of_the_items_and_errors_propagate():
    assert parallel_map(lambda n: torch.full((2,), float(n)).sum().item(), [3, 1, 2]) == [6, 2, 4]
    with pytest.raises(ZeroDivisionError):
        parallel_map(lambda n: 1 // n, [1, 0])
    assert parallel_map(str, [1]) == ["1"]


def test_items_are_read_ahead_in_their_order_and_only_a_few():
    taken = []

    def items():
        for number in range(20):
            taken.append(number)
            yield number

    for expected, number in enumerate(read_ahead(items(), 2)):
        assert number == expected
        assert len(taken) <= number + 1 + 2 + 1


def test_closing_ends_the_thread_and_an_error_reaches_the_caller():
    closed = threading.Event()

    def endless():
        try:
            while True:
                yield 1
        finally:
            closed.set()

    ahead = read_ahead(endless(), 2)
    next(ahead)
    ahead.close()
    assert closed.is_set()

    def failing():
        yield 1
        raise KeyError("the second item")

    ahead = read_ahead(failing(), 2)
    assert next(ahead) == 1
    with pytest.raises(KeyError, match="second"):
        next(ahead)
    assert not [thread for thread in threading.enumerate() if thread.name == READ_AHEAD]
