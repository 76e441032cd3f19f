"""Confusion matrices whose cells can be clicked, and the difference of two."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.evaluation import ConfusionMatrix, EvaluationRun, confusion_difference
from dashboard.plots.cells import colorscale, heatmap
from dashboard.section import with_minus_signs
from dashboard.style import LIGHT, Ink, reserved, template

COUNTS, BY_TRUE, BY_PREDICTED = SHARES = ("counts", "by true class", "by predicted class")
Position = tuple[int, int]  # positions of the true and of the predicted class


def matrix(counted: ConfusionMatrix, inks: Ink, *, show: str = COUNTS, selected: Position | None = None) -> go.Figure:
    """True classes as rows, predicted classes as columns. ``show`` is one of SHARES.

    Color is the share of the predicted class for BY_PREDICTED, else of the true class: 0 to 1, so that all networks
    share one scale. ``selected`` is outlined.
    """
    shares, whole = (
        (counted.by_predicted(), "predicted class") if show == BY_PREDICTED else (counted.by_true(), "true class")
    )
    text = _words(counted.counts, "{:,}") if show == COUNTS else _words(shares, "{:.2f}")
    low, high = counted.bounds_by_predicted() if show == BY_PREDICTED else counted.bounds_by_true()
    hover = [
        [
            f"{n:,} image{'' if n == 1 else 's'}"
            + ("" if np.isnan(v) else f", {v:.3f} ({a:.3f} to {b:.3f}) of the {whole}")
            for n, v, a, b in zip(*rows, strict=True)
        ]
        for rows in zip(counted.counts, shares, low, high, strict=True)
    ]
    heat = go.Heatmap(
        z=shares,
        colorscale=colorscale(inks),
        zmin=0,
        zmax=1,
        colorbar={"title": {"text": f"share of the {whole}", "side": "right"}, "thickness": 10, "len": 0.9},
    )
    return _figure(heat, counted.labels.classes, text, hover, inks, selected)


def difference(
    first: EvaluationRun, second: EvaluationRun, inks: Ink, *, selected: Position | None = None
) -> go.Figure:
    """Shares by true class of the first network minus those of the second; zero has the color of the background.

    Bold where the difference is significant. Raises EvaluationError for runs that cannot be paired.
    """
    compared = confusion_difference(first, second)
    shares, bold = compared.shares, compared.significant
    text = _words(shares, "{:+.2f}")
    text = [[f"<b>{t}</b>" if b else t for t, b in zip(*rows, strict=True)] for rows in zip(text, bold, strict=True)]
    hover = [
        [
            "not defined"
            if np.isnan(v)
            else with_minus_signs(f"{v:+.3f}, ") + ("measurable" if b else "no measurable difference")
            for v, b in zip(*rows, strict=True)
        ]
        for rows in zip(shares, bold, strict=True)
    ]
    known = np.abs(shares[~np.isnan(shares)])
    reach = max(0.1, float(known.max(initial=0)))  # so that a difference of 0.01 stays pale
    ends = ("#8C510A", "#01665E") if inks == LIGHT else ("#9A6B22", "#1F7A72")
    heat = go.Heatmap(
        z=shares,
        colorscale=[[0, ends[0]], [0.5, inks.paper], [1, ends[1]]],
        zmin=-reach,
        zmax=reach,
        colorbar={
            "title": {"text": "difference of shares", "side": "right"},
            "thickness": 10,
            "len": 0.9,
            "tickformat": ".2f",
        },
    )
    return _figure(heat, first.labels.classes, text, hover, inks, selected)


def numbers(counted: ConfusionMatrix) -> pd.DataFrame:
    """One row per cell, for a file."""
    classes = counted.labels.classes
    by_true, by_predicted = counted.by_true(), counted.by_predicted()
    of_true, of_predicted = counted.bounds_by_true(), counted.bounds_by_predicted()
    return pd.DataFrame(
        [
            {
                "true": a,
                "predicted": b,
                "images": int(counted.counts[i, j]),
                "share_of_true": by_true[i, j],
                "share_of_true_low": of_true[0][i, j],
                "share_of_true_high": of_true[1][i, j],
                "share_of_predicted": by_predicted[i, j],
                "share_of_predicted_low": of_predicted[0][i, j],
                "share_of_predicted_high": of_predicted[1][i, j],
            }
            for i, a in enumerate(classes)
            for j, b in enumerate(classes)
        ]
    )


def difference_numbers(first: EvaluationRun, second: EvaluationRun) -> pd.DataFrame:
    """One row per cell: both counts, the difference of the shares by true class, and whether it is measurable."""
    here, there = (numbers(ConfusionMatrix.from_run(r)) for r in (first, second))
    return pd.DataFrame(
        {
            "true": here["true"],
            "predicted": here["predicted"],
            f"images_{first.model_id}": here["images"],
            f"images_{second.model_id}": there["images"],
            "difference_of_shares": here["share_of_true"] - there["share_of_true"],
            "measurable": confusion_difference(first, second).significant.ravel(),
        }
    )


def _words(values: np.ndarray, form: str) -> list[list[str]]:
    return [
        [
            "" if np.isnan(v) else with_minus_signs(form.format(v).replace("-0.00", "0.00").replace("+0.00", "0.00"))
            for v in row
        ]
        for row in values
    ]


def _figure(
    heat: go.Heatmap,
    classes: tuple[str, ...],
    text: list[list[str]],
    hover: list[list[str]],
    inks: Ink,
    selected: Position | None,
) -> go.Figure:
    heat.update(x=classes, y=classes, text=text, hoverinfo="skip", xgap=1, ygap=1)
    figure = heatmap(heat, inks)
    cells = [(i, j) for i in range(len(classes)) for j in range(len(classes))]
    # Clicks on a heatmap are not reported: transparent squares above the cells receive them, and the hover.
    figure.add_scatter(
        x=[classes[j] for _, j in cells],
        y=[classes[i] for i, _ in cells],
        mode="markers",
        marker={"symbol": "square", "size": 280 // len(classes), "opacity": 0},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        customdata=[[i, j, hover[i][j]] for i, j in cells],
        hovertemplate="true %{y}, predicted %{x}<br>%{customdata[2]}<extra></extra>",
        showlegend=False,
    )
    if selected is not None:
        i, j = selected
        figure.add_shape(
            type="rect", x0=j - 0.5, x1=j + 0.5, y0=i - 0.5, y1=i + 0.5, line={"color": inks.text, "width": 2.5}
        )
    figure.update_layout(
        template=template(inks),
        height=400,
        margin=reserved(12, left=62, right=82, below=62),
        hovermode="closest",
        hoverdistance=-1,
        dragmode=False,
        # Without a range, the squares would add a margin around the matrix.
        xaxis={"title": "predicted", "showgrid": False, "tickangle": -40, "range": [-0.5, len(classes) - 0.5]},
        yaxis={"title": "true", "showgrid": False, "range": [len(classes) - 0.5, -0.5]},
    )
    return figure
