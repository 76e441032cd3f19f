"""The input of every panel of Analyze: one face of one photo with the predictions of the chosen networks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.images import MIN_SIDE_PX, SUFFIXES
from core.inference import WHOLE_IMAGE, FaceAnalysis, LabelGroup, PhotoAnalysis, Predictor
from dashboard.section import listed
from dashboard.services import Photo
from dashboard.style import Ink, NetworkStyle


@dataclass(frozen=True)
class SelectedFace:
    """The face on the screen. The keys of mappings are model ids."""

    photo: Photo
    analysis: PhotoAnalysis
    number: int  # index among the photo's faces, from 0
    networks: tuple[Predictor, ...]
    names: Mapping[str, str]
    styles: Mapping[str, NetworkStyle]
    inks: Ink
    required_accuracy: float  # of the predictions that are called sure
    views: str = "one"  # see ``core.probes.VIEWS``

    @property
    def found(self) -> FaceAnalysis:
        """Where the face is, its crops and the predictions for the face in one view."""
        return self.analysis.faces[self.number]

    @cached_property
    def key(self) -> str:
        """Distinguishes the controls and results of one face from those of another."""
        box = self.found.face.box
        found_in = f"{self.photo.digest[:12]}-{self.analysis.detector}-{self.analysis.rotation_deg}"
        return f"{found_in}-{box.left:.0f}-{box.top:.0f}-{box.width:.0f}"

    @property
    def stem(self) -> str:
        """The photo's name without the suffix of a photo, and the face's number, for the names of downloads."""
        stem, _, suffix = self.photo.name.rpartition(".")
        name = stem if f".{suffix.lower()}" in SUFFIXES else self.photo.name
        return f"{name}-face{self.number + 1}"

    @property
    def title(self) -> str:
        """The photo's name and the face's number."""
        return f"{self.photo.name}, {self.analysis.name_of(self.number)}"

    @property
    def position(self) -> str:
        """Which of the photo's faces it is, as in "Face 1 of 2"."""
        name = self.analysis.name_of(self.number).capitalize()
        return name if self.analysis.detector == WHOLE_IMAGE else f"{name} of {len(self.analysis.faces)}"

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of all networks, those of the largest group first."""
        return tuple(dict.fromkeys(name for group in self.found.groups for name in group.labels.classes))

    def group_title(self, group: LabelGroup) -> str:
        """Distinguishes a group from the others; empty if all networks have the same classes."""
        return f"{len(group.labels)} classes ({group.labels.name})" if len(self.found.groups) > 1 else ""

    def data_and_split(self, split: str, model_ids: Iterable[str] | None = None, *, last: str = " or ") -> str:
        """Title of the data set and name of the split, as in "FER2013 PublicTest", for some networks (None: all).

        Several are listed, the last one after ``last``.
        """
        chosen = set(self.names if model_ids is None else model_ids)
        cards = [n.card for n in self.networks if n.model_id in chosen]
        titles = dict.fromkeys(f"{card.data.title} {card.data.split_name(split)}" for card in cards)
        return listed(list(titles), last)

    def inputs(self, analysis: FaceAnalysis) -> list[tuple[str, np.ndarray]]:
        """What the networks receive of a face, each different image once, with a title that names its networks."""
        receivers: dict[bytes, list[str]] = {}
        for network in self.networks:
            image = analysis.inputs[network.model_id]
            receivers.setdefault(repr(image.shape).encode() + image.tobytes(), []).append(network.model_id)
        shared = len(receivers) == 1 < len(self.networks)
        return [
            (f"Input of {'the networks' if shared else self.list_names(model_ids)}", analysis.inputs[model_ids[0]])
            for model_ids in receivers.values()
        ]

    def list_names(self, model_ids: Iterable[str]) -> str:
        """The names of some networks, as in "A, B and C"."""
        return listed([self.names[model_id] for model_id in model_ids])


def too_small(side_px: float) -> str | None:
    """A sentence if a face has too few pixels to be recognized."""
    if side_px >= MIN_SIDE_PX:
        return None
    return f"This face is only {side_px:.0f} px wide. Below {MIN_SIDE_PX} px, predictions are unreliable."


def not_finite(model_ids: Iterable[str], names: Mapping[str, str]) -> str:
    """A sentence about networks without a prediction."""
    who = [names[m] for m in model_ids]
    return f"{', '.join(who)} returned NaN or infinity; {'its' if len(who) == 1 else 'their'} weights may be damaged."
