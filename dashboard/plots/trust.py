"""How far a map can be trusted: deletion and insertion, ROAD, agreement between methods, randomized weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.explain import ChanceResult, FaithfulnessCurves, RandomizationStep
from core.explain.faithfulness import CHANCE_STEPS
from core.probes import FaithfulnessMeasures, MethodAgreement, TrustFindings
from dashboard.plots.cells import heatmap
from dashboard.section import with_minus_signs
from dashboard.style import Ink, NetworkStyle, template

BETTER, CHANCE, UNTESTED = "better than chance", "no better than chance", "not tested"
NO_MAP = "no map to compare"


def curves(found: FaithfulnessCurves, color: str, style: NetworkStyle, inks: Ink) -> go.Figure:
    """Probability while the highest cells are blurred (falling is good) or restored (rising is good).

    Insertion has the color of the class; deletion is faint, with hollow markers.
    """
    figure = go.Figure()
    lines = (
        (f"deletion, area {found.deletion_area:.3f}", found.deletion, inks.muted, f"{style.symbol}-open"),
        (f"insertion, area {found.insertion_area:.3f}", found.insertion, color, style.symbol),
    )
    for name, values, line_color, symbol in lines:
        figure.add_scatter(
            x=found.fractions,
            y=values,
            mode="lines+markers",
            name=name,
            line={"color": line_color, "dash": style.dash, "width": style.width},
            marker={"symbol": symbol, "size": 5},
            customdata=100 * np.asarray(found.fractions),
            hovertemplate="%{customdata:.0f} % of the pixels: %{y:.3f}<extra>" + name.split(",")[0] + "</extra>",
        )
    figure.update_layout(
        template=template(inks),
        height=270,
        xaxis={
            "title": "fraction of the pixels changed",
            "tickvals": [0, 0.2, 0.4, 0.6, 0.8, 1],
            "ticktext": ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"],
            "range": [-0.02, 1.02],
        },
        margin={"r": 28},  # for the label of the last tick
        yaxis={"title": "probability", "range": [-0.02, 1.02], "tickformat": ".1f"},
        # Above the curves, where it grows upward instead of over the axis.
        legend={"y": 1.02, "yanchor": "bottom"},
    )
    return figure


def agreement(found: MethodAgreement, inks: Ink) -> go.Figure:
    """Rank correlation of each pair of methods; zero is in the middle of the color scale."""
    text = [["–" if np.isnan(v) else with_minus_signs(f"{v:.2f}") for v in row] for row in found.correlation]
    names = [m.replace(" = ", "<br>= ") for m in found.methods]
    short = [m.split(" = ")[0] + (" = …" if " = " in m else "") for m in found.methods]
    figure = heatmap(
        go.Heatmap(
            z=found.correlation,
            x=short,
            y=names,
            text=text,
            colorscale="RdBu",
            zmin=-1,
            zmax=1,
            showscale=False,
            xgap=1,
            ygap=1,
            hovertemplate="%{y}, %{x}: %{z:.3f}<extra></extra>",
        ),
        inks,
    )
    figure.update_layout(
        template=template(inks),
        height=46 * len(names) + 130,
        xaxis={"tickangle": -40, "showgrid": False},
        yaxis={"autorange": "reversed", "showgrid": False},
    )
    return figure


def randomization(
    found: Mapping[str, Sequence[RandomizationStep]],
    styles: Mapping[str, NetworkStyle],
    names: Mapping[str, str],
    inks: Ink,
) -> go.Figure:
    """Correlation with the learned map as layers are randomized from the head downward, one line per network; a line
    has a gap where there is no map to compare."""
    figure = go.Figure()
    for model_id, steps in found.items():
        style = styles[model_id]
        figure.add_scatter(
            x=list(range(1, len(steps) + 1)),
            y=[step.correlation for step in steps],
            customdata=[step.layer for step in steps],
            mode="lines+markers",
            name=names[model_id],
            line={"dash": style.dash, "width": style.width, "color": style.color},
            marker={"symbol": style.symbol, "size": 8, "color": style.color},
            hovertemplate="randomized down to %{customdata}: %{y:.3f}<extra>" + names[model_id] + "</extra>",
        )
    figure.add_hline(y=0, line={"color": inks.muted, "width": 1})
    figure.update_layout(
        template=template(inks),
        height=300,
        xaxis={"title": "randomized layers, counted from the head", "dtick": 1},
        yaxis={"title": "rank correlation", "range": [-1.02, 1.05], "tickformat": ".1f"},
        legend={"y": -0.34},
    )
    return figure


def randomization_table(found: Mapping[str, Sequence[RandomizationStep]], names: Mapping[str, str]) -> pd.DataFrame:
    """One row per network: its rank correlation with the most randomized layers, and the layers without a map.

    A layer below which no map is left says nothing about the method, so the correlation is that of the lowest layer
    with a map.
    """
    rows = []
    for model_id, steps in found.items():
        compared = [step for step in steps if step.has_map]
        rows.append(
            {
                "network": names[model_id],
                "randomized down to": compared[-1].layer if compared else "–",
                "rank correlation": f"{compared[-1].correlation:.3f}" if compared else NO_MAP,
                NO_MAP: ", ".join(step.layer for step in steps if not step.has_map) or "–",
            }
        )
    return pd.DataFrame(rows)


def chance_verdict(chance: ChanceResult | None) -> str:
    """The result of the chance test of a map."""
    if chance is None:
        return UNTESTED
    return f"{BETTER if chance.better_than_chance else CHANCE} (p = {chance.p_value:.2f})"


def chance_sentence(chance: ChanceResult | None) -> str:
    """The numbers behind :func:`chance_verdict`; empty if it was not tested."""
    if chance is None:
        return ""
    return with_minus_signs(
        f"Insertion − deletion {chance.score:.3f} in {chance.steps} steps; 95 % of {chance.copies} moved copies stay "
        f"below {chance.percentile_95:.3f} (p = {chance.p_value:.2f})."
    )


def table(found: Mapping[str, TrustFindings], names: Mapping[str, str]) -> pd.DataFrame:
    """One row per network, every measure with three decimals. Areas are named with the number of steps: the maps of the
    chance test are measured in fewer."""
    rows = []
    for model_id, findings in found.items():
        of, tested = findings.measures, findings.chance
        if of is None:
            continue
        coarse = f"in {tested.steps if tested else CHANCE_STEPS} steps"
        fine = f"in {of.curves.steps} steps"
        rows.append(
            {
                "network": names[model_id],
                "chance test": chance_verdict(tested),
                f"insertion − deletion, {coarse}": f"{tested.score:.3f}" if tested else "–",
                f"moved copies, 95th percentile, {coarse}": f"{tested.percentile_95:.3f}" if tested else "–",
                f"deletion area, {fine}": f"{of.curves.deletion_area:.3f}",
                f"insertion area, {fine}": f"{of.curves.insertion_area:.3f}",
                "ROAD": f"{of.road.score:.3f}",
                "drop, highest tenth hidden": f"{of.drop.drop:.3f}",
            }
        )
    return pd.DataFrame(rows)


def numbers(found: Mapping[str, TrustFindings], names: Mapping[str, str]) -> pd.DataFrame:
    """Every measured number in one row: network, measure, at, steps, value.

    ``at`` is the fraction of the pixels changed for a point of a curve, the two methods of a rank correlation, the
    layer down to which weights are randomized, and empty otherwise; ``steps`` belongs to areas. ``value`` is a
    probability, an area or a correlation, and 1 (better than chance) or 0 for the chance test; it is empty where there
    is no map to compare.
    """
    rows: list[tuple[str, str, float | str, int | str, float]] = []
    for model_id, of in found.items():
        rows += [(names[model_id], *row) for row in (*_of_measures(of.measures, of.chance), *_of_correlations(of))]
    return pd.DataFrame(rows, columns=["network", "measure", "at", "steps", "value"])


def _of_measures(
    found: FaithfulnessMeasures | None, tested: ChanceResult | None
) -> list[tuple[str, float | str, int | str, float]]:
    if found is None:
        return []
    curves, steps = found.curves, found.curves.steps
    rows: list[tuple[str, float | str, int | str, float]] = [
        ("deletion area", "", steps, curves.deletion_area),
        ("insertion area", "", steps, curves.insertion_area),
        ("ROAD", "", "", found.road.score),
        ("drop, highest tenth hidden", "", "", found.drop.drop),
    ]
    if tested is not None:
        rows += [
            ("chance test: insertion − deletion", "", tested.steps, tested.score),
            (f"chance test: 95th percentile of {tested.copies} moved copies", "", tested.steps, tested.percentile_95),
            ("chance test: p value", "", tested.steps, tested.p_value),
            ("chance test: better than chance", "", tested.steps, int(tested.better_than_chance)),
        ]
    points = (
        ("deletion", curves.fractions, curves.deletion),
        ("insertion", curves.fractions, curves.insertion),
        ("ROAD, most relevant first", found.road.fractions, found.road.most_relevant_first),
        ("ROAD, least relevant first", found.road.fractions, found.road.least_relevant_first),
    )
    for name, fractions, values in points:
        rows += [(name, float(at), "", float(value)) for at, value in zip(fractions, values, strict=True)]
    return rows


def _of_correlations(found: TrustFindings) -> list[tuple[str, float | str, int | str, float]]:
    rows: list[tuple[str, float | str, int | str, float]] = []
    if found.agreement is not None:
        methods, correlation = found.agreement.methods, found.agreement.correlation
        for i, j in zip(*np.triu_indices(len(methods), 1), strict=True):
            rows.append(("rank correlation of methods", f"{methods[i]}, {methods[j]}", "", float(correlation[i, j])))
    for step in found.randomization or ():
        measure = "rank correlation, weights randomized from the head down to"
        rows.append((measure if step.has_map else f"{measure} ({NO_MAP})", step.layer, "", step.correlation))
    return rows
