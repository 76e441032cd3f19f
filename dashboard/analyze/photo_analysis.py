"""The faces of a photo by the chosen detector and networks, without detections that are not faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from core.errors import DetectorUnavailableError
from core.inference import PhotoAnalysis, Predictor
from dashboard import services
from dashboard.services import Photo
from dashboard.ui import session

FALLBACK_DETECTOR = "haar"  # works offline


@dataclass(frozen=True)
class Analyzer:
    """Analyzes photos with the same networks and detector."""

    networks: Sequence[Predictor]
    detector: str

    def analyze(self, photo: Photo) -> PhotoAnalysis:
        """Raises NotFiniteError if no network predicts, and DetectorUnavailableError."""
        whole_image = st.session_state.get("whole_image") == photo.digest
        found = services.analysis(photo, self.networks, self.detector, whole_image=whole_image)
        removed = session.removed_faces(photo.digest)
        return replace(found, faces=tuple(f for f in found.faces if f.face.box not in removed)) if removed else found


def available_analyzer(networks: Sequence[Predictor], detector: str) -> Analyzer:
    """With the chosen detector; with the Haar cascade, and a message, if that detector cannot be loaded."""
    try:
        services.detector(detector)
    except DetectorUnavailableError as error:
        name = services.DETECTORS[FALLBACK_DETECTOR]
        st.error(f"{error.sentence} Using the {name} instead.", icon=":material/cloud_off:")
        return Analyzer(networks, FALLBACK_DETECTOR)
    return Analyzer(networks, detector)
