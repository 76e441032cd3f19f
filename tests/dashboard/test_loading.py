"""Loading in the background: steps that pages wait for, and what is importable before PyTorch."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dashboard import loading as module
from dashboard.loading import FIRST_NETWORK, PYTORCH, Loading

ROOT = Path(__file__).resolve().parents[2]
SLOW = ("torch", "torchvision", "scipy.stats", "sklearn", "matplotlib")


@pytest.mark.parametrize(
    "modules",
    ["core.cli, core.runtime", "dashboard.server, dashboard.services.preparation, dashboard.overview.example"],
)
def test_the_command_line_and_the_first_page_do_not_import_pytorch(modules):
    code = f"import sys, {modules}; print([name for name in {SLOW} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_nothing_has_to_be_waited_for_before_the_start():
    loading = Loading()
    assert loading.wait(PYTORCH)
    assert loading.wait()
    assert loading.fraction == 1


def test_threads_wait_for_single_steps_and_for_the_end():
    loading, may_continue = Loading(), threading.Event()

    def work():
        loading.finish_step()
        loading.begin("CNN", 3)
        may_continue.wait(10)
        loading.finish_step()
        loading.finish_step()

    loading.start(work)
    assert loading.wait(PYTORCH, timeout_s=10)
    assert not loading.wait(FIRST_NETWORK, timeout_s=0)
    assert loading.fraction < 1
    may_continue.set()
    assert loading.wait(FIRST_NETWORK, timeout_s=10)
    assert loading.wait(timeout_s=10)
    assert loading.fraction == 1


def waiting_for_a_page(loading):
    """An event that is set when the work no longer waits for a page."""
    is_over = threading.Event()

    def work():
        loading.wait_for_page()
        is_over.set()

    loading.start(work)
    return is_over


def test_work_can_wait_until_a_page_waits_for_it(monkeypatch):
    monkeypatch.setattr(module, "WITHOUT_PAGE_S", 60)
    loading = Loading()
    is_over = waiting_for_a_page(loading)
    assert not is_over.wait(0.2)
    loading.wait(PYTORCH, timeout_s=0)
    assert is_over.wait(10)


def test_work_does_not_wait_longer_than_some_seconds_for_a_page(monkeypatch):
    monkeypatch.setattr(module, "WITHOUT_PAGE_S", 0.1)
    assert waiting_for_a_page(Loading()).wait(10)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_shared_library_is_loaded_before_pytorch_is_imported_and_pytorch_works_with_it():
    code = """
import sys
from dashboard.services.preparation import load_shared_library
load_shared_library()
print("libtorch_cpu" in open("/proc/self/maps").read(), "torch" in sys.modules)
import torch
print(int(torch.nn.functional.conv2d(torch.ones(1, 3, 8, 8), torch.ones(4, 3, 3, 3)).sum()))
"""
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["True", "False", str(4 * 36 * 27)]


def test_a_failure_ends_the_waiting_and_is_logged(caplog):
    loading = Loading()

    def work():
        raise MemoryError("no memory is left")

    loading.start(work)
    assert loading.wait(FIRST_NETWORK, timeout_s=10)
    assert loading.wait(timeout_s=10)
    assert "no memory is left" in caplog.text
