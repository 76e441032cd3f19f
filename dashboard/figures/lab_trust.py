"""Figures of the trust panel: deletion and insertion, agreement between methods, maps under random weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.explain import FaithfulnessCurves
from core.inference import Measures, MethodAgreement, Trust
from dashboard.theme import Form, Ink, template

BETTER, CHANCE, UNTESTED = "better than chance", "no better than chance", "not tested"


def curves(found: FaithfulnessCurves, colour: str, form: Form, inks: Ink) -> go.Figure:
    """Probability while the marked part is taken away (falling is good) or brought back (rising is good)."""
    figure = go.Figure()
    for name, values, strong in (("deletion", found.deletion, False), ("insertion", found.insertion, True)):
        area = found.insertion_area if strong else found.deletion_area
        figure.add_scatter(
            x=found.fractions,
            y=values,
            mode="lines+markers",
            name=f"{name}, area {area:.3f}",
            line={"color": colour if strong else inks.muted, "dash": form.dash, "width": form.width},
            marker={"symbol": form.symbol if strong else f"{form.symbol}-open", "size": 5},
            hovertemplate="%{x:.0%} of the pixels: %{y:.3f}<extra>" + name + "</extra>",
        )
    figure.update_layout(
        template=template(inks),
        height=270,
        xaxis={"title": "part of the pixels changed", "tickformat": ".0%", "range": [-0.02, 1.02]},
        yaxis={"title": "probability", "range": [-0.02, 1.02], "tickformat": ".1f"},
        # Above the curves, where it grows upwards instead of over the axis.
        legend={"y": 1.02, "yanchor": "bottom"},
    )
    return figure


def agreement(found: MethodAgreement, inks: Ink) -> go.Figure:
    """Rank correlation of each pair of methods; zero in the middle of the scale."""
    text = [["–" if np.isnan(v) else f"{v:.2f}" for v in row] for row in found.correlation]
    names = [m.replace(" = ", "<br>= ") for m in found.methods]
    short = [m.split(" = ")[0] + (" = …" if " = " in m else "") for m in found.methods]
    figure = go.Figure(
        go.Heatmap(
            z=found.correlation,
            x=short,
            y=names,
            text=text,
            texttemplate="%{text}",
            textfont={"size": 11},
            colorscale="RdBu",
            zmin=-1,
            zmax=1,
            showscale=False,
            xgap=1,
            ygap=1,
            hovertemplate="%{y}, %{x}: %{z:.3f}<extra></extra>",
        )
    )
    figure.update_layout(
        template=template(inks),
        height=46 * len(names) + 130,
        xaxis={"tickangle": -40, "showgrid": False},
        yaxis={"autorange": "reversed", "showgrid": False},
    )
    return figure


def sanity(
    found: Mapping[str, Sequence[tuple[str, float]]], forms: Mapping[str, Form], names: Mapping[str, str], inks: Ink
) -> go.Figure:
    """Correlation with the learnt map as layers become random, from the head downwards; a line a network."""
    figure = go.Figure()
    for model_id, layers in found.items():
        form = forms[model_id]
        figure.add_scatter(
            x=list(range(1, len(layers) + 1)),
            y=[value for _, value in layers],
            customdata=[layer for layer, _ in layers],
            mode="lines+markers",
            name=names[model_id],
            line={"dash": form.dash, "width": form.width, "color": inks.text},
            marker={"symbol": form.symbol, "size": 8, "color": inks.text},
            hovertemplate="random down to %{customdata}: %{y:.3f}<extra>" + names[model_id] + "</extra>",
        )
    figure.add_hline(y=0, line={"color": inks.muted, "width": 1})
    figure.update_layout(
        template=template(inks),
        height=300,
        xaxis={"title": "layers with random weights, counted from the head", "dtick": 1},
        yaxis={"title": "rank correlation", "range": [-1.02, 1.05], "tickformat": ".1f"},
        legend={"y": -0.34},
    )
    return figure


def verdict(found: Measures) -> str:
    """What the chance test says of a map."""
    if not isinstance(found, Trust):
        return UNTESTED
    return BETTER if found.chance.better_than_chance else CHANCE


def table(found: Mapping[str, Measures], names: Mapping[str, str]) -> pd.DataFrame:
    """One row a network, every measure with three decimals."""
    return pd.DataFrame(
        [
            {
                "network": names[model_id],
                "chance test": verdict(of),
                "insertion − deletion": f"{of.chance.score:.3f}" if isinstance(of, Trust) else "–",
                "shuffled maps, 95th percentile": f"{of.chance.percentile_95:.3f}" if isinstance(of, Trust) else "–",
                "deletion area": f"{of.curves.deletion_area:.3f}",
                "insertion area": f"{of.curves.insertion_area:.3f}",
                "ROAD": f"{of.road.score:.3f}",
                "drop, marked tenth hidden": f"{of.drop.drop:.3f}",
            }
            for model_id, of in found.items()
        ]
    )
