"""What every panel of Analyze reads: one face of one photo, what the chosen networks said of it, how they are drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.images import MIN_SIDE_PX
from core.inference import FaceAnalysis, PhotoAnalysis, Predictor
from dashboard.services import Photo
from dashboard.style import Form, Ink


@dataclass(frozen=True)
class FaceInQuestion:
    """The face on the screen. Mappings go by model id, the ensemble with them."""

    photo: Photo
    analysis: PhotoAnalysis
    number: int  # position among the photo's faces, from 0
    networks: tuple[Predictor, ...]
    names: Mapping[str, str]
    forms: Mapping[str, Form]
    inks: Ink

    @property
    def found(self) -> FaceAnalysis:
        """Where the face is and what each network saw and said of it."""
        return self.analysis.faces[self.number]

    @property
    def key(self) -> str:
        """Tells the widgets of one face from those of another."""
        return f"{self.photo.digest[:12]}-{self.analysis.detector}-{self.number}"

    @property
    def stem(self) -> str:
        """The photo's name without its suffix and the face's number, for the names of downloads."""
        return f"{self.photo.name.rsplit('.', 1)[0]}-face{self.number + 1}"


def too_small(side_px: float) -> str | None:
    """The sentence for a face that has too few pixels to be read; None for a larger one."""
    if side_px >= MIN_SIDE_PX:
        return None
    return (
        f"This face is only {side_px:.0f} px wide. Below {MIN_SIDE_PX} px there is little to see; take a larger photo."
    )


def not_finite(model_ids: Iterable[str], names: Mapping[str, str]) -> str:
    """The sentence for networks that gave no answer."""
    who = [names[m] for m in model_ids]
    network = "network's" if len(who) == 1 else "networks'"
    return f"{', '.join(who)} met a value that is not a finite number; check the {network} weights."
