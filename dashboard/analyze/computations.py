"""What the panels ask of core, kept in one bounded store, since each answer takes long enough to be noticed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from core import inference, probes
from core.data import Samples
from core.explain import ChanceResult, Contrast, Explanation, distinct_methods, saliency_methods
from core.inference import FaceSummary, Predictor
from core.probes import (
    PERTURBATION_SETTINGS,
    FaithfulnessMeasures,
    MethodAgreement,
    Perturbation,
    SplitRegionShares,
    Sweep,
    Uncertainty,
)
from dashboard import services
from dashboard.analyze.selected_face import FaceInQuestion
from dashboard.services import Photo

Progress = Callable[[int, int], None]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Piece(Generic[Result]):
    """One slow answer: whether it is kept already, and how it is had."""

    key: Hashable
    make: Callable[[Progress | None], Result]

    @property
    def ready(self) -> bool:
        """Whether it costs nothing any more."""
        return self.key in services.lab_shelf()

    def get(self, progress: Progress | None = None) -> Result:
        """The answer kept, or made now. Raises what making it raises."""
        return services.lab_shelf().get(self.key, lambda: self.make(progress))


def _key(what: str, face: FaceInQuestion, network: Predictor) -> tuple[str, str, str, int, str]:
    return what, face.photo.digest, face.analysis.detector, face.number, network.card.weights_sha256


def explanations(
    face: FaceInQuestion, network: Predictor, *, method: str, stage: str, classes: int | Contrast | None
) -> Piece[tuple[Explanation, ...]]:
    """Maps by any method; see ``core.inference.explained``. Raises ExplainError."""
    return Piece(
        (*_key("explanations", face, network), method, stage, classes),
        lambda progress: inference.explained(
            network, face.found, method=method, stage=stage, classes=classes, progress=progress
        ),
    )


def sweep(face: FaceInQuestion, network: Predictor, change: Perturbation, knob: str) -> Sweep:
    """Answers along a knob; where the knob itself stands makes no difference."""
    rest = replace(change, **{knob: PERTURBATION_SETTINGS[knob].identity})  # type: ignore[arg-type]  # every knob is a float
    return services.lab_shelf().get(
        (*_key("sweep", face, network), rest, knob),
        lambda: probes.sweep(network, face.analysis, face.number, rest, knob),
    )


def measures(face: FaceInQuestion, network: Predictor, explanation: Explanation) -> Piece[FaithfulnessMeasures]:
    """The quick measures of one map; see ``core.probes.measure_faithfulness``. Raises ExplainError."""
    return Piece(
        (*_key("measures", face, network), _map_key(network, explanation)),
        lambda _: probes.measure_faithfulness(network, face.found, explanation),
    )


def chance(face: FaceInQuestion, network: Predictor, explanation: Explanation) -> Piece[ChanceResult]:
    """The map against shuffled copies of itself; the slow part of trusting it. Raises ExplainError."""
    return Piece(
        (*_key("chance", face, network), _map_key(network, explanation)),
        lambda progress: probes.compare_with_chance(network, face.found, explanation, progress=progress),
    )


def agreement(
    face: FaceInQuestion,
    network: Predictor,
    target: int | Contrast,
    stage: str,
    methods: tuple[str, ...],
    made: Explanation,
) -> Piece[MethodAgreement]:
    """How far the methods' maps agree, one of which is ``made`` already. Raises ExplainError."""
    return Piece(
        (*_key("agreement", face, network), target, stage, methods),
        lambda progress: probes.method_agreement(
            network, face.found, target, stage, methods, known=made, progress=progress
        ),
    )


def sanity(
    face: FaceInQuestion, network: Predictor, target: int | Contrast, stage: str, method: str
) -> Piece[tuple[tuple[str, float], ...]]:
    """A method's map against itself under random weights. Raises ExplainError."""
    return Piece(
        (*_key("sanity", face, network), target, stage, method),
        lambda progress: probes.randomization_check(network, face.found, target, stage, method, progress=progress),
    )


def dataset_shares(network: Predictor, samples: Samples, split: str, stage: str) -> Piece[SplitRegionShares]:
    """Where a network looked over a whole split. Raises ExplainError and DataError."""
    return Piece(
        ("shares", network.card.weights_sha256, network.card.data.fingerprint, split, stage),
        lambda progress: probes.split_region_shares(network, samples, split, stage=stage, progress=progress),
    )


def summaries(photo: Photo, networks: Sequence[Predictor], detector: str) -> Piece[tuple[FaceSummary, ...]]:
    """The faces of one photo for the gallery. Raises DetectorUnavailableError."""

    def make(_: Progress | None) -> tuple[FaceSummary, ...]:
        found = services.analysis(photo, list(networks), detector, whole_image=False)
        return inference.summarize_faces(photo.digest, found)

    shas = tuple(n.card.weights_sha256 for n in networks)
    return Piece(("summaries", photo.digest, detector, shas), make)


def doubt(face: FaceInQuestion, views: str) -> Uncertainty:
    """Answers before and after temperature and over several views. Raises NotFiniteError."""
    networks = tuple(n.card.weights_sha256 for n in face.networks)
    return services.lab_shelf().get(
        ("doubt", face.photo.digest, face.analysis.detector, face.number, networks, views),
        lambda: probes.estimate_uncertainty(face.networks, face.analysis, face.number, views),
    )


def _map_key(network: Predictor, explanation: Explanation) -> tuple[str, str, int, int | None]:
    """What the map is, whichever panel asked for it: its cells differ in the last digit between two ways to make it."""
    method, layer = explanation.method, explanation.layer
    if layer == network.network.closed_form_stage:
        groups = distinct_methods(tuple(saliency_methods()), network.network, layer)
        method = next(group[0] for group in groups if method in group)
    return method, layer, explanation.class_index, explanation.against
