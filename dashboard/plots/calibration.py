"""Confidence against accuracy, and accuracy where uncertain predictions are withheld."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from core.evaluation import Abstention, EvaluationRun, ReliabilityDiagram, RiskCoverage, RunSummary, brier, nll
from dashboard.plots.error_bars import error_bars
from dashboard.style import Ink, NetworkStyle, reserved, template


def reliability(
    diagrams: Mapping[str, ReliabilityDiagram], styles: Mapping[str, NetworkStyle], names: Mapping[str, str], inks: Ink
) -> go.Figure:
    """Accuracy by confidence with Wilson intervals, one line per network; the diagonal is perfect calibration."""
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": inks.muted, "width": 1},
        hoverinfo="skip",
        showlegend=False,
    )
    for model_id, diagram in diagrams.items():
        style = styles[model_id]
        figure.add_scatter(
            x=diagram.confidence,
            y=diagram.accuracy,
            error_y=error_bars(diagram.accuracy, diagram.low, diagram.high, style.color, 0.8),
            mode="lines+markers",
            name=names[model_id],
            line={"dash": style.dash, "width": style.width, "color": style.color},
            marker={"symbol": style.symbol, "size": 8, "color": style.color},
            customdata=diagram.count,
            hovertemplate="confidence %{x:.3f}, accuracy %{y:.3f}<br>%{customdata:,} images<extra>"
            + names[model_id]
            + "</extra>",
        )
    figure.update_layout(
        template=template(inks),
        height=420,
        margin=reserved(left=37, below=93),
        xaxis={"range": [0, 1.02], "title": "confidence (mean of the bin)", "tickformat": ".1f"},
        yaxis={"range": [0, 1.02], "title": "accuracy", "tickformat": ".1f"},
    )
    return figure


def risk_coverage(
    curves: Mapping[str, RiskCoverage],
    chosen: Mapping[str, Abstention],
    styles: Mapping[str, NetworkStyle],
    names: Mapping[str, str],
    inks: Ink,
) -> go.Figure:
    """Share of wrong predictions by share of images predicted, the most confident first; ``chosen`` are marked."""
    figure = go.Figure()
    for model_id, curve in curves.items():
        style = styles[model_id]
        figure.add_scatter(
            x=curve.coverages,
            y=curve.risks,
            mode="lines",
            name=f"{names[model_id]}, AURC {curve.area}",
            line={"dash": style.dash, "width": style.width, "color": style.color},
            hovertemplate="coverage %{x:.3f}, risk %{y:.3f}<extra>" + names[model_id] + "</extra>",
        )
        at = chosen[model_id]
        if at.accuracy.defined:
            figure.add_scatter(
                x=[at.coverage.value],
                y=[1 - at.accuracy.value],
                mode="markers",
                marker={
                    "symbol": style.symbol,
                    "size": 12,
                    "color": style.color,
                    "line": {"color": inks.paper, "width": 1.5},
                },
                hovertemplate=f"confidence ≥ {at.threshold:.2f}: coverage %{{x:.3f}}, risk %{{y:.3f}}<extra>"
                + names[model_id]
                + "</extra>",
                showlegend=False,
            )
    figure.update_layout(
        template=template(inks),
        height=420,
        margin=reserved(left=43, below=93),
        xaxis={"range": [0, 1.02], "title": "coverage (share predicted)", "tickformat": ".1f"},
        yaxis={"rangemode": "tozero", "title": "risk (share wrong)", "tickformat": ".2f"},
    )
    return figure


def table(
    runs: Mapping[str, EvaluationRun],
    before: Mapping[str, EvaluationRun],
    summaries: Mapping[str, RunSummary],
    curves: Mapping[str, RiskCoverage],
    names: Mapping[str, str],
) -> pd.DataFrame:
    """One row per network: ECE, NLL and Brier score before and after temperature scaling, and AURC.

    An ensemble is the mean of scaled networks and is not in ``before``.
    """
    rows = []
    for model_id, run in runs.items():
        after, raw = summaries[model_id], before.get(model_id)
        rows.append(
            {
                "network": names[model_id],
                "temperature": f"{run.temperature:.3f}" if raw else "that of each network",
                "ECE before": str(after.ece_before) if raw else "not defined",
                "ECE after": str(after.ece),
                "NLL before": str(nll(raw)) if raw else "not defined",
                "NLL after": str(after.nll),
                "Brier before": str(brier(raw)) if raw else "not defined",
                "Brier after": str(after.brier),
                "AURC": str(curves[model_id].area),
            }
        )
    return pd.DataFrame(rows)


def abstention_table(chosen: Mapping[str, Abstention], names: Mapping[str, str]) -> pd.DataFrame:
    """The coverage of each network at a threshold, and its accuracy on the images that remain."""
    return pd.DataFrame(
        [{"network": names[m], "coverage": str(a.coverage), "accuracy": str(a.accuracy)} for m, a in chosen.items()]
    )


def reliability_numbers(diagrams: Mapping[str, ReliabilityDiagram], state: str) -> pd.DataFrame:
    """One row per network and bin; ``state`` is "before" or "after" temperature scaling."""
    columns = ("confidence", "accuracy", "low", "high", "count")
    frames = [
        pd.DataFrame({c: getattr(d, c) for c in columns}).assign(network=m, temperature=state)
        for m, d in diagrams.items()
    ]
    return pd.concat(frames) if frames else pd.DataFrame()


def risk_numbers(curves: Mapping[str, RiskCoverage]) -> pd.DataFrame:
    """One row per network and point of its curve."""
    return pd.concat(
        pd.DataFrame({"network": m, "coverage": c.coverages, "risk": c.risks, "area": c.area})
        for m, c in curves.items()
    )
