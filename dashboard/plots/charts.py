"""Results -> Plotly figures. No Streamlit here: what is drawn can be tested without a page."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from core.inference import ENSEMBLE, LabelGroup, Prediction
from dashboard.style import Form, Ink, class_color, template

# The tool bar keeps what a reader needs: the picture as a file. Zooming by accident loses the common scale.
CONFIG = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["zoom", "pan", "select", "lasso", "zoomIn", "zoomOut", "autoScale", "resetScale"],
    "toImageButtonOptions": {"scale": 2},
}
STILL = {"displayModeBar": False, "staticPlot": True}


def with_ensemble(group: LabelGroup) -> dict[str, Prediction]:
    """The predictions of a group by model id, and its ensemble under its own id where there are several networks."""
    return dict(group.predictions) | ({group.ensemble.model_id: group.ensemble} if group.ensemble else {})


def probabilities(
    predictions: Mapping[str, Prediction], forms: Mapping[str, Form], names: Mapping[str, str], inks: Ink
) -> go.Figure:
    """One row a class, one mark a network; the ensemble is the bar behind the marks.

    A dot plot reads better than four bars a class: agreement is marks that lie together.
    """
    figure = go.Figure()
    labels = next(iter(predictions.values())).labels
    classes = list(labels.classes)
    colors = [class_color(c) for c in classes]
    if ENSEMBLE in predictions:
        figure.add_bar(
            y=classes,
            x=predictions[ENSEMBLE].probabilities,
            orientation="h",
            name=names[ENSEMBLE],
            marker={"color": colors, "opacity": 0.38, "line": {"color": inks.muted, "width": 0.6}},
            hovertemplate="%{y}: %{x:.3f}<extra>" + names[ENSEMBLE] + "</extra>",
            showlegend=False,
        )
    for model_id, prediction in predictions.items():
        if model_id == ENSEMBLE:
            continue
        if prediction.labels.classes != labels.classes:
            continue  # other classes are another chart
        figure.add_scatter(
            y=classes,
            x=prediction.probabilities,
            mode="markers",
            name=names[model_id],
            marker={
                "symbol": forms[model_id].symbol,
                "size": 11,
                "color": colors,
                "line": {"color": inks.text, "width": 1.2},
            },
            hovertemplate="%{y}: %{x:.3f}<extra>" + names[model_id] + "</extra>",
            showlegend=False,
        )
        # The legend shows the form alone: its color belongs to the classes.
        figure.add_scatter(
            y=[None],
            x=[None],
            mode="markers",
            name=names[model_id],
            marker={"symbol": forms[model_id].symbol, "size": 10, "color": inks.muted},
        )
    if ENSEMBLE in predictions:
        figure.add_bar(
            y=[None], x=[None], orientation="h", name="bar: " + names[ENSEMBLE], marker={"color": inks.faint}
        )
    figure.update_layout(
        template=template(inks),
        height=44 * len(classes) + 90,
        bargap=0.35,
        xaxis={"range": [-0.02, 1.02], "title": "probability", "tickformat": ".1f"},
        yaxis={"autorange": "reversed"},
        legend={"y": -0.2},
    )
    return figure
