"""One small live picture for each main task: a sample portrait, analyzed by the smallest installed network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from core.checkpoints import Checkpoint
from core.errors import CheckpointError, EvaluationError, NotFiniteError
from core.evaluation import ConfusionMatrix
from dashboard import services
from dashboard.plots import confusion
from dashboard.ui import theme
from dashboard.ui.network_picker import styles as network_styles
from dashboard.ui.network_picker import titles

HEIGHT_PX = 240


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the network predicts for the portrait, and the map of the predicted class over its face."""

    probabilities: go.Figure
    overlay: np.ndarray  # (336, 336, 3) uint8


def confusion_matrix() -> go.Figure | None:
    """The matrix of the stored test predictions, for which the network is not needed; None where there are none."""
    checkpoint = _smallest()
    if checkpoint is None:
        return None
    try:
        run = services.evaluation(checkpoint, "test")
    except (CheckpointError, EvaluationError):
        return None
    figure = confusion.matrix(ConfusionMatrix.from_run(run), theme.ink(), show=confusion.BY_TRUE)
    figure.update_layout(height=HEIGHT_PX, margin={"t": 4, "b": 4})
    figure.update_traces({"showscale": False, "texttemplate": ""}, selector={"type": "heatmap"})
    return figure


def live_prediction() -> Prediction | None:
    """The prediction, or None if no network is installed or the face of the portrait is not found."""
    # These need PyTorch, and the page is drawn before it is imported.
    from core.inference import explain_face
    from dashboard.plots import probabilities, saliency_pictures

    checkpoint = _smallest()
    if checkpoint is None:
        return None
    try:
        network = services.predictor(checkpoint)
        analysis = services.sample_analysis(network)
    except (CheckpointError, NotFiniteError):
        return None  # the pages that use the network name the problem
    if not analysis.faces:
        return None
    face, inks = analysis.faces[0], theme.ink()
    chart = probabilities.probabilities(face.groups[0], network_styles([checkpoint], inks), titles([checkpoint]), inks)
    chart.update_layout(height=HEIGHT_PX, showlegend=False, margin={"t": 4, "b": 4})
    explanation = explain_face(network, face)[face.verdict.top]
    overlay = saliency_pictures.overlay_picture(
        face.inputs[network.model_id], explanation, opacity=0.55, colormap="viridis"
    )
    return Prediction(chart, overlay)


def _smallest() -> Checkpoint | None:
    return next(iter(services.listing().with_weights), None)
