"""What the server prepares in the background: PyTorch and the default networks."""

from __future__ import annotations

import contextlib
import ctypes
import os
from importlib.util import find_spec
from pathlib import Path

from core.errors import FerscopeError
from dashboard import garbage
from dashboard.loading import Loading
from dashboard.services.networks import runtime
from dashboard.services.photos import sample_analysis


def load_networks(loading: Loading) -> None:
    """Import PyTorch, then load each default network, in the order of the listing, and analyze a portrait with it.

    The analysis makes the first photo as fast as the next ones, and the first page shows it. Networks that cannot be
    loaded are left to the pages that report them. Before the first page is drawn, only PyTorch's shared library is
    loaded, because this releases the global interpreter lock; importing PyTorch would delay the page by the duration of
    the import.
    """
    load_shared_library()
    loading.wait_for_page()
    with garbage.paused():
        import core.inference  # noqa: F401  (imports PyTorch)

    loading.finish_step()
    networks = runtime().listing().default
    for checkpoint in networks:
        loading.begin(checkpoint.card.title, 1 + len(networks))
        with contextlib.suppress(FerscopeError):
            sample_analysis(runtime().predictor(checkpoint))
        loading.finish_step()


def load_shared_library() -> None:
    """Load PyTorch's largest shared library without holding the global interpreter lock. This shortens the later import
    of PyTorch by about a quarter.

    If this is not possible, the function does nothing, and the import loads the library.
    """
    package = find_spec("torch")
    if os.name != "posix" or package is None or package.origin is None:
        return
    # Called as a function of the C library, because ctypes.CDLL(path) holds the lock.
    dlopen = ctypes.CDLL(None).dlopen
    dlopen.argtypes, dlopen.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
    for library in Path(package.origin).parent.glob("lib/libtorch_cpu.*"):  # .so on Linux, .dylib on macOS
        dlopen(os.fsencode(library), os.RTLD_NOW)
