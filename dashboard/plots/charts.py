"""Results -> Plotly figures. No Streamlit here: what is drawn can be tested without a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.evaluation import ClassScores, ConfusionMatrix, smoothed, wilson_of_shares
from dashboard.plots.whiskers import whiskers
from dashboard.style import Form, Ink, class_color, template

# The tool bar keeps what a reader needs: the picture as a file. Zooming by accident loses the common scale.
CONFIG = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["zoom", "pan", "select", "lasso", "zoomIn", "zoomOut", "autoScale", "resetScale"],
    "toImageButtonOptions": {"scale": 2},
}
STILL = {"displayModeBar": False, "staticPlot": True}


def learning_curves(
    histories: Mapping[str, pd.DataFrame],
    chosen: Mapping[str, int],
    forms: Mapping[str, Form],
    names: Mapping[str, str],
    inks: Ink,
    measure: str,
    *,
    images: Mapping[str, int],
    smoothing: float = 0.0,
    log_epochs: bool = False,
    log_values: bool = False,
) -> go.Figure:
    """Accuracy or loss by epoch, training faint and validation strong; the chosen epoch is marked, an accuracy with the
    interval that the validation ``images`` leave it, by model id.

    ``measure`` is "accuracy" or "loss". ``smoothing`` in [0, 1) is the weight of the past in a moving average of the
    lines; the mark stays where the epoch was.
    """
    figure = go.Figure()
    for model_id, history in histories.items():
        form, name = forms[model_id], names[model_id]
        for split, color in (("train", inks.muted), ("val", inks.text)):
            figure.add_scatter(
                x=history["epoch"],
                y=smoothed(history[f"{split}_{measure}"].to_numpy(float), smoothing),
                mode="lines",
                name=f"{name}, {'training' if split == 'train' else 'PublicTest'}",
                line={"dash": form.dash, "width": form.width if split == "val" else 1.2, "color": color},
                opacity=1.0 if split == "val" else 0.75,
                hovertemplate="epoch %{x}: %{y:.3f}<extra>" + f"{name}, {split}</extra>",
            )
        at = history[history["epoch"] == chosen[model_id]]
        n = images.get(model_id, 0)
        scores = wilson_of_shares(at["val_accuracy"].to_numpy(), n) if measure == "accuracy" and n else []
        figure.add_scatter(
            x=at["epoch"],
            y=at[f"val_{measure}"],
            error_y=whiskers(scores, inks.muted) if scores else None,
            mode="markers",
            name=f"{name}, chosen epoch",
            marker={"symbol": form.symbol, "size": 12, "color": inks.text, "line": {"color": inks.paper, "width": 1.5}},
            hovertemplate="chosen epoch %{x}: %{y:.3f}<extra>" + name + "</extra>",
            showlegend=False,
        )
    figure.update_layout(
        template=template(inks),
        height=380,
        xaxis={"title": "epoch"} | ({"type": "log", "dtick": "D2"} if log_epochs else {"rangemode": "tozero"}),
        yaxis={"title": measure, "tickformat": ".2f", "type": "log" if log_values else "linear"},
    )
    return figure


def confusion(matrix: ConfusionMatrix, inks: Ink, *, show: str = "by true class", title: str = "") -> go.Figure:
    """True classes as rows, predicted ones as columns; color is always the share of the row, 0 to 1, so that networks
    share one scale. ``show`` is "counts" or "by true class"."""
    share = matrix.by_true()
    classes = list(matrix.labels.classes)
    if show == "counts":
        text = [[f"{n:,}" for n in row] for row in matrix.counts]
    else:
        text = [["" if np.isnan(v) else f"{v:.2f}" for v in row] for row in share]
    figure = go.Figure(
        go.Heatmap(
            z=share,
            x=classes,
            y=classes,
            text=text,
            texttemplate="%{text}",
            textfont={"size": 11},
            customdata=matrix.counts,
            colorscale="Blues" if inks.paper == "#FFFFFF" else "ice",
            zmin=0,
            zmax=1,
            colorbar={"title": {"text": "share of row", "side": "right"}, "thickness": 10, "len": 0.9},
            hovertemplate="true %{y}, predicted %{x}<br>%{customdata:,} images, %{z:.3f} of the row<extra></extra>",
            xgap=1,
            ygap=1,
        )
    )
    figure.update_layout(
        template=template(inks),
        title={"text": title, "font": {"size": 14}},
        height=400,
        margin={"t": 40 if title else 12},
        xaxis={"title": "predicted", "side": "bottom", "showgrid": False, "tickangle": -40},
        yaxis={"title": "true", "autorange": "reversed", "showgrid": False},
    )
    return figure


def per_class(
    scores: Mapping[str, Sequence[ClassScores]],
    forms: Mapping[str, Form],
    names: Mapping[str, str],
    inks: Ink,
    measure: str,
) -> go.Figure:
    """One row a class, one mark a network, with its 95 % interval. A class without images has no mark."""
    figure = go.Figure()
    for position, (model_id, of_classes) in enumerate(scores.items()):
        values = [getattr(s, measure) for s in of_classes]
        # Networks stand a little apart in each row, or their intervals would hide each other.
        offset = (position - (len(scores) - 1) / 2) * 0.16
        figure.add_scatter(
            y=[row + offset for row in range(len(of_classes))],
            x=[v.value if v.defined else None for v in values],
            error_x={
                "array": [v.high - v.value for v in values],
                "arrayminus": [v.value - v.low for v in values],
                "color": inks.muted,
                "thickness": 1,
                "width": 0,
            },
            mode="markers",
            name=names[model_id],
            marker={
                "symbol": forms[model_id].symbol,
                "size": 10,
                "color": [class_color(s.class_name) for s in of_classes],
                "line": {"color": inks.text, "width": 1.1},
            },
            customdata=[[s.class_name, str(v), s.support] for s, v in zip(of_classes, values, strict=True)],
            hovertemplate="%{customdata[0]}: %{customdata[1]}, %{customdata[2]:,} images<extra>"
            + names[model_id]
            + "</extra>",
            showlegend=False,
        )
        figure.add_scatter(
            y=[None],
            x=[None],
            mode="markers",
            name=names[model_id],
            marker={"symbol": forms[model_id].symbol, "size": 10, "color": inks.muted},
        )
    first = next(iter(scores.values()))
    figure.update_layout(
        template=template(inks),
        height=52 * len(first) + 100,
        xaxis={"range": [0, 1.02], "title": {"f1": "F1"}.get(measure, measure)},
        yaxis={
            "autorange": "reversed",
            "tickvals": list(range(len(first))),
            "ticktext": [s.class_name for s in first],
        },
    )
    return figure
