"""One small live picture for each main task: a sample portrait, analyzed by the smallest installed network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from core.checkpoints import Checkpoint
from core.errors import CheckpointError, EvaluationError, NotFiniteError
from core.evaluation import ConfusionMatrix
from core.inference import explain_face
from dashboard import services
from dashboard.plots import confusion, probabilities, saliency_pictures
from dashboard.style import Ink
from dashboard.ui import theme
from dashboard.ui.network_picker import styles as network_styles
from dashboard.ui.network_picker import titles

HEIGHT_PX = 240


@dataclass(frozen=True, eq=False)
class Example:
    """The pictures of the three main tasks; None for a network without stored test predictions."""

    probabilities: go.Figure
    overlay: np.ndarray  # (336, 336, 3) uint8
    confusion: go.Figure | None


def live_example() -> Example | None:
    """The example, or None if no network is installed or the face of the portrait is not found."""
    listing = services.listing()
    if not listing.with_weights:
        return None
    checkpoint = listing.with_weights[0]
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
    return Example(chart, overlay, _confusion(checkpoint, inks))


def _confusion(checkpoint: Checkpoint, inks: Ink) -> go.Figure | None:
    try:
        run = services.evaluation(checkpoint, "test")
    except (CheckpointError, EvaluationError):
        return None
    figure = confusion.matrix(ConfusionMatrix.from_run(run), inks, show=confusion.BY_TRUE)
    figure.update_layout(height=HEIGHT_PX, margin={"t": 4, "b": 4})
    figure.update_traces({"showscale": False, "texttemplate": ""}, selector={"type": "heatmap"})
    return figure
