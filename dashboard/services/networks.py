"""Installed networks and face detectors, loaded once per server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from core import checkpoints
from core.checkpoints import Checkpoint, Latency, Listing
from core.faces import AUTO, Detector, detectors
from core.runtime import Runtime
from dashboard.loading import LOADING

if TYPE_CHECKING:
    from core.inference import Predictor

DETECTORS = {AUTO: "Automatic"} | {kind.name: kind.title for kind in detectors().values()}


def runtime() -> Runtime:
    """The networks and caches of this server, shared by all sessions."""
    return _runtime(checkpoints.ROOT)


@st.cache_resource(max_entries=1, show_spinner=False)
def _runtime(root: Path) -> Runtime:
    return Runtime(root)


def listing() -> Listing:
    """The installed networks, read again after a file of a checkpoint has changed."""
    return runtime().listing()


def predictor(checkpoint: Checkpoint) -> Predictor:
    """A network ready for use. Raises CheckpointError if its weights do not match the card."""
    with st.spinner("Loading the network …"):
        return runtime().predictor(checkpoint)


def detector(name: str) -> Detector:
    """A face detector. Raises UnknownDetectorError and DetectorUnavailableError."""
    with st.spinner("Preparing the face detector …"):
        return runtime().detector(name)


def latencies(chosen: Sequence[Checkpoint]) -> dict[str, Latency]:
    """Milliseconds per face by network, so that they can be compared: of this machine if each of the networks with
    weights was measured with :func:`measure_milliseconds`, otherwise those of the cards.

    Networks without a value are left out; nothing is measured by this function.
    """
    measured = {c.card.run_id: runtime().measured_latency(c) for c in chosen if c.card.weights_shipped}
    if measured and None not in measured.values():
        return {run_id: Latency(value, "this machine") for run_id, value in measured.items() if value is not None}
    return {c.card.run_id: c.card.milliseconds for c in chosen if c.card.milliseconds is not None}


def measure_milliseconds(checkpoint: Checkpoint) -> float:
    """Measure the milliseconds per face on this machine; the result is used until the server is restarted.

    The median of 30 predictions after warm-up, one network at a time, never while the server is still loading. Raises
    CheckpointError and NotFiniteError.
    """
    LOADING.wait()
    return runtime().measure_latency(checkpoint)
