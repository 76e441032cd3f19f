"""Photos and everything computed from them.

Cached resources are shared by all sessions and never modified; every cache is bounded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core import images
from core.checkpoints import ModelCard
from core.faces import MEASURED, CropMargin, crop
from core.inference import ClassMaps, PhotoAnalysis, Predictor, analyze, class_saliency
from core.sample_photos import SamplePhoto, sample_photos
from dashboard.services import memory
from dashboard.services.networks import detector
from dashboard.services.shelf import Shelf

# An analysis keeps its photo: twelve of 12 megapixels fit, and two of the largest that are let in.
ANALYSES_BYTES = 420 << 20


@dataclass(frozen=True)
class Photo:
    """Bytes as they came, never written anywhere."""

    name: str
    data: bytes
    digest: str
    source: str  # "upload", "webcam" or "sample"
    file_id: str = ""  # the uploader's own key of the file

    @classmethod
    def of(cls, name: str, data: bytes, source: str, file_id: str = "") -> Photo:
        return cls(name, data, images.digest(data), source, file_id)


def analysis(photo: Photo, predictors: list[Predictor], detector_name: str, *, whole_image: bool) -> PhotoAnalysis:
    """Faces and answers for one photo. Raises ImageError for bytes that are no photo."""
    networks_key = tuple((p.model_id, p.card.weights_sha256) for p in predictors)
    key, shelf = (photo.digest, networks_key, detector_name, whole_image), _analyses()

    def make() -> PhotoAnalysis:
        found_by = detector(detector_name)
        with st.spinner("Looking for faces and asking the networks …"):
            memory.analyzed()
            return analyze(images.decode(photo.data), found_by, predictors, whole_image=whole_image)

    return shelf.get(key, make)


@st.cache_resource(max_entries=1, show_spinner=False)
def _analyses() -> Shelf:
    return Shelf(12, most_bytes=ANALYSES_BYTES, weigh=lambda analysis: analysis.nbytes)


def saliency(photo: Photo, found: PhotoAnalysis, face_number: int, network: Predictor, stage: str) -> ClassMaps:
    """Maps of every class for one face of an analysis."""
    return _saliency(
        photo.digest, found.detector, face_number, network.model_id, network.card.weights_sha256, stage, found, network
    )


@st.cache_resource(max_entries=256, show_spinner=False)
def _saliency(
    digest: str,  # noqa: ARG001
    detector_name: str,  # noqa: ARG001
    face_number: int,
    model_id: str,  # noqa: ARG001
    sha256: str,  # noqa: ARG001
    stage: str,
    _analysis: PhotoAnalysis,
    _predictor: Predictor,
) -> ClassMaps:
    return class_saliency(_predictor, _analysis.faces[face_number], stage)


@st.cache_resource(max_entries=1, show_spinner=False)
def samples() -> dict[str, SamplePhoto]:
    """Public-domain portraits to try."""
    return sample_photos()


def sample_crop(card: ModelCard) -> np.ndarray | None:
    """The face of the first sample portrait, framed as a network's training images are: (h, w, 3) uint8, or None."""
    margin = card.preprocessing.crop_margin.get("haar")
    return _sample_crop(CropMargin(*margin) if margin else MEASURED["haar"])


@st.cache_resource(max_entries=8, show_spinner=False)
def _sample_crop(margin: CropMargin) -> np.ndarray | None:
    image = images.decode(next(iter(samples().values())).data)
    faces = detector("haar").detect(image)
    return crop(image, faces[0], margin) if faces else None


@st.cache_resource(max_entries=1, show_spinner=False)
def lab_shelf() -> Shelf:
    """Where the panels of Analyze keep what was slow to make (``dashboard.lab.kept``)."""
    return Shelf(512)
