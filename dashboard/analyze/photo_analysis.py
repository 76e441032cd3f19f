"""The faces of a photo by the chosen detector and networks, without detections that are not faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.errors import DetectorUnavailableError
from core.faces import AUTO
from core.inference import PhotoAnalysis, Predictor
from dashboard import services
from dashboard.services import Photo
from dashboard.ui import session
from dashboard.ui.messages import show_error


@dataclass(frozen=True)
class Analyzer:
    """Analyzes photos with the same networks and detector."""

    networks: Sequence[Predictor]
    detector: str

    def analyze(self, photo: Photo) -> PhotoAnalysis:
        """Raises NotFiniteError if no network predicts, and DetectorUnavailableError."""
        found = self.detected(photo)
        removed = session.removed_faces(photo.digest, found.detector)
        return replace(found, faces=tuple(f for f in found.faces if f.face.box not in removed)) if removed else found

    def detected(self, photo: Photo) -> PhotoAnalysis:
        """Like :meth:`analyze`, with the detections that were marked as not a face."""
        return services.analysis(
            photo,
            self.networks,
            self.detector,
            whole_image=session.is_whole_image(photo.digest),
            rotation_deg=session.rotation_deg(photo.digest),
        )


def available_analyzer(networks: Sequence[Predictor], detector: str) -> Analyzer:
    """With the chosen detector; with the best one available, and a message, if that detector cannot be loaded."""
    try:
        return Analyzer(networks, services.detector(detector).name)
    except DetectorUnavailableError as error:
        name = services.detector(AUTO).name
        show_error(f"{error.sentence} Using {services.DETECTORS[name]} instead.", icon="cloud_off")
        return Analyzer(networks, name)
