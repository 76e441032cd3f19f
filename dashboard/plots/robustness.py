"""Accuracy by strength of each corruption, and the mean relative drop."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from core.evaluation.intervals import UNDEFINED
from core.robustness import CLEAN, CONDITIONS, CORRUPTIONS, STRENGTHS, Robustness
from dashboard.plots.error_bars import whiskers
from dashboard.style import Ink, NetworkStyle, reserved, template

COLUMNS = 3
PANEL_PX = 190
GAP_X, GAP_Y = 0.03, 0.09  # between the panels, as shares of the figure


def curves(
    found: Mapping[str, Robustness], styles: Mapping[str, NetworkStyle], names: Mapping[str, str], inks: Ink
) -> go.Figure:
    """One panel per corruption on one scale, one line per network; strength 0 is the clean images."""
    # Plain values, which Plotly validates once; with its functions for subplots it does so at every step.
    traces = [
        _line(of_network, model_id, name, place, styles[model_id], names[model_id])
        for model_id, of_network in found.items()
        for place, name in enumerate(CORRUPTIONS)
    ]
    highest = max(of_network.accuracy(*condition).high for of_network in found.values() for condition in CONDITIONS)
    layout = _panels(1.06 * highest, inks) | {
        "template": template(inks),
        "height": math.ceil(len(CORRUPTIONS) / COLUMNS) * PANEL_PX + 110,
        "legend": {"y": -0.12},
        "margin": reserved(52, left=37, below=102),
    }
    return go.Figure(traces, layout)


def _line(
    of_network: Robustness, model_id: str, name: str, place: int, style: NetworkStyle, title: str
) -> dict[str, Any]:
    """The accuracy of one network under one corruption, in the panel at that place."""
    graded = CORRUPTIONS[name]
    scores = [of_network.clean, *(of_network.accuracy(name, strength) for strength in STRENGTHS)]
    return {
        "type": "scatter",
        "xaxis": _axis("x", place),
        "yaxis": _axis("y", place),
        "x": [0, *STRENGTHS],
        "y": [score.value for score in scores],
        "error_y": whiskers(scores, style.color, 0.8),
        "mode": "lines+markers",
        "name": title,
        "legendgroup": model_id,
        "showlegend": place == 0,
        "line": {"dash": style.dash, "width": style.width, "color": style.color},
        "marker": {"symbol": style.symbol, "size": 7, "color": style.color},
        "customdata": ["clean", *(graded.shown(strength) for strength in STRENGTHS)],
        "hovertemplate": f"{graded.title} %{{x}}, %{{customdata}}: %{{y:.3f}}<extra>{title}</extra>",
    }


def _panels(highest: float, inks: Ink) -> dict[str, Any]:
    """The axes of all panels from left to right and from the top, on one scale, and their titles."""
    rows = math.ceil(len(CORRUPTIONS) / COLUMNS)
    width, height = (1 - (COLUMNS - 1) * GAP_X) / COLUMNS, (1 - (rows - 1) * GAP_Y) / rows
    layout: dict[str, Any] = {"annotations": []}
    for place, graded in enumerate(CORRUPTIONS.values()):
        row, column = divmod(place, COLUMNS)
        left, bottom = column * (width + GAP_X), (rows - 1 - row) * (height + GAP_Y)
        layout[_axis("xaxis", place)] = {
            "anchor": _axis("y", place),
            "domain": [left, min(1.0, left + width)],
            "range": [-0.3, STRENGTHS[-1] + 0.3],
            "tickvals": [0, *STRENGTHS],
            "showticklabels": row == rows - 1,
            "title": {"text": "strength" if row == rows - 1 else ""},
        }
        layout[_axis("yaxis", place)] = {
            "anchor": _axis("x", place),
            "domain": [bottom, min(1.0, bottom + height)],
            "range": [0, highest],
            "tickformat": ".1f",
            "showticklabels": column == 0,
            "title": {"text": "accuracy" if column == 0 else ""},
        }
        layout["annotations"].append(
            {
                "text": graded.title,
                "x": left + width / 2,
                "y": min(1.0, bottom + height),
                "xref": "paper",
                "yref": "paper",
                "xanchor": "center",
                "yanchor": "bottom",
                "showarrow": False,
                "font": {"size": 13, "color": inks.text},
            }
        )
    return layout


def _axis(letter: str, place: int) -> str:
    """Plotly's name of an axis: the first one has no number."""
    return letter if place == 0 else f"{letter}{place + 1}"


