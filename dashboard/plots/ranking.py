"""How well the probabilities rank the images, per class, and accuracy against computational cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.evaluation import ClassCurves, Curve, RunSummary, Score, pareto_front
from dashboard.plots.error_bars import whiskers
from dashboard.style import Ink, NetworkStyle, class_color, template

MACRO = "macro"
# Kind of curve: axis titles, and the name of the area under it.
AXES = {
    "ROC": ("false positive rate", "true positive rate", "AUC"),
    "precision-recall": ("recall", "precision", "average precision"),
}


def curves(
    of_networks: Mapping[str, ClassCurves],
    shown: Sequence[str],
    styles: Mapping[str, NetworkStyle],
    names: Mapping[str, str],
    inks: Ink,
    kind: str,
) -> go.Figure:
    """One line per network and class. ``shown`` are classes and "macro"; a class without images has no line.

    A hue denotes a class, a line style a network; the mean over the classes has the hue of the network.
    """
    figure = go.Figure()
    x_title, y_title, area = AXES[kind]
    if kind == "ROC":
        figure.add_scatter(
            x=[0, 1], y=[0, 1], mode="lines", line={"color": inks.faint, "width": 1}, hoverinfo="skip", showlegend=False
        )
    for model_id, of_classes in of_networks.items():
        for curve in (*of_classes.classes, of_classes.macro):
            if curve.name not in shown or not curve.area.defined:
                continue
            figure.add_scatter(
                x=curve.x,
                y=curve.y,
                mode="lines",
                name=f"{curve.name}, {names[model_id]}",
                line={
                    "dash": styles[model_id].dash,
                    "width": styles[model_id].width,
                    "color": styles[model_id].color if curve.name == MACRO else class_color(curve.name),
                },
                hovertemplate=f"{x_title} %{{x:.3f}}, {y_title} %{{y:.3f}}<br>{area} {curve.area}<extra>{curve.name}, "
                f"{names[model_id]}</extra>",
            )
    figure.update_layout(
        template=template(inks),
        height=460,
        xaxis={"range": [-0.01, 1.01], "title": x_title, "tickformat": ".1f"},
        yaxis={"range": [-0.01, 1.02], "title": y_title, "tickformat": ".1f"},
    )
    return figure


def areas(of_networks: Mapping[str, ClassCurves], names: Mapping[str, str]) -> pd.DataFrame:
    """The area under each curve with its interval: one row per class and one for the mean, one column per network."""
    first = next(iter(of_networks.values()))
    rows = [c.name for c in first.classes] + [MACRO]
    table = pd.DataFrame({"class": rows})
    for model_id, of_classes in of_networks.items():
        by_name = {c.name: c for c in (*of_classes.classes, of_classes.macro)}
        table[names[model_id]] = [str(by_name[r].area) if r in by_name else "not defined" for r in rows]
    return table


def curve_numbers(of_networks: Mapping[str, ClassCurves], kind: str) -> pd.DataFrame:
    """One row per point of a curve."""
    x_title, y_title, area = (title.replace(" ", "_") for title in AXES[kind])

    def points(model_id: str, curve: Curve) -> pd.DataFrame:
        columns = {"network": model_id, "class": curve.name, x_title: curve.x, y_title: curve.y}
        bounds = {f"{area}_low": curve.area.low, f"{area}_high": curve.area.high}
        return pd.DataFrame(columns | {area: curve.area.value} | bounds)

    return pd.concat(
        points(m, c) for m, of_classes in of_networks.items() for c in (*of_classes.classes, of_classes.macro)
    )


def top_k(
    scores: Mapping[str, Sequence[Score]], styles: Mapping[str, NetworkStyle], names: Mapping[str, str], inks: Ink
) -> go.Figure:
    """Share of images whose true class is among the k most probable, with intervals; networks are slightly offset."""
    figure = go.Figure()
    for position, (model_id, of_k) in enumerate(scores.items()):
        style = styles[model_id]
        offset = (position - (len(scores) - 1) / 2) * 0.08
        figure.add_scatter(
            x=[k + offset for k in range(1, len(of_k) + 1)],
            y=[s.value for s in of_k],
            error_y=whiskers(of_k, style.color),
            mode="lines+markers",
            name=names[model_id],
            line={"dash": style.dash, "width": style.width, "color": style.color},
            marker={"symbol": style.symbol, "size": 9, "color": style.color},
            customdata=[[k, str(s)] for k, s in enumerate(of_k, 1)],
            hovertemplate="top %{customdata[0]}: %{customdata[1]}<extra>" + names[model_id] + "</extra>",
        )
    lowest = min((s.low for of_k in scores.values() for s in of_k if s.defined), default=0.0)
    figure.update_layout(
        template=template(inks),
        height=420,
        xaxis={"title": "k", "dtick": 1},
        yaxis={"title": "true class among the k most probable", "range": [max(0, lowest - 0.03), 1.01]},
    )
    return figure


def top_k_numbers(scores: Mapping[str, Sequence[Score]]) -> pd.DataFrame:
    """One row per network and k."""
    return pd.DataFrame(
        [
            {"network": m, "k": k, "accuracy": s.value, "low": s.low, "high": s.high}
            for m, of_k in scores.items()
            for k, s in enumerate(of_k, 1)
        ]
    )


def cost(
    summaries: Mapping[str, RunSummary],
    costs: Mapping[str, float],
    styles: Mapping[str, NetworkStyle],
    names: Mapping[str, str],
    inks: Ink,
    title: str,
) -> go.Figure:
    """Accuracy with its interval against a cost on a logarithmic axis, and the line through the Pareto front."""
    figure = go.Figure()
    table = cost_numbers(summaries, costs)
    front = table[table["pareto"]].sort_values("cost")
    figure.add_scatter(
        x=front["cost"],
        y=front["accuracy"],
        mode="lines",
        name="Pareto front",
        line={"shape": "hv", "color": inks.muted, "width": 1.5},
        hoverinfo="skip",
    )
    for model_id, summary in summaries.items():
        score = summary.accuracy
        figure.add_scatter(
            x=[costs[model_id]],
            y=[score.value],
            error_y=whiskers([score], styles[model_id].color, 1.2, 5),
            mode="markers",
            name=names[model_id],
            marker={"symbol": styles[model_id].symbol, "size": 13, "color": styles[model_id].color},
            hovertemplate=f"%{{x:.3s}} {title}<br>accuracy {score}<extra>{names[model_id]}</extra>",
        )
    known = table["cost"].to_numpy(float)
    low, high = known.min() / 1.5, known.max() * 1.5
    ticks = [m * 10.0**e for e in range(-3, 12) for m in (1, 2, 5) if low <= m * 10.0**e <= high]
    figure.update_layout(
        template=template(inks),
        height=420,
        xaxis={
            "title": title,
            "type": "log",
            "range": [np.log10(low), np.log10(high)],
            "tickvals": ticks,
            "ticktext": [f"{t / 1e6:,g} M" if t >= 1e5 else f"{t:,g}" for t in ticks],
        },
        yaxis={"title": "accuracy", "tickformat": ".2f"},
    )
    return figure


def cost_numbers(summaries: Mapping[str, RunSummary], costs: Mapping[str, float]) -> pd.DataFrame:
    """One row per network: cost, accuracy, and whether it is Pareto-optimal."""
    scores = [s.accuracy for s in summaries.values()]
    return pd.DataFrame(
        {
            "network": list(summaries),
            "cost": [costs[m] for m in summaries],
            "accuracy": [s.value for s in scores],
            "low": [s.low for s in scores],
            "high": [s.high for s in scores],
            "pareto": pareto_front(np.array([costs[m] for m in summaries]), np.array([s.value for s in scores])),
        }
    )
