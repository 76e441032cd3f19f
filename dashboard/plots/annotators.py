"""Networks and annotators: agreement, cross-entropy, accuracy by agreement, and labels against the majority."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.evaluation import AgreementGroup, AnnotatorComparison, Score, VoteMatrix
from dashboard.plots.cells import colorscale, heatmap
from dashboard.plots.error_bars import whiskers
from dashboard.section import counted
from dashboard.style import Ink, NetworkStyle, reserved, template

AGREEMENT, CROSS_ENTROPY = "agreement with an annotator", "cross-entropy to the votes (nats)"
# For each figure the field of the network's score, and its references: title in the legend, field, symbol. A triangle
# is a limit and points to where scores can be.
MEASURES = {
    AGREEMENT: (
        "network",
        (
            ("another annotator", "annotators", "line-ns-open"),
            ("most frequent vote", "best_possible", "triangle-left-open"),
        ),
    ),
    CROSS_ENTROPY: ("cross_entropy", (("the votes themselves", "vote_entropy", "triangle-right-open"),)),
}
LABEL, MAJORITY = AGAINST = ("data set's label", "FER+ majority")


def marks(
    results: Mapping[str, AnnotatorComparison],
    styles: Mapping[str, NetworkStyle],
    names: Mapping[str, str],
    inks: Ink,
    measure: str,
) -> go.Figure:
    """One row per network: its score with the interval, and its references. ``measure`` is one of MEASURES."""
    own, references = MEASURES[measure]
    figure = go.Figure()
    rows = list(range(len(results)))
    for title, attribute, symbol in references:
        scores = [getattr(r, attribute) for r in results.values()]
        figure.add_scatter(
            x=[_known(s) for s in scores],
            y=rows,
            mode="markers",
            name=title,
            marker={
                "symbol": symbol,
                "size": 18 if symbol == "line-ns-open" else 11,
                "color": inks.muted,
                "line": {"width": 2, "color": inks.muted},
            },
            customdata=[str(s) for s in scores],
            hovertemplate=f"{title}: %{{customdata}}<extra></extra>",
        )
    for row, (model_id, result) in zip(rows, results.items(), strict=True):
        score = getattr(result, own)
        figure.add_scatter(
            x=[_known(score)],
            y=[row],
            error_x=whiskers([score], styles[model_id].color, 1.2, 4),
            mode="markers",
            marker={"symbol": styles[model_id].symbol, "size": 11, "color": styles[model_id].color},
            hovertemplate=f"{measure}: {score}<extra>{names[model_id]}</extra>",
            showlegend=False,
        )
    undefined = [row for row, r in zip(rows, results.values(), strict=True) if not getattr(r, own).defined]
    for row in undefined:
        figure.add_annotation(x=0, xref="paper", xanchor="left", y=row, text="not defined", showarrow=False)
    rows_px = 48 * len(results)
    figure.update_layout(
        template=template(inks),
        height=rows_px + 140,
        xaxis={"title": measure, "tickformat": ".2f"},
        yaxis={
            "range": [len(results) - 0.4, -0.6],
            "tickvals": rows,
            "ticktext": [names[m] for m in results],
            "showgrid": False,
        },
        legend={"y": -52 / rows_px, "yanchor": "top"},  # below the title of the axis
    )
    return figure


def by_agreement(
    results: Mapping[str, AnnotatorComparison],
    styles: Mapping[str, NetworkStyle],
    names: Mapping[str, str],
    inks: Ink,
    against: str,
) -> go.Figure:
    """Accuracy by the annotators' own agreement; networks are slightly offset. ``against`` is one of AGAINST."""
    figure = go.Figure()
    uppers = agreement_steps(results)
    for position, (model_id, result) in enumerate(results.items()):
        style = styles[model_id]
        found = {_step(g): g for g in result.groups}
        scores = [_accuracy(found.get(u), against) for u in uppers]
        offset = (position - (len(results) - 1) / 2) * 0.008
        figure.add_scatter(
            x=[u / 10 + offset for u in uppers],
            y=[_known(s) for s in scores],
            error_y=whiskers(scores, style.color),
            mode="lines+markers",
            name=names[model_id],
            line={"dash": style.dash, "width": style.width, "color": style.color},
            marker={"symbol": style.symbol, "size": 9, "color": style.color},
            customdata=[
                [str(s), counted(s.n, "image"), f"{(u - 1) / 10:.1f} to {u / 10:.1f}"]
                for s, u in zip(scores, uppers, strict=True)
            ],
            hovertemplate="%{customdata[2]} of the votes: %{customdata[0]}<br>%{customdata[1]}<extra>"
            + names[model_id]
            + "</extra>",
        )
    first = {_step(g): g for g in next(iter(results.values())).groups}
    counts = [_accuracy(first.get(u), against).n for u in uppers]
    for upper, n in zip(uppers, counts, strict=True):
        if not n:
            figure.add_annotation(
                x=upper / 10,
                y=0.5,
                yref="paper",
                text="not defined",
                textangle=-90,
                showarrow=False,
                font={"color": inks.muted},
            )
    figure.update_layout(
        template=template(inks),
        height=420,
        margin=reserved(left=37, below=121),
        xaxis={
            "title": "share of annotators who agree (up to), and images",
            "range": [uppers[0] / 10 - 0.05, 1.05],
            "tickvals": [u / 10 for u in uppers],
            "ticktext": [f"{u / 10:.1f}<br>{n:,}" for u, n in zip(uppers, counts, strict=True)],
        },
        yaxis={"title": f"accuracy against the {against}", "range": [0, 1.02], "tickformat": ".1f"},
        legend={"y": -0.3},
    )
    return figure


