"""Slow computations, each done once and stored with its photo."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from core import inference, probes
from core.data import Samples
from core.explain import ChanceResult, Contrast, Explanation, RandomizationStep, distinct_methods, saliency_methods
from core.inference import FaceSummary, NetworkKey, PhotoAnalysis, Predictor
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
from dashboard.analyze.selected_face import SelectedFace
from dashboard.services import Photo
from dashboard.ui import session

Progress = Callable[[int, int], None]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Computation(Generic[Result]):
    """A result that is computed when it is first needed: of a photo, stored with the session, or of a data set (photo
    None), stored for all sessions."""

    photo: Photo | None
    key: Hashable
    compute: Callable[[Progress | None], Result]

    @property
    def ready(self) -> bool:
        """Whether the result is stored."""
        if self.photo is None:
            return self.key in services.results()
        return services.has_photo_result(self.photo, self.key)

    def get(self, progress: Progress | None = None) -> Result:
        """The stored result, computed first if necessary. Raises what the computation raises."""
        if self.photo is None:
            return services.results().get(self.key, lambda: self.compute(progress))
        return services.photo_result(self.photo, self.key, lambda: self.compute(progress))


def explanations(
    face: SelectedFace, network: Predictor, *, method: str, stage: str, classes: int | Contrast | None
) -> Computation[tuple[Explanation, ...]]:
    """Saliency maps by any method, for one target or for all classes (None). Raises ExplainError."""
    return Computation(
        face.photo,
        (*_key("explanations", face, network), method, stage, classes),
        lambda progress: inference.explain_face(
            network, face.found, method=method, stage=stage, targets=classes, progress=progress
        ),
    )


def target_explanation(
    face: SelectedFace, network: Predictor, *, method: str, stage: str, target: int | Contrast
) -> tuple[Computation[tuple[Explanation, ...]], int]:
    """The result that contains the map of a target, and its index there. Grad-CAM is computed for all classes at once,
    because that costs as much as one."""
    if method == "gradcam" and isinstance(target, int):
        return explanations(face, network, method=method, stage=stage, classes=None), target
    return explanations(face, network, method=method, stage=stage, classes=target), 0


def uncertainty(face: SelectedFace) -> Computation[Uncertainty]:
    """Predictions before and after temperature scaling and over the chosen views. Raises NotFiniteError."""
    networks = tuple(n.key for n in face.networks)
    return Computation(
        face.photo,
        ("uncertainty", face.key, networks, face.views),
        lambda _: probes.estimate_uncertainty(face.networks, face.analysis, face.number, face.views),
    )


def sweep(face: SelectedFace, network: Predictor, change: Perturbation, setting: str) -> Computation[Sweep]:
    """Predictions while one setting varies; the current value of that setting is ignored."""
    others = replace(change, **{setting: PERTURBATION_SETTINGS[setting].identity})  # type: ignore[arg-type]  # a float
    return Computation(
        face.photo,
        (*_key("sweep", face, network), others, setting),
        lambda _: probes.sweep(network, face.analysis, face.number, others, setting),
    )


def faithfulness(face: SelectedFace, network: Predictor, explanation: Explanation) -> Computation[FaithfulnessMeasures]:
    """Deletion, insertion, ROAD and the drop in confidence. Raises ExplainError."""
    return Computation(
        face.photo,
        (*_key("faithfulness", face, network), _map_key(network, explanation)),
        lambda _: probes.measure_faithfulness(network, face.found, explanation),
    )


def chance(face: SelectedFace, network: Predictor, explanation: Explanation) -> Computation[ChanceResult]:
    """The map compared with moved copies of it. Raises ExplainError."""
    return Computation(
        face.photo,
        (*_key("chance", face, network), _map_key(network, explanation)),
        lambda progress: probes.compare_with_chance(network, face.found, explanation, progress=progress),
    )


def agreement(
    face: SelectedFace,
    network: Predictor,
    target: int | Contrast,
    stage: str,
    methods: tuple[str, ...],
    known: Explanation,
) -> Computation[MethodAgreement]:
    """How far the maps of several methods agree; one of them, ``known``, has been computed. Raises ExplainError."""
    return Computation(
        face.photo,
        (*_key("agreement", face, network), target, stage, methods),
        lambda progress: probes.method_agreement(
            network, face.found, target, stage, methods, known=known, progress=progress
        ),
    )


def randomization(
    face: SelectedFace, network: Predictor, target: int | Contrast, stage: str, method: str
) -> Computation[tuple[RandomizationStep, ...]]:
    """A map compared with maps of the same network with random weights. Raises ExplainError."""
    return Computation(
        face.photo,
        (*_key("randomization", face, network), target, stage, method),
        lambda progress: probes.randomization_check(network, face.found, target, stage, method, progress=progress),
    )


def split_region_shares(network: Predictor, samples: Samples, split: str, stage: str) -> Computation[SplitRegionShares]:
    """Region shares of a network over a whole split. Raises ExplainError and DataError."""
    return Computation(
        None,
        ("split region shares", network.key, network.card.data.fingerprint, split, stage),
        lambda progress: probes.split_region_shares(network, samples, split, stage=stage, progress=progress),
    )


def summaries(
    photo: Photo, networks: Sequence[Predictor], detector: str, analyze: Callable[[Photo], PhotoAnalysis]
) -> Computation[tuple[FaceSummary, ...]]:
    """The faces of one photo for the gallery. Raises DetectorUnavailableError and NotFiniteError."""
    keys = tuple(n.key for n in networks)
    digest = photo.digest
    found_by = detector, session.is_whole_image(digest), session.rotation_deg(digest)
    return Computation(
        photo,
        ("summaries", keys, *found_by, session.removed_faces(digest, detector)),
        lambda _: inference.summarize_faces(photo.digest, analyze(photo)),
    )


def _key(what: str, face: SelectedFace, network: Predictor) -> tuple[str, str, NetworkKey]:
    return what, face.key, network.key


def _map_key(network: Predictor, explanation: Explanation) -> tuple[str, str, int, int | None]:
    """Identifies a map by the first of the methods that give the same one."""
    method, stage = explanation.method, explanation.stage
    if stage == network.network.closed_form_stage:
        groups = distinct_methods(tuple(saliency_methods()), network.network, stage)
        method = next(group[0] for group in groups if method in group)
    return method, stage, explanation.class_index, explanation.against
