"""Probabilities of one face: networks that share their classes in one chart."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from core.inference import LabelGroup
from dashboard.style import ENSEMBLE_NAME, Ink, NetworkStyle, class_color, template

ROW_PX = 34


def probabilities(
    group: LabelGroup,
    styles: Mapping[str, NetworkStyle],
    names: Mapping[str, str],
    inks: Ink,
) -> go.Figure:
    """One row per class, one marker per network; the ensemble is the bar behind the markers.

    In a dot plot agreement is easy to see, because the markers are close together.
    """
    figure = go.Figure()
    classes = list(group.labels.classes)
    colors = [class_color(c) for c in classes]
    if group.ensemble is not None:
        figure.add_bar(
            y=classes,
            x=group.ensemble.probabilities,
            orientation="h",
            name=ENSEMBLE_NAME,
            marker={"color": colors, "opacity": 0.38, "line": {"color": inks.muted, "width": 0.6}},
            hovertemplate="%{y}: %{x:.3f}<extra>" + ENSEMBLE_NAME + "</extra>",
            showlegend=False,
        )
    for model_id, prediction in group.predictions.items():
        symbol, name = styles[model_id].symbol, names[model_id]
        figure.add_scatter(
            y=classes,
            x=prediction.probabilities,
            mode="markers",
            name=name,
            marker={"symbol": symbol, "size": 11, "color": colors, "line": {"color": inks.text, "width": 1.2}},
            hovertemplate="%{y}: %{x:.3f}<extra>" + name + "</extra>",
            showlegend=False,
        )
        # The legend shows the marker without a color, because colors denote classes.
        figure.add_scatter(
            y=[None], x=[None], mode="markers", name=name, marker={"symbol": symbol, "size": 10, "color": inks.muted}
        )
    if group.ensemble is not None:
        figure.add_bar(y=[None], x=[None], orientation="h", name=f"bar: {ENSEMBLE_NAME}", marker={"color": inks.faint})
    figure.update_layout(
        template=template(inks),
        height=ROW_PX * len(classes) + 68,
        bargap=0.35,
        margin={"t": 26},  # for the tool bar, which would cover the first class
        xaxis={"range": [-0.02, 1.02], "title": "probability", "tickformat": ".1f"},
        yaxis={"autorange": "reversed"},
        legend={"y": -0.26},
    )
    return figure


def table(group: LabelGroup, names: Mapping[str, str]) -> pd.DataFrame:
    """One row per class with the probability by each network, and by the ensemble if there is one."""
    columns = {names[model_id]: prediction.probabilities for model_id, prediction in group.predictions.items()}
    columns |= {ENSEMBLE_NAME: group.ensemble.probabilities} if group.ensemble else {}
    return pd.DataFrame({"class": group.labels.classes} | columns)
