"""A changed face: its picture under a grid, and the probability of a class as one setting varies."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.images import data_uri, encode_png
from core.inference import Prediction
from core.probes import OCCLUSION_GRID, Sweep
from dashboard.style import Ink, NetworkStyle, class_color, reserved, template

GRID_PX = 300


def grid(picture: np.ndarray, inks: Ink) -> go.Figure:
    """The picture (S, S, 3) uint8 under 6 x 6 squares that can be clicked; ``customdata`` is (row, column)."""
    uri = data_uri(encode_png(picture), "image/png")
    cells = [(row, column) for row in range(OCCLUSION_GRID) for column in range(OCCLUSION_GRID)]
    figure = go.Figure()
    figure.add_layout_image(
        source=uri,
        xref="x",
        yref="y",
        x=0,
        y=0,
        sizex=OCCLUSION_GRID,
        sizey=OCCLUSION_GRID,
        sizing="stretch",
        layer="below",
    )
    # Plotly reports clicks on markers, but not on images or heatmaps.
    seen = {"marker": {"opacity": 1}}
    figure.add_scatter(
        x=[column + 0.5 for _, column in cells],
        y=[row + 0.5 for row, _ in cells],
        customdata=cells,
        mode="markers",
        marker={
            "symbol": "square",
            "size": GRID_PX / OCCLUSION_GRID - 4,
            "color": "rgba(255,255,255,0.02)",
            "opacity": 1,
            "line": {"color": "rgba(255,255,255,0.35)", "width": 1},
        },
        selected=seen,
        unselected=seen,
        hovertemplate="hide or show this part<extra></extra>",
        showlegend=False,
    )
    axis = {"visible": False, "fixedrange": True}
    figure.update_layout(
        template=template(inks),
        width=GRID_PX,
        height=GRID_PX,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        xaxis={**axis, "range": [0, OCCLUSION_GRID], "automargin": False},
        yaxis={**axis, "range": [OCCLUSION_GRID, 0], "automargin": False},
        dragmode=False,
    )
    return figure


def response_curve(
    sweeps: Mapping[str, Sweep],
    class_name: str,
    current: float,
    styles: Mapping[str, NetworkStyle],
    names: Mapping[str, str],
    inks: Ink,
) -> go.Figure:
    """Probability of one class as one setting varies, one line per network; the vertical line marks the current
    value."""
    figure = go.Figure()
    setting = next(iter(sweeps.values())).setting
    for model_id, swept in sweeps.items():
        labels = swept.predictions[0].labels
        if class_name not in labels.classes:
            continue
        style = styles[model_id]
        figure.add_scatter(
            x=swept.setting_values,
            y=swept.probability(labels.index(class_name)),
            mode="lines+markers",
            name=names[model_id],
            line={"dash": style.dash, "width": style.width, "color": class_color(class_name)},
            marker={"symbol": style.symbol, "size": 7, "color": class_color(class_name)},
            hovertemplate=f"{setting.title_in_text} %{{x:.2f}}: %{{y:.3f}}<extra>{names[model_id]}</extra>",
        )
    figure.add_vline(x=current, line={"color": inks.muted, "width": 1})
    figure.update_layout(
        template=template(inks),
        height=300,
        margin=reserved(left=37, below=93),
        xaxis={"title": f"{setting.title_in_text} ({setting.unit})"},
        yaxis={"range": [-0.02, 1.02], "title": f"probability of {class_name}", "tickformat": ".1f"},
        legend={"y": -0.3},
    )
    return figure


def predictions_table(
    before: Mapping[str, Prediction], after: Mapping[str, Prediction], names: Mapping[str, str]
) -> pd.DataFrame:
    """One row per network and state of the face, with the probability of every class."""
    return pd.DataFrame(
        [
            {"network": names[model_id], "face": state}
            | dict(zip(prediction.labels.classes, prediction.probabilities, strict=True))
            for model_id in after
            for state, prediction in (("unchanged", before[model_id]), ("changed", after[model_id]))
        ]
    )


def response_table(sweeps: Mapping[str, Sweep], names: Mapping[str, str]) -> pd.DataFrame:
    """One row per network and value of the setting, with the probability of every class."""
    rows = [
        {"network": names[model_id], swept.setting.name: value}
        | dict(zip(prediction.labels.classes, prediction.probabilities, strict=True))
        for model_id, swept in sweeps.items()
        for value, prediction in zip(swept.setting_values.tolist(), swept.predictions, strict=True)
    ]
    return pd.DataFrame(rows)
