"""Data sets: their images, and the facts stored about each image.

Cached resources are shared by all sessions and never modified; every cache is bounded.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import numpy as np
import streamlit as st

from core.checkpoints import ModelCard
from core.data import FERPLUS_FILE, SOURCES, ImageFacts, Samples, describe, facts_for, image_facts, overview, read
from core.errors import DataError, RecipeError
from core.explain import Explanation
from core.inference import Predictor, image_maps
from core.training import Recipe, recipe_from, training_samples
from dashboard.services.networks import changed

DATA_VARIABLE = "FERSCOPE_DATA"


def named_source() -> str:
    """What FERSCOPE_DATA names, empty where it names nothing."""
    return os.environ.get(DATA_VARIABLE, "")


def dataset(card: ModelCard) -> Samples:
    """The images a network was chosen and scored on, from the data set that FERSCOPE_DATA names.

    They have the labels that the network learned: with ``target = "ferplus"`` those of the FER+ majority, which fewer
    images have. Raises DataError where it names none, one that cannot be read, or another one than the card's.
    """
    source = os.environ.get(DATA_VARIABLE, "")
    if not source:
        raise DataError(f"the images are not on this machine: set {DATA_VARIABLE} to the path of {card.data.title}")
    # The votes are read from beside the images, and may be put there later.
    stamp = changed(Path(source), Path(source).parent / FERPLUS_FILE)
    try:
        recipe = recipe_from(card.recipe)
    except RecipeError as error:
        raise DataError(f"which labels {card.run_id} learned is not known: {error}") from error
    seen = card.preprocessing
    found = _dataset(source, stamp, seen.size_px, seen.channels, recipe.labels, recipe.target, recipe)
    if isinstance(found, DataError):
        raise found
    samples, fingerprint = found
    if not card.data.matches(fingerprint):
        raise DataError(
            f"{DATA_VARIABLE} names another data set than the one of {card.run_id}: {card.data.mismatch(fingerprint)}"
        )
    return samples


# The training images are only read for the fingerprint; an error is kept too, or each click would read all again.
@st.cache_resource(max_entries=2, show_spinner="Reading the data set …", show_time=True)
def _dataset(
    source: str,
    stamp: int,  # noqa: ARG001
    size_px: int,
    channels: int,
    labels: str,  # noqa: ARG001
    target: str,  # noqa: ARG001
    _recipe: Recipe,
) -> tuple[Samples, str] | DataError:
    try:
        samples = read(source, size_px=size_px, channels=channels)
        with contextlib.suppress(RecipeError):  # other classes than the network's: the fingerprint will differ
            samples = training_samples(_recipe, samples)
    except DataError as error:
        return error
    return samples.select(samples.split != "train"), samples.fingerprint()


def facts(card: ModelCard) -> ImageFacts:
    """Numbers on every image of the data set of a network: brightness, copies, votes; no image is needed for them.

    Raises DataError where no table fits that data set, with the command that makes one.
    """
    folder, fingerprint = image_facts.FOLDER, card.data.fingerprint
    stamps = tuple((f.name, f.stat().st_mtime_ns) for f in sorted(folder.glob(f"*{image_facts.SUFFIX}")))
    try:
        return _facts(folder, stamps, fingerprint)
    except DataError as error:
        sizes = f"--size-px {card.preprocessing.size_px} --channels {card.preprocessing.channels}"
        raise DataError(
            f"{error}; make one for {card.data.title} with: python -m core data describe DATA {sizes}"
        ) from error


@st.cache_resource(max_entries=4, show_spinner=False)
def _facts(folder: Path, stamps: tuple[tuple[str, int], ...], fingerprint: str) -> ImageFacts:  # noqa: ARG001
    return facts_for(fingerprint, folder)


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
