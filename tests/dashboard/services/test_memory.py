import ctypes
import platform
from pathlib import Path

import pytest

from dashboard.services import memory

STATUS = Path("/proc/self/status")
glibc = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or not STATUS.is_file(), reason="resident memory is read on Linux with glibc"
)


def resident_mb() -> float:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


@glibc
def test_ten_analyses_give_free_memory_back():
    heap = ctypes.CDLL(None)
    heap.malloc.restype, heap.malloc.argtypes, heap.free.argtypes = (
        ctypes.c_void_p,
        [ctypes.c_size_t],
        [ctypes.c_void_p],
    )
    size, blocks = 1 << 16, []  # too small to be mapped one by one
    for _ in range(2000):
        blocks.append(heap.malloc(size))
        ctypes.memset(blocks[-1], 1, size)
    full = resident_mb()
    for block in blocks[:-1]:  # the last one keeps the top of the heap
        heap.free(block)
    for _ in range(memory.EVERY):
        memory.analyzed()
    assert resident_mb() < full - 80  # 125 MB were freed
    heap.free(blocks[-1])


def test_without_glibc_nothing_is_done(monkeypatch):
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    memory._trim.cache_clear()
    try:
        for _ in range(memory.EVERY):
            memory.analyzed()
    finally:
        memory._trim.cache_clear()
