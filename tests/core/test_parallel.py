import os
import threading

import pytest
import torch

from core.parallel import core_count, parallel_map, share_cores


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
