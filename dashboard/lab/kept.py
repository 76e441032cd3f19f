"""What the panels ask of core, kept in one bounded store, since each answer takes long enough to be noticed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from core import inference
from core.explain import Contrast, Explanation
from core.inference import KNOBS, Doubt, MethodAgreement, Perturbation, Predictor, Sweep, Trust
from dashboard import services
from dashboard.lab.face_in_question import FaceInQuestion

Progress = Callable[[int, int], None]


def _key(what: str, face: FaceInQuestion, network: Predictor) -> tuple[str, str, str, int, str]:
    return what, face.photo.digest, face.analysis.detector, face.number, network.card.weights_sha256


def explanations(
    face: FaceInQuestion,
    network: Predictor,
    *,
    method: str,
    stage: str,
    classes: int | Contrast | None,
    progress: Progress | None = None,
) -> tuple[Explanation, ...]:
    """Maps by any method; see ``core.inference.explained``. Raises ExplainError."""
    return services.lab_shelf().get(
        (*_key("explanations", face, network), method, stage, classes),
        lambda: inference.explained(
            network, face.found, method=method, stage=stage, classes=classes, progress=progress
        ),
    )


def sweep(face: FaceInQuestion, network: Predictor, change: Perturbation, knob: str) -> Sweep:
    """Answers along a knob; where the knob itself stands makes no difference."""
    rest = replace(change, **{knob: KNOBS[knob].identity})  # type: ignore[arg-type]  # every knob is a float
    return services.lab_shelf().get(
        (*_key("sweep", face, network), rest, knob),
        lambda: inference.sweep(network, face.analysis, face.number, rest, knob),
    )


def trust(
    face: FaceInQuestion, network: Predictor, explanation: Explanation, progress: Progress | None = None
) -> Trust:
    """Every measure of one map; see ``core.inference.trust``. Raises ExplainError."""
    return services.lab_shelf().get(
        (*_key("trust", face, network), explanation.class_index, explanation.heatmap.tobytes()),
        lambda: inference.trust(network, face.found, explanation, progress=progress),
    )


def agreement(
    face: FaceInQuestion, network: Predictor, target: int | Contrast, stage: str, methods: tuple[str, ...]
) -> MethodAgreement:
    """How far the methods' maps agree. Raises ExplainError."""
    return services.lab_shelf().get(
        (*_key("agreement", face, network), target, stage, methods),
        lambda: inference.method_agreement(network, face.found, target, stage, methods),
    )


def sanity(face: FaceInQuestion, network: Predictor, class_index: int, stage: str) -> tuple[tuple[str, float], ...]:
    """The map against itself under random weights. Raises ExplainError."""
    return services.lab_shelf().get(
        (*_key("sanity", face, network), class_index, stage),
        lambda: inference.sanity(network, face.found, class_index, stage),
    )


def doubt(face: FaceInQuestion, views: str) -> Doubt:
    """Answers before and after temperature and over several views."""
    networks = tuple(n.card.weights_sha256 for n in face.networks)
    return services.lab_shelf().get(
        ("doubt", face.photo.digest, face.analysis.detector, face.number, networks, views),
        lambda: inference.doubt(face.networks, face.analysis, face.number, views),
    )
