"""Differences between networks with their intervals, and the results of the tests in words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd
import plotly.graph_objects as go

from core.evaluation import PairedComparison, Score
from dashboard.plots.error_bars import whiskers
from dashboard.section import listed, with_minus_signs
from dashboard.style import Ink, template

MAX_SENTENCES = 6  # the pairs of four networks; a longer list repeats the table and is not read


def differences(
    pairs: Sequence[PairedComparison], rows: Sequence[str], inks: Ink, *, title: str = "difference in accuracy"
) -> go.Figure:
    """One row per pair: the difference with its bootstrap interval; filled where it is measurable.

    ``rows`` names the pairs. Right of the zero line, the first network of a pair is better.
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
            hovertemplate="%{customdata[0]}<br>correct only by the first: %{customdata[1]:,}, only by the "
            "second: %{customdata[2]:,}<br>corrected %{customdata[3]}<extra></extra>",
            showlegend=False,
        )
    )
    figure.add_vline(x=0, line={"color": inks.muted, "width": 1.5})
    figure.update_layout(
        template=template(inks),
        height=58 * len(pairs) + 80,
        xaxis={"range": [-reach, reach], "title": title, "tickformat": ".3f"},
        yaxis={
            "range": [len(pairs) - 0.4, -0.6],
            "tickvals": list(range(len(pairs))),
            "ticktext": list(rows),
            "showgrid": False,
        },
    )
    return figure


def table(pairs: Sequence[PairedComparison], names: Mapping[str, str]) -> pd.DataFrame:
    """One row per pair, as shown on the page."""
    return pd.DataFrame(
        [
            {
                "first − second": f"{names[p.first]} − {names[p.second]}",
                "more accurate": names[p.first if p.difference.value > 0 else p.second]
                if p.significant
                else "not measurable",
                "accuracy difference": signed(p.difference),
                "only first correct": f"{p.first_only:,}",
                "only second correct": f"{p.second_only:,}",
                "p (McNemar)": shown_p(p.p_value),
                "p (Holm)": shown_p(p.p_holm),
                "images for 80 % power": f"{p.images_needed:,}" if p.images_needed else "not defined",
            }
            for p in pairs
        ]
    )


def numbers(pairs: Sequence[PairedComparison]) -> pd.DataFrame:
    """One row per pair, unrounded, for a file."""
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


def headline(
    pairs: Sequence[PairedComparison],
    accuracies: Mapping[str, Score],
    names: Mapping[str, str],
    ensemble_id: str | None,
) -> str:
    """Which network is the most accurate, and whether that is measurable, in one or two sentences."""
    single = {m: a for m, a in accuracies.items() if m != ensemble_id and a.defined}
    if not single:
        return "There are no images to compare the networks on."
    best = max(single, key=lambda m: single[m].value)
    if len(single) == 1:
        return f"{names[best]} has an accuracy of {single[best]}. A comparison needs a second network."
    measurable = {frozenset((p.first, p.second)): p.significant for p in pairs}
    worse = [names[m] for m in single if m != best and measurable[frozenset((best, m))]]
    tied = [names[m] for m in single if m != best and not measurable[frozenset((best, m))]]
    if not worse:
        text = (
            f"No measurable difference in accuracy between {listed([names[best], *tied])}; {names[best]} has the "
            f"highest value, {single[best]}."
        )
    else:
        text = f"{names[best]} is the most accurate network ({single[best]}): measurably better than {listed(worse)}"
        text += f", with no measurable difference from {listed(tied)}." if tied else "."
    if ensemble_id is None:
        return text
    ensemble = f"the ensemble ({accuracies[ensemble_id]})"
    if not measurable[frozenset((best, ensemble_id))]:
        return f"{text} There is no measurable difference between {ensemble} and {names[best]}."
    if accuracies[ensemble_id].value > single[best].value:
        return f"{text} {ensemble[0].upper()}{ensemble[1:]} is measurably better than {names[best]}."
    return f"{text} {names[best]} is measurably better than {ensemble}."


def sentences(
    pairs: Sequence[PairedComparison], names: Mapping[str, str], in_text: Mapping[str, str]
) -> tuple[str, ...]:
    """The result of every pair in words, or, beyond MAX_SENTENCES pairs, the number of measurable differences.

    ``in_text`` are the names as they stand inside a sentence.
    """
    if len(pairs) <= MAX_SENTENCES:
        return tuple(
            f"{names[p.first]} and {in_text[p.second]}: {in_words(p, in_text, pairs=len(pairs))}" for p in pairs
        )
    measurable = sum(p.significant for p in pairs)
    return (f"{measurable} of {len(pairs)} pairs {'has' if measurable == 1 else 'have'} a measurable difference.",)


def in_words(pair: PairedComparison, names: Mapping[str, str], *, pairs: int = 1) -> str:
    """The verdict by the corrected p-value, and the meaning of the uncorrected one; ``pairs`` were tested together."""
    named = replace(pair, first=names.get(pair.first, pair.first), second=names.get(pair.second, pair.second))
    verdict = re.sub("^the ", "The ", named.conclusion) if pair.significant else "No measurable difference"
    chance = f"if both were equally good, a difference this large would occur by chance in {odds(pair.p_value)}"
    corrected = f"; corrected for {pairs} pairs, {p_value(pair.p_holm)}" if pairs > 1 else ""
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
    """Three decimals, or "< 0.001"."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def signed(score: Score) -> str:
    """A difference with its sign and both bounds: ``+0.012 (−0.004 to +0.028)``."""
    if not score.defined:
        return "not defined"
    return with_minus_signs(f"{score.value:+.3f} ({score.low:+.3f} to {score.high:+.3f})")
