"""Accuracy on parts of the images, against the rest for one network and by property for all networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from core.evaluation import Score, Slice
from dashboard.plots.error_bars import whiskers
from dashboard.plots.significance import p_value, shown_p, signed
from dashboard.section import counted
from dashboard.style import Ink, NetworkStyle, template

MAX_SENTENCES = 5  # about worse slices; the figure shows all
HOW = (
    "Filled: measurably different from the rest; listed first: measurably worse (test of two proportions or Fisher's "
    "exact test, Holm-corrected for all slices of the network, 5 %). Error bars: 95 % (Newcombe). Numbers are divided "
    "at their quartiles: brightness and contrast in gray levels, sharpness as the variance of the Laplacian, agreement "
    "as the share of annotators who gave the most frequent vote. A property associated with lower accuracy need not be "
    "its cause, because classes are unevenly distributed."
)
NONE_WORSE = "No slice is measurably worse than the rest."


def title(part: Slice) -> str:
    """``brightness 12 to 98``, ``copy in Training: no``."""
    return f"{part.column}: {part.value}" if part.value in ("yes", "no") else f"{part.column} {part.value}"


def differences(report: Sequence[Slice], inks: Ink) -> go.Figure:
    """One row per slice in the report's order: its accuracy minus that of the rest; filled where it is measurable.

    A slice without images, or without a rest, is labeled *not defined*.
    """
    tested = [(row, s) for row, s in enumerate(report) if s.difference_score.defined]
    scores = [s.difference_score for _, s in tested]
    reach = max([0.01, *(abs(b) for v in scores for b in (v.low, v.high))]) * 1.1
    figure = go.Figure(
        go.Scatter(
            x=[v.value for v in scores],
            y=[row for row, _ in tested],
            error_x=whiskers(scores, inks.text, 1.3, 4),
            mode="markers",
            marker={
                "size": 10,
                "color": inks.text,
                "symbol": ["circle" if s.significant else "circle-open" for _, s in tested],
                "line": {"width": 1.5, "color": inks.text},
            },
            customdata=[
                [title(s), counted(s.accuracy.n, "image"), str(s.accuracy), str(s.rest), signed(v), p_value(s.p_holm)]
                for (_, s), v in zip(tested, scores, strict=True)
            ],
            hovertemplate="%{customdata[0]}, %{customdata[1]}<br>accuracy %{customdata[2]}<br>the rest "
            "%{customdata[3]}<br>%{customdata[4]}, corrected %{customdata[5]}<extra></extra>",
            showlegend=False,
        )
    )
    figure.add_vline(x=0, line={"color": inks.muted, "width": 1.5})
    for row, part in enumerate(report):
        if not part.difference_score.defined:
            figure.add_annotation(
                x=0, y=row, text="not defined", showarrow=False, bgcolor=inks.paper, font={"color": inks.muted}
            )
    figure.update_layout(
        template=template(inks),
        height=30 * len(report) + 80,
        xaxis={"range": [-reach, reach], "title": "accuracy here − on the rest", "tickformat": ".2f"},
        yaxis={
            "range": [len(report) - 0.4, -0.6],
            "tickvals": list(range(len(report))),
            "ticktext": [title(s) for s in report],
            "showgrid": False,
        },
    )
    return figure


def by_property(
    reports: Mapping[str, Sequence[Slice]],
    column: str,
    styles: Mapping[str, NetworkStyle],
    names: Mapping[str, str],
    inks: Ink,
) -> go.Figure:
    """Accuracy by the parts of one column, lowest first, one line per network; networks are slightly offset."""
    figure = go.Figure()
    of_column = {m: of(report, column) for m, report in reports.items()}
    first = next(iter(of_column.values()))
    for position, (model_id, parts) in enumerate(of_column.items()):
        style, scores = styles[model_id], [s.accuracy for s in parts]
        offset = (position - (len(of_column) - 1) / 2) * 0.07
        figure.add_scatter(
            x=[row + offset for row in range(len(parts))],
            y=[s.value if s.defined else None for s in scores],
            error_y=whiskers(scores, style.color),
            mode="lines+markers",
            name=names[model_id],
            line={"dash": style.dash, "width": style.width, "color": style.color},
            marker={"symbol": style.symbol, "size": 10, "color": style.color},
            customdata=[[title(s), str(s.accuracy), counted(s.accuracy.n, "image")] for s in parts],
            hovertemplate="%{customdata[0]}: %{customdata[1]}<br>%{customdata[2]}<extra>"
            + names[model_id]
            + "</extra>",
        )
    known = [s.accuracy for parts in of_column.values() for s in parts if s.accuracy.defined]
    lowest, highest = min((s.low for s in known), default=0.0), max((s.high for s in known), default=1.0)
    for row, part in enumerate(first):
        if not part.accuracy.defined:
            figure.add_annotation(
                x=row, y=0.5, yref="paper", text="not defined", showarrow=False, font={"color": inks.muted}
            )
    figure.update_layout(
        template=template(inks),
        height=400,
        xaxis={
            "title": f"{column}, and images",
            "range": [-0.5, len(first) - 0.5],
            "tickvals": list(range(len(first))),
            "ticktext": [f"{s.value}<br>{s.accuracy.n:,}" for s in first],
            "showgrid": False,
        },
        yaxis={
            "title": "accuracy",
            "tickformat": ".2f",
            "range": [max(0, lowest - 0.03), highest + 0.03],
        },
        legend={"y": -0.3},
    )
    return figure


def of(report: Sequence[Slice], column: str) -> list[Slice]:
    """The slices of one column in the order of its parts."""
    return sorted((s for s in report if s.column == column), key=lambda s: s.position)


def worse_in_words(report: Sequence[Slice]) -> list[str]:
    """One sentence for each measurably worse slice, the worst first; beyond MAX_SENTENCES only their number."""
    worse = [s for s in report if s.significantly_worse]
    sentences = [f"{title(s)}: {in_words(s)}" for s in worse[:MAX_SENTENCES]]
    more = len(worse) - len(sentences)
    if not more:
        return sentences
    verb = "is" if more == 1 else "are"
    return [*sentences, f"{counted(more, 'more slice')} {verb} measurably worse; see the figure."]


def in_words(part: Slice) -> str:
    """How much worse a slice is, with the corrected p-value; its title goes before."""
    return (
        f"accuracy {part.accuracy} on {part.accuracy.n:,} images, {part.rest} on the rest; "
        f"{signed(part.difference_score)}, corrected {p_value(part.p_holm)}."
    )


def table(report: Sequence[Slice]) -> pd.DataFrame:
    """One row per slice in the report's order, as shown on the page."""
    return pd.DataFrame(
        [
            {
                "slice": title(s),
                "images": f"{s.accuracy.n:,}",
                "accuracy": str(s.accuracy),
                "on the rest": str(s.rest),
                "difference": signed(s.difference_score),
                "p (Holm)": shown_p(s.p_holm) if s.test else "not defined",
                "test": s.test or "none",
            }
            for s in report
        ]
    )


def numbers(reports: Mapping[str, Sequence[Slice]]) -> pd.DataFrame:
    """One row per network and slice, unrounded, for a file; empty cells where a score is not defined."""

    def columns(name: str, score: Score) -> dict[str, float]:
        return {name: score.value, f"{name}_low": score.low, f"{name}_high": score.high}

    return pd.DataFrame(
        [
            {
                "network": m,
                "column": s.column,
                "value": s.value,
                "images": s.accuracy.n,
                **columns("accuracy", s.accuracy),
                **columns("rest", s.rest),
                **columns("difference", s.difference_score),
                "p": s.p_value,
                "p_holm": s.p_holm,
                "test": s.test,
                "significantly_worse": s.significantly_worse,
            }
            for m, report in reports.items()
            for s in report
        ]
    )