def drops(
    found: Mapping[str, Robustness], styles: Mapping[str, NetworkStyle], names: Mapping[str, str], inks: Ink
) -> go.Figure:
    """One row per network: its mean relative drop with the interval."""
    figure = go.Figure()
    scores = {model_id: of_network.relative_drop() for model_id, of_network in found.items()}
    bounds = [0.0, *(bound for drop in scores.values() if drop.defined for bound in (drop.low, drop.high))]
    room = 0.06 * ((max(bounds) - min(bounds)) or 1)
    for row, (model_id, drop) in enumerate(scores.items()):
        figure.add_scatter(
            x=[drop.value if drop.defined else None],
            y=[row],
            error_x=whiskers([drop], styles[model_id].color, 1.5, 5),
            mode="markers",
            marker={"symbol": styles[model_id].symbol, "size": 11, "color": styles[model_id].color},
            name=names[model_id],
            hovertemplate=f"{drop}<extra>{names[model_id]}</extra>",
            showlegend=False,
        )
    figure.update_layout(
        template=template(inks),
        height=44 * len(found) + 80,
        xaxis={
            "title": "mean relative drop of accuracy",
            "range": [min(bounds) - (room if min(bounds) < 0 else 0), max(bounds) + room],
            "tickformat": ".2f",
        },
        yaxis={
            "range": [len(found) - 0.4, -0.6],
            "tickvals": list(range(len(found))),
            "ticktext": [names[model_id] for model_id in found],
            "showgrid": False,
        },
    )
    return figure


def table(found: Mapping[str, Robustness], names: Mapping[str, str]) -> pd.DataFrame:
    """One row per network: clean accuracy, mean relative drop, and consistency between mirror images."""
    return pd.DataFrame(
        [
            {
                "network": names[model_id],
                "clean accuracy": str(of_network.clean),
                "mean relative drop": str(of_network.relative_drop()),
                "mirror consistency": str(of_network.mirror_consistency or UNDEFINED),
            }
            for model_id, of_network in found.items()
        ]
    )


def drop_table(found: Mapping[str, Robustness], names: Mapping[str, str]) -> pd.DataFrame:
    """One row per corruption, one column per network: the relative drop."""
    return pd.DataFrame(
        [
            {"corruption": graded.title} | {names[m]: str(of.relative_drop(name)) for m, of in found.items()}
            for name, graded in CORRUPTIONS.items()
        ]
    )


def settings() -> pd.DataFrame:
    """One row per corruption: the settings of its five strengths."""
    return pd.DataFrame(
        [
            {"corruption": graded.title, "unit": graded.unit}
            | {f"strength {strength}": f"{graded.settings[strength - 1]:g}" for strength in STRENGTHS}
            for graded in CORRUPTIONS.values()
        ]
    )


def numbers(found: Mapping[str, Robustness]) -> pd.DataFrame:
    """One row per network and condition, for a file."""
    return pd.concat([of_network.table() for of_network in found.values()])


def captions(name: str) -> list[str]:
    """The captions of the example at strengths 0 to 5."""
    return ["clean", *(f"strength {strength}: {CORRUPTIONS[name].shown(strength)}" for strength in STRENGTHS)]


def conditions(name: str) -> list[tuple[str, int]]:
    """The conditions of the example of one corruption, strengths 0 to 5."""
    return [CLEAN, *((name, strength) for strength in STRENGTHS)]
