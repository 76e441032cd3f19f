"""Accuracy and loss by epoch."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from core.evaluation import Score, smoothed, wilson_of_shares
from dashboard.plots.error_bars import whiskers
from dashboard.style import Ink, NetworkStyle, template

BASE_PX, LEGEND_ROW_PX = 330, 20


def learning_curves(
    histories: Mapping[str, pd.DataFrame],
    chosen: Mapping[str, int],
    styles: Mapping[str, NetworkStyle],
    names: Mapping[str, str],
    inks: Ink,
    measure: str,
    *,
    images: Mapping[str, int],
    validation: str = "validation",
    smoothing: float = 0.0,
    log_epochs: bool = False,
    log_values: bool = False,
) -> go.Figure:
    """``measure`` ("accuracy" or "loss") by epoch: validation strong, training faint, the chosen epoch marked.

    ``images`` counts the validation images of each network; the marked accuracy has the Wilson interval for that many.
    ``smoothing`` in [0, 1) is the weight of the past in a moving average of the lines; marks are not smoothed.
    ``validation`` is the name of the validation split. The legend has one entry per network.
    """
    figure = go.Figure()
    for run_id, history in histories.items():
        style, name = styles[run_id], names[run_id]
        for split, title, width, opacity in (("train", "training", 1.2, 0.45), ("val", validation, style.width, 1.0)):
            figure.add_scatter(
                x=history["epoch"],
                y=smoothed(history[f"{split}_{measure}"].to_numpy(float), smoothing),
                mode="lines",
                name=name,
                legendgroup=run_id,
                showlegend=split == "val",
                line={"dash": style.dash, "width": width, "color": style.color},
                opacity=opacity,
                hovertemplate="epoch %{x}: %{y:.3f}<extra>" + f"{name}, {title}</extra>",
            )
        at = history[history["epoch"] == chosen[run_id]]
        scores = _scores(at, images.get(run_id, 0)) if measure == "accuracy" else []
        figure.add_scatter(
            x=at["epoch"],
            y=at[f"val_{measure}"],
            error_y=whiskers(scores, style.color, 2.0, 7) if scores else None,
            mode="markers",
            name=name,
            legendgroup=run_id,
            marker={
                "symbol": style.symbol,
                "size": 9,  # smaller than its interval
                "color": style.color,
                "line": {"color": inks.paper, "width": 1.5},
            },
            hovertemplate="chosen epoch %{x}: %{y:.3f}<extra>" + name + "</extra>",
            showlegend=False,
        )
    figure.update_layout(
        template=template(inks),
        height=BASE_PX + LEGEND_ROW_PX * len(histories),  # on a phone, the legend has one row per network
        xaxis={"title": "epoch"} | ({"type": "log", "dtick": "D2"} if log_epochs else {"rangemode": "tozero"}),
        yaxis={"title": measure, "tickformat": ".2f", "type": "log" if log_values else "linear"},
        legend={"y": -0.26},  # below the title of the axis
    )
    return figure


def numbers(histories: Mapping[str, pd.DataFrame], images: Mapping[str, int]) -> pd.DataFrame:
    """One row per network and epoch; with the interval of the validation accuracy where ``images`` are known."""
    frames = []
    for run_id, history in histories.items():
        scores = _scores(history, images.get(run_id, 0))
        bounds = {"val_accuracy_low": [s.low for s in scores], "val_accuracy_high": [s.high for s in scores]}
        frames.append(history.assign(network=run_id, **(bounds if scores else {})))
    return pd.concat(frames)


def _scores(history: pd.DataFrame, images: int) -> list[Score]:
    """The validation accuracies with their intervals; empty where the number of images is not known."""
    return wilson_of_shares(history["val_accuracy"].to_numpy(), images) if images else []
