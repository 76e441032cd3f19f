"""Precision, recall and F1 of each class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from core.evaluation import ClassScores
from dashboard.plots.error_bars import row_offsets, row_px, whiskers
from dashboard.section import counted
from dashboard.style import Ink, NetworkStyle, class_color, template

F1, PRECISION, RECALL = MEASURES = ("F1", "precision", "recall")


def marks(
    scores: Mapping[str, Sequence[ClassScores]],
    styles: Mapping[str, NetworkStyle],
    names: Mapping[str, str],
    inks: Ink,
    measure: str,
) -> go.Figure:
    """One row per class, one mark per network with its 95 % interval. ``measure`` is one of MEASURES.

    A hue denotes a class, a marker a network. A class without images has no mark.
    """
    figure = go.Figure()
    for offset, (model_id, of_classes) in zip(row_offsets(len(scores)), scores.items(), strict=True):
        values = [getattr(s, measure.lower()) for s in of_classes]
        figure.add_scatter(
            y=[row + offset for row in range(len(of_classes))],
            x=[v.value if v.defined else None for v in values],
            error_x=whiskers(values, inks.muted),
            mode="markers",
            name=names[model_id],
            marker={
                "symbol": styles[model_id].symbol,
                "size": 10,
                "color": [class_color(s.class_name) for s in of_classes],
                "line": {"color": inks.text, "width": 1.1},
            },
            customdata=[
                [s.class_name, str(v), counted(s.support, "image")] for s, v in zip(of_classes, values, strict=True)
            ],
            hovertemplate="%{customdata[0]}: %{customdata[1]}, %{customdata[2]}<extra>" + names[model_id] + "</extra>",
            showlegend=False,
        )
        # The legend shows the marker without a hue, because hues denote classes.
        figure.add_scatter(
            y=[None],
            x=[None],
            mode="markers",
            name=names[model_id],
            marker={"symbol": styles[model_id].symbol, "size": 10, "color": inks.muted},
        )
    first = next(iter(scores.values()))
    figure.update_layout(
        template=template(inks),
        height=row_px(len(scores), 52) * len(first) + 100,
        xaxis={"range": [0, 1.02], "title": measure, "tickformat": ".1f"},
        yaxis={
            "autorange": "reversed",
            "tickvals": list(range(len(first))),
            "ticktext": [s.class_name for s in first],
        },
    )
    return figure


def table(scores: Mapping[str, Sequence[ClassScores]], names: Mapping[str, str]) -> pd.DataFrame:
    """One row per network and class."""
    return pd.DataFrame(
        [
            {
                "network": names[model_id],
                "class": s.class_name,
                "precision": str(s.precision),
                "recall": str(s.recall),
                "F1": str(s.f1),
                "images": s.support,
            }
            for model_id, of_classes in scores.items()
            for s in of_classes
        ]
    )


def numbers(scores: Mapping[str, Sequence[ClassScores]]) -> pd.DataFrame:
    """One row per network, class and measure, unrounded, for a file."""
    return pd.DataFrame(
        [
            {"network": model_id, "class": s.class_name, "measure": measure, **getattr(s, measure.lower()).to_json()}
            for model_id, of_classes in scores.items()
            for s in of_classes
            for measure in MEASURES
        ]
    )
