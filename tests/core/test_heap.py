import ctypes
import platform
from pathlib import Path

import pytest

from core import heap

STATUS = Path("/proc/self/status")
glibc = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or not STATUS.is_file(), reason="resident memory is read on Linux with glibc"
)


def resident_mb() -> float:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


@glibc
def test_ten_analyses_return_freed_memory():
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = (
        ctypes.c_void_p,
        [ctypes.c_size_t],
        [ctypes.c_void_p],
    )
    size, blocks = 1 << 16, []  # too small to be mapped one by one
    for _ in range(2000):
        blocks.append(libc.malloc(size))
        ctypes.memset(blocks[-1], 1, size)
    full = resident_mb()
    for block in blocks[:-1]:  # the last one keeps the top of the heap
        libc.free(block)
    for _ in range(heap.ANALYSES_PER_TRIM):
        heap.count_analysis()
    assert resident_mb() < full - 80  # 125 MB were freed
    libc.free(blocks[-1])


def test_another_c_library_does_nothing(monkeypatch):
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    heap._malloc_trim.cache_clear()
    try:
        for _ in range(heap.ANALYSES_PER_TRIM):
            heap.count_analysis()
    finally:
        heap._malloc_trim.cache_clear()
