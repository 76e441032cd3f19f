"""Caches for the images of data sets and where networks put them: ``dashboard.services``, continued.

Cached resources are shared by all sessions and are never written to; every cache is bounded.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import streamlit as st

from core.checkpoints import Checkpoint
from core.data import SOURCES, ImageFacts, Samples, describe, facts_for, overview, read
from core.errors import DataError
from core.evaluation.embedding import Embedding
from core.explain import Explanation
from core.inference import Predictor, image_maps, stored_embedding
from dashboard.services import DATA_VARIABLE
from dashboard.shelf import Shelf


def named_source() -> str:
    """What FERSCOPE_DATA names, empty where it names nothing."""
    return os.environ.get(DATA_VARIABLE, "")


def whole_dataset() -> tuple[Samples, ImageFacts]:
    """Every image of the data set that FERSCOPE_DATA names, gray at 48 px, and the facts on each of them.

    Raises DataError where it names none or one that cannot be read.
    """
    source = named_source()
    if not source:
        raise DataError(
            f"the images are not on this machine: set {DATA_VARIABLE} to the path of fer2013.csv, a packed Parquet "
            "file, an image folder or a manifest, and start FERscope again"
        )
    key = _source_key()
    found = _whole_dataset(*key)
    _last_read()["key"] = key
    if isinstance(found, DataError):
        raise found
    return found


def quickly_told() -> bool:
    """Whether :func:`whole_dataset` answers at once: it has read the data set before, or the path holds none."""
    source = named_source()
    if not source or _last_read().get("key") == _source_key():
        return True
    return not any(s.recognizes(Path(source)) for s in SOURCES)


@st.cache_resource(max_entries=1, show_spinner=False)
def _last_read() -> dict[str, tuple[str, int]]:
    return {}


def _source_key() -> tuple[str, int]:
    path = Path(named_source())
    return str(path), path.stat().st_mtime_ns if path.exists() else 0


@st.cache_resource(max_entries=1, show_spinner="Reading every image of the data set …", show_time=True)
def _whole_dataset(source: str, stamp: int) -> tuple[Samples, ImageFacts] | DataError:  # noqa: ARG001
    try:
        samples = read(source)
    except DataError as error:
        return error
    try:
        return samples, facts_for(samples.fingerprint())
    except DataError:  # no table was made from it: measured here and now
        return samples, describe(samples)


def image_saliency(
    network: Predictor, data: Samples, image_ids: tuple[int, ...], class_indices: tuple[int, ...]
) -> tuple[Explanation, ...]:
    """Maps of images of ``services.dataset``, each for its own class. Raises ExplainError."""
    return _image_saliency(network.card.weights_sha256, image_ids, class_indices, network, data)


@st.cache_resource(max_entries=64, show_spinner="Looking where the network looked …")
def _image_saliency(
    sha256: str,  # noqa: ARG001  (weights know their data set, and its row numbers their images)
    image_ids: tuple[int, ...],
    class_indices: tuple[int, ...],
    _network: Predictor,
    _data: Samples,
) -> tuple[Explanation, ...]:
    return image_maps(_network, list(_data.images[np.searchsorted(_data.ids, image_ids)]), class_indices)


def embedding(checkpoint: Checkpoint, split: str) -> Embedding:
    """Where a network puts the images of a split. Raises CheckpointError naming the command that makes it."""
    path = checkpoint.embeddings_path(split)
    stamp = path.stat().st_mtime_ns if path.is_file() else 0
    return _embedding(str(path), stamp, checkpoint.card.weights_sha256, split, checkpoint)


@st.cache_resource(max_entries=8, show_spinner=False)
def _embedding(path: str, stamp: int, sha256: str, split: str, _checkpoint: Checkpoint) -> Embedding:  # noqa: ARG001
    return stored_embedding(_checkpoint, split)


@st.cache_resource(max_entries=1, show_spinner=False)
def map_shelf() -> Shelf:
    """Where Compare keeps the t-SNE maps, each made with its progress shown."""
    return Shelf(16)


def mean_faces(samples: Samples, split: str) -> dict[str, tuple[np.ndarray, int]]:
    """The average image of each class of :func:`whole_dataset`, and how many images it is made of."""
    return _mean_faces(*_source_key(), split, samples)


@st.cache_resource(max_entries=6, show_spinner="Averaging the faces …")
def _mean_faces(
    source: str,  # noqa: ARG001
    stamp: int,  # noqa: ARG001
    split: str,
    _samples: Samples,
) -> dict[str, tuple[np.ndarray, int]]:
    return overview.mean_faces(_samples, split)


def findings(facts: ImageFacts) -> overview.Findings:
    """Copies, contradictions and blank images of a data set."""
    return _findings(facts.fingerprints, facts)


@st.cache_resource(max_entries=4, show_spinner=False)
def _findings(fingerprints: tuple[str, ...], _facts: ImageFacts) -> overview.Findings:  # noqa: ARG001
    return overview.findings(_facts)
