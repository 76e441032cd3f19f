"""What the server prepares before the first request: it imports PyTorch and loads the default networks."""

from __future__ import annotations

import contextlib

from core.errors import FerscopeError
from dashboard import garbage
from dashboard.loading import Loading
from dashboard.services.networks import runtime
from dashboard.services.photos import sample_analysis


def load_networks(loading: Loading) -> None:
    """Import PyTorch, then load each default network, in the order of the listing, and analyze a portrait with it.

    The analysis makes the first photo as fast as the next ones, and the first page shows it. Networks that cannot be
    loaded are left to the pages that report them.
    """
    with garbage.paused():
        import core.inference  # noqa: F401  (imports PyTorch)

    loading.finish_step()
    networks = runtime().listing().default
    for checkpoint in networks:
        loading.begin(checkpoint.card.title, 1 + len(networks))
        with contextlib.suppress(FerscopeError):
            sample_analysis(runtime().predictor(checkpoint))
        loading.finish_step()