def label_matrix(matrix: VoteMatrix, inks: Ink) -> go.Figure:
    """Labels as rows, FER+ majorities as columns; color is the share of the label, the text counts images."""
    order = columns_in_row_order(matrix)
    counts, shares = matrix.counts[:, order], matrix.by_row()[:, order]
    figure = heatmap(
        go.Heatmap(
            z=shares,
            x=[matrix.columns[i] for i in order],
            y=list(matrix.rows),
            text=[[str(n) for n in row] for row in counts],  # no thousands separator, so that four digits fit a phone
            customdata=[
                [
                    counted(n, "image") + ("" if np.isnan(s) else f", {s:.3f} of the label")
                    for n, s in zip(*row, strict=True)
                ]
                for row in zip(counts, shares, strict=True)
            ],
            colorscale=colorscale(inks),
            zmin=0,
            zmax=1,
            colorbar={"thickness": 10, "len": 0.9},  # no title: the caption explains the colors
            hovertemplate="label %{y}, majority %{x}<br>%{customdata}<extra></extra>",
            hoverongaps=True,
            xgap=1,
            ygap=1,
        ),
        inks,
    )
    for name, total in zip(matrix.rows, matrix.counts.sum(axis=1), strict=True):
        if not total:
            figure.add_annotation(x=0, xref="paper", xanchor="left", y=name, text="not defined", showarrow=False)
    figure.update_layout(
        template=template(inks),
        height=420,
        margin=reserved(30, left=62, right=58, below=73),
        dragmode=False,
        xaxis={"title": "FER+ majority", "showgrid": False, "tickangle": -40},
        yaxis={"title": "data set's label", "autorange": "reversed", "showgrid": False},
    )
    return figure


def label_agreement(matrix: VoteMatrix) -> str:
    """How often label and majority agree, and what that means for a network."""
    return (
        f"Label and majority agree on {matrix.agreement} (95 %, Wilson) of the {matrix.agreement.n:,} images with a "
        "majority; a network that always predicts the majority would have about that accuracy. Color: share of the "
        "label."
    )


def columns_in_row_order(matrix: VoteMatrix) -> list[int]:
    """Positions of the columns, the classes of the rows first and in their order, so that agreement is the diagonal."""
    of_rows = [matrix.columns.index(c) for c in matrix.rows if c in matrix.columns]
    return of_rows + [i for i in range(len(matrix.columns)) if i not in of_rows]


def agreement_steps(results: Mapping[str, AnnotatorComparison]) -> list[int]:
    """Upper ends of the groups in tenths, from the lowest that any network has to 10 without gaps."""
    found = [_step(g) for r in results.values() for g in r.groups]
    return list(range(min(found, default=10), 11))


def table(results: Mapping[str, AnnotatorComparison], names: Mapping[str, str]) -> pd.DataFrame:
    """One row per network, as shown on the page."""
    return pd.DataFrame(
        [
            {
                "network": names[m],
                "agreement with an annotator": str(r.network),
                "of another annotator": str(r.annotators),
                "of the most frequent vote": str(r.best_possible),
                "cross-entropy": str(r.cross_entropy),
                "entropy of the votes": str(r.vote_entropy),
                "images": f"{r.network.n:,}",
            }
            for m, r in results.items()
        ]
    )


def numbers(results: Mapping[str, AnnotatorComparison]) -> pd.DataFrame:
    """One row per network and score, unrounded, for a file."""
    fields = ("network", "annotators", "best_possible", "cross_entropy", "vote_entropy")
    return pd.DataFrame(
        [
            {"network": m, "score": "agreement" if f == "network" else f, **getattr(r, f).to_json()}
            for m, r in results.items()
            for f in fields
        ]
    )


def group_numbers(results: Mapping[str, AnnotatorComparison]) -> pd.DataFrame:
    """One row per network, group and kind of truth, for a file; empty cells where a score is not defined."""
    return pd.DataFrame(
        [
            {
                "network": m,
                "share_above": (u - 1) / 10,
                "share_up_to": u / 10,
                "against": against,
                **_accuracy({_step(g): g for g in r.groups}.get(u), against).to_json(),
            }
            for m, r in results.items()
            for u in agreement_steps(results)
            for against in AGAINST
        ]
    )


def matrix_numbers(matrix: VoteMatrix) -> pd.DataFrame:
    """One row per cell, for a file."""
    shares = matrix.by_row()
    return pd.DataFrame(
        [
            {"label": a, "ferplus_majority": b, "images": int(matrix.counts[i, j]), "share_of_label": shares[i, j]}
            for i, a in enumerate(matrix.rows)
            for j, b in enumerate(matrix.columns)
        ]
    )


def _step(group: AgreementGroup) -> int:
    return round(10 * group.high)


def _accuracy(group: AgreementGroup | None, against: str) -> Score:
    if group is None:
        return Score(float("nan"))
    return group.accuracy if against == LABEL else group.accuracy_to_majority


def _known(score: Score) -> float | None:
    return score.value if score.defined else None
