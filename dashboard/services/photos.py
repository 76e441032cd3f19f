"""The photos of a session and everything computed from them, in a store that ends with the session."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import streamlit as st

from core import images
from core.checkpoints import ModelCard
from core.faces import AUTO, MEASURED, CropMargin, Face, crop
from core.photo_store import MAX_PHOTOS, Photo, PhotoStore
from core.sample_photos import SamplePhoto, sample_photos
from dashboard.services.networks import detector, runtime

if TYPE_CHECKING:
    from core.inference import PhotoAnalysis, Predictor

Result = TypeVar("Result")


def photo_store() -> PhotoStore:
    """The photos of this session. Streamlit drops the session's state, and with it the store, when the session ends."""
    store: PhotoStore = st.session_state.setdefault("photo_store", PhotoStore(MAX_PHOTOS))
    return store


def photo_result(photo: Photo, key: Hashable, compute: Callable[[], Result]) -> Result:
    """A result of a photo, computed once per session."""
    return photo_store().compute(photo, key, compute)


def has_photo_result(photo: Photo, key: Hashable) -> bool:
    """Whether the result is stored."""
    return photo_store().has(photo, key)


def analysis(
    photo: Photo, predictors: Sequence[Predictor], detector_name: str, *, whole_image: bool, rotation_deg: int | None
) -> PhotoAnalysis:
    """Faces and predictions for one photo, see ``core.inference.analyze``.

    Raises ImageError, NotFiniteError and DetectorUnavailableError.
    """
    detector_name = detector(detector_name).name  # "auto" and the detector it stands for share their results

    def compute() -> PhotoAnalysis:
        with st.spinner("Detecting and classifying faces …"):
            return runtime().analyze(
                images.decode(photo.data),
                predictors,
                detector_name,
                whole_image=whole_image,
                rotation_deg=rotation_deg,
            )

    networks = tuple(p.key for p in predictors)
    return photo_result(photo, ("analysis", networks, detector_name, whole_image, rotation_deg), compute)


@st.cache_resource(max_entries=1, show_spinner=False)
def samples() -> dict[str, SamplePhoto]:
    """Public-domain portraits to try."""
    return sample_photos()


def sample_analysis(network: Predictor) -> PhotoAnalysis:
    """The first sample portrait, which does not belong to a session, analyzed by one network."""
    data = next(iter(samples().values())).data
    key = ("sample", *network.key)
    return runtime().results.get(key, lambda: runtime().analyze(images.decode(data), [network], AUTO))


def sample_crop(card: ModelCard) -> np.ndarray | None:
    """The face of the first sample portrait, framed as a network's training images are: (h, w, 3) uint8, or None."""
    image, face = _sample_face()
    stored = card.preprocessing.crop_margin.get("haar")
    return crop(image, face, CropMargin(*stored) if stored else MEASURED["haar"]) if face else None


@st.cache_resource(max_entries=1, show_spinner=False)
def _sample_face() -> tuple[np.ndarray, Face | None]:
    """The first sample portrait, (H, W, 3) uint8, and its face."""
    image = images.decode(next(iter(samples().values())).data)
    return image, next(iter(detector("haar").detect(image)), None)
