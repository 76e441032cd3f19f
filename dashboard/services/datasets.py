"""The data set that the variable FERSCOPE_DATA names, and what is known about its images; shared by all sessions."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.checkpoints import ModelCard
from core.data import SOURCES, ImageFacts, Samples, overview
from core.errors import DataError
from dashboard.services.networks import runtime

if TYPE_CHECKING:
    from core.explain import Explanation
    from core.inference import Predictor

DATA_VARIABLE = "FERSCOPE_DATA"


def data_path() -> Path | None:
    """The path that FERSCOPE_DATA names, None if it is not set."""
    named = os.environ.get(DATA_VARIABLE, "")
    return Path(named) if named else None


def dataset(card: ModelCard) -> Samples:
    """The validation and test images of a network's data set, with the labels that the network learned.

    Raises DataError if FERSCOPE_DATA is not set, cannot be read or names another data set than that of the card.
    """
    source = data_path()
    if source is None:
        raise DataError(
            f"the images are not on this machine: set {DATA_VARIABLE} to the path of the file or folder with those of "
            f"{card.data.title}"
        )
    with st.spinner("Reading the data set …", show_time=True):
        return runtime().card_samples(card, source)


def images(card: ModelCard, image_ids: np.ndarray) -> Samples:
    """Images of a network's data set by row number, in ascending order and perhaps with others.

    They are read without the others if there is a table of facts to compare them with. Raises DataError as
    :func:`dataset`.
    """
    source, seen = data_path(), card.preprocessing
    if source is None:
        return dataset(card)
    try:
        with st.spinner("Reading the images …", show_time=True):
            return runtime().single_images.read(source, runtime().facts(card), image_ids, seen.size_px, seen.channels)
    except DataError:  # the whole data set tells whether it is another one
        return dataset(card)


def recognized() -> ImageFacts | None:
    """The facts about the data set if :func:`images_of` can read its images singly; None otherwise."""
    source = data_path()
    if source is None:
        return None
    with st.spinner("Comparing the data set with known ones …"):
        return runtime().single_images.recognized(source)


def images_of(facts: ImageFacts, image_ids: np.ndarray) -> Samples:
    """Images of the data set of :func:`recognized` by row number, in ascending order, gray at 48 px. Raises
    DataError."""
    with st.spinner("Reading the images …", show_time=True):
        return runtime().single_images.read(_required_path(), facts, image_ids)


def facts(card: ModelCard) -> ImageFacts:
    """Numbers about every image of a network's data set; the images are not needed. Raises DataError."""
    return runtime().facts(card)


def whole_dataset() -> tuple[Samples, ImageFacts]:
    """Every image of the data set, gray at 48 px, and the facts about each.

    Raises DataError if FERSCOPE_DATA is not set or cannot be read.
    """
    with st.spinner("Reading every image of the data set …", show_time=True):
        return runtime().data_set(_required_path())


def is_read() -> bool:
    """Whether :func:`whole_dataset` returns at once: the data set has been read, or there is none."""
    source = data_path()
    return source is None or runtime().has_read(source) or not any(s.recognizes(source) for s in SOURCES)


def image_saliency(
    network: Predictor, data: Samples, image_ids: tuple[int, ...], class_indices: tuple[int, ...]
) -> tuple[Explanation, ...]:
    """Maps of images of :func:`dataset`, each for its own class. Raises NotFiniteError."""
    with st.spinner("Computing saliency …"):
        return runtime().image_maps(network, data, image_ids, class_indices)


def mean_faces(split: str) -> dict[str, tuple[np.ndarray, int]]:
    """The average image of each class of :func:`whole_dataset` and the number of its images. Raises DataError."""
    with st.spinner("Averaging the faces …"):
        return runtime().mean_faces(_required_path(), split)


def findings(facts: ImageFacts) -> overview.Findings:
    """Copies, contradictory labels and blank images of a data set."""
    return runtime().findings(facts)


def _required_path() -> Path:
    source = data_path()
    if source is None:
        raise DataError(
            f"the images are not on this machine: set {DATA_VARIABLE} to the path of fer2013.csv, a packed Parquet "
            "file, an image folder or a manifest, and start FERscope again"
        )
    return source
