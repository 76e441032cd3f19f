"""How often each expression was predicted, by group, with intervals."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from core.batch.shares import ExpressionShares
from dashboard.plots.error_bars import whiskers
from dashboard.style import Ink, class_color, template

ROW_PX = 22
MAX_LABEL = 28


def by_group(shares: Sequence[ExpressionShares], inks: Ink) -> go.Figure:
    """One row per class and group: the share of the group's faces with its 95 % interval."""
    figure = go.Figure()
    several = len(shares) > 1
    names = list(shares[0].scores)
    labels = _labels(shares)
    for name in names:
        scores = [group.scores[name] for group in shares]
        figure.add_scatter(
            x=[score.value for score in scores],
            y=[[name] * len(shares), labels] if several else [name],
            error_x=whiskers(scores, inks.text, 1.3, 4),
            mode="markers",
            marker={"size": 11, "color": class_color(name), "line": {"color": inks.muted, "width": 0.8}},
            customdata=[
                [group.group, str(score), f"{group.faces:,}"] for group, score in zip(shares, scores, strict=True)
            ],
            hovertemplate=f"{name}: %{{customdata[1]}}<br>%{{customdata[2]}} faces<extra>%{{customdata[0]}}</extra>",
            showlegend=False,
        )
    highest = max(score.high for group in shares for score in group.scores.values())
    figure.update_layout(
        template=template(inks),
        height=ROW_PX * len(names) * len(shares) + 90,
        margin={"t": 12},
        xaxis={"title": "share of the faces", "range": [-0.02 * highest, 1.04 * highest], "tickformat": ".2f"},
        yaxis={"autorange": "reversed", "dividercolor": inks.faint},
    )
    return figure


def numbers(shares: Sequence[ExpressionShares]) -> pd.DataFrame:
    """One row per group and class, unrounded, for a file."""
    return pd.DataFrame(
        [
            {
                "group": group.group,
                "faces": group.faces,
                "photos": group.photos,
                "expression": name,
                "share": score.value,
                "low": score.low,
                "high": score.high,
            }
            for group in shares
            for name, score in group.scores.items()
        ]
    )


def _labels(shares: Sequence[ExpressionShares]) -> list[str]:
    """One label per group; the complete name where the end of another one is the same, because rows with the same label
    would be one."""
    short = [f"{shortened(group.group)} ({group.faces:,})" for group in shares]
    return [
        label if short.count(label) == 1 else f"{group.group} ({group.faces:,})"
        for group, label in zip(shares, short, strict=True)
    ]


def shortened(name: str) -> str:
    """The end of a long name of a folder, which distinguishes it best."""
    return name if len(name) <= MAX_LABEL else f"…{name[1 - MAX_LABEL :]}"
