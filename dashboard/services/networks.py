"""Installed networks and face detectors, loaded once per server.

Cached resources are shared by all sessions and never modified; every cache is bounded.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from core import checkpoints
from core.checkpoints import Checkpoint, Listing
from core.errors import CheckpointError, NotFiniteError
from core.faces import Detector
from core.faces import detector as make_detector
from core.inference import Predictor
from core.inference.latency import milliseconds_per_face

DETECTORS = {"haar": "Haar cascade (offline)", "yunet": "YuNet (fetched on first use)"}


def listing() -> Listing:
    """The installed networks, read again when a card or a weights file has changed."""
    return _networks(checkpoints.ROOT, _stamp(checkpoints.ROOT))


@st.cache_resource(max_entries=4, show_spinner=False)
def _networks(root: Path, stamp: tuple[tuple[str, int], ...]) -> Listing:  # noqa: ARG001  (a cache key)
    return checkpoints.list_checkpoints(root)


def _stamp(root: Path) -> tuple[tuple[str, int], ...]:
    folders = [checkpoints.CheckpointFolder(p) for p in root.glob("*") if p.is_dir()]
    files = [f for c in folders for f in (c.card_path, c.weights_path) if f.exists()]
    return tuple(sorted((str(f), f.stat().st_mtime_ns) for f in files))


def changed(*paths: Path) -> int:
    """Another number once one of the files is written, comes or goes."""
    return sum(p.stat().st_mtime_ns for p in paths if p.exists())


def predictor(checkpoint: Checkpoint) -> Predictor:
    """A network ready for use. Raises CheckpointError when its weights are not the card's."""
    stamp = changed(checkpoint.weights_path)
    return _predictor(checkpoint.card.run_id, checkpoint.card.weights_sha256, stamp, checkpoint)


@st.cache_resource(max_entries=12, show_spinner="Loading the network …")
def _predictor(run_id: str, sha256: str, stamp: int, _checkpoint: Checkpoint) -> Predictor:  # noqa: ARG001
    return Predictor.load(_checkpoint)


def milliseconds_of(chosen: Sequence[Checkpoint]) -> dict[str, float]:
    """Milliseconds a face on this machine, measured once for each network; without those that do not load or answer."""
    found = {}
    for checkpoint in chosen:
        with contextlib.suppress(CheckpointError, NotFiniteError):
            found[checkpoint.card.run_id] = _milliseconds(
                checkpoint.card.run_id, checkpoint.card.weights_sha256, checkpoint
            )
    return found


@st.cache_resource(max_entries=12, show_spinner="Measuring how long a face takes …")
def _milliseconds(run_id: str, sha256: str, _checkpoint: Checkpoint) -> float:  # noqa: ARG001
    return milliseconds_per_face(predictor(_checkpoint))


@st.cache_resource(max_entries=4, show_spinner="Preparing the face detector …")
def detector(name: str) -> Detector:
    """A face detector. Raises DetectorUnavailableError when its model file cannot be had."""
    return make_detector(name)
