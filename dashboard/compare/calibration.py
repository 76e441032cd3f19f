"""Whether a network's confidence can be believed."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.evaluation import abstention, reliability, risk_coverage
from dashboard.compare import blocks
from dashboard.compare.comparison import Comparison
from dashboard.plots import calibration as figures
from dashboard.plots import charts

SCHEMES = {"equal_mass": "equally many images", "equal_width": "equally wide"}


def draw(comparison: Comparison) -> None:
    """Reliability before and after temperature, the scores, and risk against coverage."""
    scheme = st.segmented_control(
        "Bins",
        list(SCHEMES),
        format_func=SCHEMES.__getitem__,
        default="equal_mass",
        required=True,
        key="bins",
        bind="query-params",
    )
    runs = blocks.comparable(comparison)
    before = {m: figures.uncalibrated(run) for m, run in runs.items()}
    diagrams = {
        "before": {m: reliability(run, scheme=scheme) for m, run in before.items() if run},
        "after": {m: reliability(run, scheme=scheme) for m, run in runs.items()},
    }
    for column, (state, of_networks) in zip(st.columns(2), diagrams.items(), strict=True):
        with column:
            st.markdown(f"**{state.capitalize()} temperature**")
            st.plotly_chart(
                figures.reliability(of_networks, comparison.forms, comparison.names, comparison.inks),
                key=f"reliability-{state}",
                config=charts.CONFIG,
                alt=f"Reliability diagram {state} temperature scaling",
            )
    st.caption(
        f"{blocks.protocol(comparison)} 15 bins of the predicted class's probability. Below the diagonal a network is "
        "surer than it is right. Whiskers: 95 % (Wilson). The temperature was fitted on PublicTest; the ensemble is "
        "the mean of calibrated members and has none of its own."
    )
    blocks.csv(
        lambda: pd.concat([figures.reliability_numbers(d, s) for s, d in diagrams.items()]),
        f"reliability-{comparison.split}",
    )
    curves = {m: risk_coverage(run) for m, run in runs.items()}
    scores = figures.table(runs, before, comparison.summaries, curves, comparison.names)
    st.dataframe(scores, hide_index=True, alt="Calibration scores before and after temperature")
    st.caption(
        f"{blocks.protocol(comparison)} ECE in 15 bins of equal mass, bootstrap; NLL in nats and Brier's score (0 to "
        "2), normal intervals; 95 %. 0 is best for all. AURC: area under risk and coverage."
    )
    blocks.csv(lambda: scores, f"calibration-{comparison.split}")

    st.markdown("**Being silent when unsure**")
    threshold = st.slider("Silent below a confidence of", 0.0, 0.95, 0.5, 0.05, key="silent", bind="query-params")
    chosen = {m: abstention(run, threshold) for m, run in runs.items()}
    silence = figures.silence(chosen, comparison.names)
    left, right = st.columns(2)
    with left:
        blocks.figure(
            figures.risk_coverage(curves, chosen, comparison.forms, comparison.names, comparison.inks),
            comparison,
            key="risk-coverage",
            alt="Share of wrong answers by share of images answered",
            caption="The most confident answers first. Marked: the threshold chosen above.",
            numbers=lambda: figures.risk_numbers(curves),
        )
    with right:
        st.dataframe(silence, hide_index=True, alt="Coverage and accuracy at the threshold")
        st.caption("A network that never answers has no accuracy: not defined. Intervals: 95 % (Wilson).")
        blocks.csv(lambda: silence, f"silence-{comparison.split}")
