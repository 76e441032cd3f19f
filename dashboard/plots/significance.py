"""Differences between networks with their intervals, and what the tests say in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd
import plotly.graph_objects as go

from core.evaluation import Comparison, Score
from dashboard.plots.error_bars import whiskers
from dashboard.style import Ink, template


def differences(
    pairs: Sequence[Comparison], rows: Sequence[str], inks: Ink, *, title: str = "difference in accuracy"
) -> go.Figure:
    """One row a pair, the bootstrap interval around its difference; filled where the difference is measurable.

    ``rows`` names the pairs. Right of the zero line the first of a pair is the better one.
    """
    values = [p.difference for p in pairs]
    reach = max([0.01, *(abs(b) for v in values for b in (v.low, v.high, v.value) if b == b)]) * 1.15
    figure = go.Figure(
        go.Scatter(
            x=[v.value for v in values],
            y=list(range(len(values))),
            error_x=whiskers(values, inks.text, 1.5, 5),
            mode="markers",
            marker={
                "size": 11,
                "color": inks.text,
                "symbol": ["circle" if p.significant else "circle-open" for p in pairs],
                "line": {"width": 1.5, "color": inks.text},
            },
            customdata=[[signed(p.difference), p.first_only, p.second_only, p_value(p.p_holm)] for p in pairs],
            hovertemplate="%{customdata[0]}<br>only the first right: %{customdata[1]:,}, only the second: "
            "%{customdata[2]:,}<br>corrected %{customdata[3]}<extra></extra>",
            showlegend=False,
        )
    )
    figure.add_vline(x=0, line={"color": inks.muted, "width": 1.5})
    figure.update_layout(
        template=template(inks),
        height=58 * len(pairs) + 80,
        xaxis={"range": [-reach, reach], "title": title, "tickformat": "+.3~f"},
        yaxis={
            "range": [len(pairs) - 0.4, -0.6],
            "tickvals": list(range(len(pairs))),
            "ticktext": list(rows),
            "showgrid": False,
        },
    )
    return figure


def table(pairs: Sequence[Comparison], names: Mapping[str, str]) -> pd.DataFrame:
    """One row a pair, as it is read on the screen."""
    return pd.DataFrame(
        [
            {
                "first": names[p.first],
                "second": names[p.second],
                "accuracy, first − second": signed(p.difference),
                "only first right": p.first_only,
                "only second right": p.second_only,
                "p (McNemar)": shown_p(p.p_value),
                "p (Holm)": shown_p(p.p_holm),
                "images for 80 % power": f"{p.images_needed:,}" if p.images_needed else "not defined",
            }
            for p in pairs
        ]
    )


def numbers(pairs: Sequence[Comparison]) -> pd.DataFrame:
    """One row a pair, unrounded, for a file."""
    return pd.DataFrame(
        [
            {
                "first": p.first,
                "second": p.second,
                "images": p.n,
                "first_accuracy": p.first_accuracy.value,
                "second_accuracy": p.second_accuracy.value,
                "difference": p.difference.value,
                "low": p.difference.low,
                "high": p.difference.high,
                "both_right": p.both_right,
                "first_only": p.first_only,
                "second_only": p.second_only,
                "both_wrong": p.both_wrong,
                "p_mcnemar": p.p_value,
                "p_holm": p.p_holm,
                "images_needed": p.images_needed,
            }
            for p in pairs
        ]
    )


def in_words(pair: Comparison, names: Mapping[str, str], *, together: int = 1) -> str:
    """The verdict by the corrected p-value, and what the p-value of the pair alone means."""
    named = replace(pair, first=names.get(pair.first, pair.first), second=names.get(pair.second, pair.second))
    verdict = named.verdict.rpartition(" (")[0]
    verdict = verdict[0].upper() + verdict[1:]
    chance = f"if both were equally good, chance alone would make a gap like this in {odds(pair.p_value)}"
    corrected = f"; corrected for {together} pairs, {p_value(pair.p_holm)}" if together > 1 else ""
    return f"{verdict}: {chance}{corrected}."


def odds(p: float) -> str:
    """``0.03`` -> "3 of 100 such tests"."""
    if p < 0.001:
        return "fewer than 1 of 1,000 such tests"
    return f"{round(1000 * p)} of 1,000 such tests" if p < 0.0095 else f"{round(100 * p)} of 100 such tests"


def p_value(p: float) -> str:
    """With its letter: "p = 0.034" or "p < 0.001"."""
    return f"p {shown_p(p)}" if p < 0.001 else f"p = {shown_p(p)}"


def shown_p(p: float) -> str:
    """Three decimals, or that it is smaller."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def signed(score: Score) -> str:
    """A difference with its sign and both bounds: ``+0.012 (-0.004 to +0.028)``."""
    if not score.defined:
        return "not defined"
    return f"{score.value:+.3f} ({score.low:+.3f} to {score.high:+.3f})"
