"""One small live picture for each main task: a sample portrait, analyzed by the first installed network."""

from __future__ import annotations

from dataclasses import dataclass

from core.checkpoints import Checkpoint
from core.errors import CheckpointError, NotFiniteError
from core.evaluation import ConfusionMatrix
from dashboard import services
from dashboard.plots import previews
from dashboard.ui import theme


@dataclass(frozen=True)
class Prediction:
    """What the network predicts for the portrait, and the map of the predicted class over its face, as HTML."""

    probabilities: str
    saliency: str


def confusion_matrix() -> str | None:
    """The matrix of the stored test predictions as HTML, which needs no network; None where there are none."""
    checkpoint = _first()
    if checkpoint is None:
        return None
    try:
        run = services.evaluation(checkpoint, "test")
    except CheckpointError:
        return None
    alt = f"Confusion matrix of {checkpoint.card.title}"
    return previews.confusion(ConfusionMatrix.from_run(run), theme.ink(), alt=alt)


def live_prediction() -> Prediction | None:
    """The prediction, or None if no network is installed or the face of the portrait is not found."""
    # These need PyTorch, and the page is drawn before it is imported.
    from core.inference import explain_face
    from dashboard.plots import saliency_pictures

    checkpoint = _first()
    if checkpoint is None:
        return None
    try:
        network = services.predictor(checkpoint)
        analysis = services.sample_analysis(network)
    except (CheckpointError, NotFiniteError):
        return None  # the pages that use the network name the problem
    if not analysis.faces:
        return None
    face = analysis.faces[0]
    predicted = face.predictions[network.model_id]
    alt = f"Probabilities that {checkpoint.card.title} predicts for a portrait"
    chart = previews.probabilities(predicted.labels, predicted.probabilities, theme.ink(), alt=alt)
    explanation = explain_face(network, face)[face.verdict.top]
    overlay = saliency_pictures.overlay_picture(
        face.inputs[network.model_id], explanation, opacity=0.55, colormap="viridis"
    )
    return Prediction(chart, previews.picture(overlay, 220, alt="A saliency map on a portrait"))


def _first() -> Checkpoint | None:
    return next(iter(services.listing().with_weights), None)
