"""Confidence against accuracy, and what is gained where a network may be silent."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from core.evaluation import Abstention, EvaluationRun, ReliabilityDiagram, RiskCoverage, RunSummary, brier, nll
from core.inference import ENSEMBLE
from dashboard.style import Form, Ink, template


def uncalibrated(run: EvaluationRun) -> EvaluationRun | None:
    """The run before temperature scaling; None for the ensemble, whose members are scaled one by one."""
    return None if run.model_id == ENSEMBLE else run.uncalibrated


def reliability(
    diagrams: Mapping[str, ReliabilityDiagram], forms: Mapping[str, Form], names: Mapping[str, str], inks: Ink
) -> go.Figure:
    """Accuracy by confidence, one line a network, with Wilson's intervals; on the diagonal confidence is deserved."""
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
        form = forms[model_id]
        figure.add_scatter(
            x=diagram.confidence,
            y=diagram.accuracy,
            error_y={
                "array": diagram.high - diagram.accuracy,
                "arrayminus": diagram.accuracy - diagram.low,
                "color": inks.muted,
                "thickness": 0.8,
                "width": 0,
            },
            mode="lines+markers",
            name=names[model_id],
            line={"dash": form.dash, "width": form.width, "color": inks.text},
            marker={"symbol": form.symbol, "size": 8, "color": inks.text},
            customdata=diagram.count,
            hovertemplate="confidence %{x:.3f}, accuracy %{y:.3f}<br>%{customdata:,} images<extra>"
            + names[model_id]
            + "</extra>",
        )
    figure.update_layout(
        template=template(inks),
        height=420,
        xaxis={"range": [0, 1.02], "title": "confidence (mean of the bin)", "tickformat": ".1f"},
        yaxis={"range": [0, 1.02], "title": "accuracy", "tickformat": ".1f"},
    )
    return figure


def risk_coverage(
    curves: Mapping[str, RiskCoverage],
    chosen: Mapping[str, Abstention],
    forms: Mapping[str, Form],
    names: Mapping[str, str],
    inks: Ink,
) -> go.Figure:
    """Share of wrong answers by share of images answered, the most confident first; ``chosen`` are marked."""
    figure = go.Figure()
    for model_id, curve in curves.items():
        form = forms[model_id]
        figure.add_scatter(
            x=curve.coverages,
            y=curve.risks,
            mode="lines",
            name=f"{names[model_id]}, AURC {curve.area}",
            line={"dash": form.dash, "width": form.width, "color": inks.text},
            hovertemplate="answers %{x:.3f}, wrong among them %{y:.3f}<extra>" + names[model_id] + "</extra>",
        )
        at = chosen[model_id]
        if at.accuracy.defined:
            figure.add_scatter(
                x=[at.coverage.value],
                y=[1 - at.accuracy.value],
                mode="markers",
                marker={
                    "symbol": form.symbol,
                    "size": 12,
                    "color": inks.text,
                    "line": {"color": inks.paper, "width": 1.5},
                },
                hovertemplate=f"confidence ≥ {at.threshold:.2f}: answers %{{x:.3f}}, wrong %{{y:.3f}}<extra>"
                + names[model_id]
                + "</extra>",
                showlegend=False,
            )
    figure.update_layout(
        template=template(inks),
        height=420,
        xaxis={"range": [0, 1.02], "title": "coverage (share answered)", "tickformat": ".1f"},
        yaxis={"rangemode": "tozero", "title": "risk (share wrong)", "tickformat": ".2f"},
    )
    return figure


def table(
    runs: Mapping[str, EvaluationRun],
    before: Mapping[str, EvaluationRun | None],
    summaries: Mapping[str, RunSummary],
    curves: Mapping[str, RiskCoverage],
    names: Mapping[str, str],
) -> pd.DataFrame:
    """One row a network: ECE, NLL and Brier's score before temperature (:func:`uncalibrated`) and after, and AURC."""
    rows = []
    for model_id, run in runs.items():
        after, raw = summaries[model_id], before[model_id]
        rows.append(
            {
                "network": names[model_id],
                "temperature": f"{run.temperature:.3f}" if raw else "its members'",
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


def silence(chosen: Mapping[str, Abstention], names: Mapping[str, str]) -> pd.DataFrame:
    """How often each network answers at a threshold, and how often it is then right."""
    return pd.DataFrame(
        [
            {"network": names[m], "answers": str(a.coverage), "right among them": str(a.accuracy)}
            for m, a in chosen.items()
        ]
    )


def reliability_numbers(diagrams: Mapping[str, ReliabilityDiagram], state: str) -> pd.DataFrame:
    """One row a network and bin; ``state`` is "before" or "after" temperature."""
    columns = ("confidence", "accuracy", "low", "high", "count")
    frames = [
        pd.DataFrame({c: getattr(d, c) for c in columns}).assign(network=m, temperature=state)
        for m, d in diagrams.items()
    ]
    return pd.concat(frames) if frames else pd.DataFrame()


def risk_numbers(curves: Mapping[str, RiskCoverage]) -> pd.DataFrame:
    """One row a network and point of its curve."""
    return pd.concat(
        pd.DataFrame({"network": m, "coverage": c.coverages, "risk": c.risks, "area": c.area})
        for m, c in curves.items()
    )
