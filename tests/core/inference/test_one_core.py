import threading

import pytest
import torch

from core.inference import one_core_map


def test_each_piece_has_one_core_and_nobody_else_is_limited():
    before = torch.get_num_threads()
    assert one_core_map(lambda _: torch.get_num_threads(), range(8)) == [1] * 8
    assert torch.get_num_threads() == before
    found = []
    later = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    later.start()
    later.join()
    assert found == [before]


def test_results_keep_the_order_and_errors_come_back():
    assert one_core_map(lambda n: torch.full((2,), float(n)).sum().item(), [3, 1, 2]) == [6, 2, 4]
    with pytest.raises(ZeroDivisionError):
        one_core_map(lambda n: 1 // n, [1, 0])
    assert one_core_map(str, [1]) == ["1"]
