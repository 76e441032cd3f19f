import threading

import pytest
import torch

from core.inference import on_one_core


def test_work_is_done_on_one_core_and_nobody_else_is_limited():
    before = torch.get_num_threads()
    assert on_one_core(torch.get_num_threads) == 1
    assert on_one_core(lambda: torch.ones(3).sum().item()) == 3
    assert torch.get_num_threads() == before
    found = []
    later = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    later.start()
    later.join()
    assert found == [before]


def test_what_the_work_raises_comes_back():
    with pytest.raises(ZeroDivisionError):
        on_one_core(lambda: 1 // 0)
    assert on_one_core(lambda: 2) == 2
