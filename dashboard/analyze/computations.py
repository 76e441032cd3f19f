"""Slow results that the panels of Analyze show, computed once."""

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
class Computation(Generic[Result]):
    """One slow result: of a photo, stored with the session, or of a data set, stored for all sessions."""

    key: Hashable
    compute: Callable[[Progress | None], Result]
    photo: Photo | None = None

    @property
    def ready(self) -> bool:
        """Whether the result is stored."""
        if self.photo is None:
            return self.key in services.results()
        return services.has_photo_result(self.photo, self.key)

    def get(self, progress: Progress | None = None) -> Result:
        """The result, computed first if it is not stored. Raises what the computation raises."""
        if self.photo is None:
            return services.results().get(self.key, lambda: self.compute(progress))
        return services.photo_result(self.photo, self.key, lambda: self.compute(progress))


def _of_face(
    what: str, face: FaceInQuestion, network: Predictor, options: Hashable, compute: Callable[[Progress | None], Result]
) -> Computation[Result]:
    key = (what, face.photo.digest, face.analysis.detector, face.number, network.card.weights_sha256, options)
    return Computation(key, compute, face.photo)


def explanations(
    face: FaceInQuestion, network: Predictor, *, method: str, stage: str, classes: int | Contrast | None
) -> Computation[tuple[Explanation, ...]]:
    """Maps by any method; see ``core.inference.explained``. Raises ExplainError."""
    return _of_face(
        "explanations",
        face,
        network,
        (method, stage, classes),
        lambda progress: inference.explained(
            network, face.found, method=method, stage=stage, classes=classes, progress=progress
        ),
    )


def sweep(face: FaceInQuestion, network: Predictor, change: Perturbation, knob: str) -> Sweep:
    """Answers along a knob; where the knob itself stands makes no difference."""
    rest = replace(change, **{knob: PERTURBATION_SETTINGS[knob].identity})  # type: ignore[arg-type]  # every knob is a float
    return _of_face(
        "sweep",
        face,
        network,
        (rest, knob),
        lambda _: probes.sweep(network, face.analysis, face.number, rest, knob),
    ).get()


def measures(face: FaceInQuestion, network: Predictor, explanation: Explanation) -> Computation[FaithfulnessMeasures]:
    """The quick measures of one map; see ``core.probes.measure_faithfulness``. Raises ExplainError."""
    return _of_face(
        "measures",
        face,
        network,
        _map_key(network, explanation),
        lambda _: probes.measure_faithfulness(network, face.found, explanation),
    )


def chance(face: FaceInQuestion, network: Predictor, explanation: Explanation) -> Computation[ChanceResult]:
    """The map against shuffled copies of itself; the slow part of trusting it. Raises ExplainError."""
    return _of_face(
        "chance",
        face,
        network,
        _map_key(network, explanation),
        lambda progress: probes.compare_with_chance(network, face.found, explanation, progress=progress),
    )


def agreement(
    face: FaceInQuestion,
    network: Predictor,
    target: int | Contrast,
    stage: str,
    methods: tuple[str, ...],
    made: Explanation,
) -> Computation[MethodAgreement]:
    """How far the methods' maps agree, one of which is ``made`` already. Raises ExplainError."""
    return _of_face(
        "agreement",
        face,
        network,
        (target, stage, methods),
        lambda progress: probes.method_agreement(
            network, face.found, target, stage, methods, known=made, progress=progress
        ),
    )


def sanity(
    face: FaceInQuestion, network: Predictor, target: int | Contrast, stage: str, method: str
) -> Computation[tuple[tuple[str, float], ...]]:
    """A method's map against itself under random weights. Raises ExplainError."""
    return _of_face(
        "sanity",
        face,
        network,
        (target, stage, method),
        lambda progress: probes.randomization_check(network, face.found, target, stage, method, progress=progress),
    )


def dataset_shares(network: Predictor, samples: Samples, split: str, stage: str) -> Computation[SplitRegionShares]:
    """Where a network looked over a whole split. Raises ExplainError and DataError."""
    return Computation(
        ("shares", network.card.weights_sha256, network.card.data.fingerprint, split, stage),
        lambda progress: probes.split_region_shares(network, samples, split, stage=stage, progress=progress),
    )


def summaries(photo: Photo, networks: Sequence[Predictor], detector: str) -> Computation[tuple[FaceSummary, ...]]:
    """The faces of one photo for the gallery. Raises DetectorUnavailableError."""

    def compute(_: Progress | None) -> tuple[FaceSummary, ...]:
        found = services.analysis(photo, list(networks), detector, whole_image=False)
        return inference.summarize_faces(photo.digest, found)

    shas = tuple(n.card.weights_sha256 for n in networks)
    return Computation(("summaries", photo.digest, detector, shas), compute, photo)


def doubt(face: FaceInQuestion, views: str) -> Uncertainty:
    """Answers before and after temperature and over several views. Raises NotFiniteError."""
    networks = tuple(n.card.weights_sha256 for n in face.networks)
    return services.photo_result(
        face.photo,
        ("uncertainty", face.analysis.detector, face.number, networks, views),
        lambda: probes.estimate_uncertainty(face.networks, face.analysis, face.number, views),
    )


def _map_key(network: Predictor, explanation: Explanation) -> tuple[str, str, int, int | None]:
    """What the map is, whichever panel asked for it: its cells differ in the last digit between two ways to make it."""
    method, layer = explanation.method, explanation.layer
    if layer == network.network.closed_form_stage:
        groups = distinct_methods(tuple(saliency_methods()), network.network, layer)
        method = next(group[0] for group in groups if method in group)
    return method, layer, explanation.class_index, explanation.against
