"""The whole comparison as one file to send, print or keep."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from dashboard.compare import blocks
from dashboard.compare.comparison import Comparison

KEPT = "comparison_report"  # the last report of the session with what it was made for


def draw(comparison: Comparison) -> None:
    """One button makes the file, another one hands it over."""
    st.markdown(
        "Scores, tests in plain words, each class, confusion, learning curves, calibration, robustness where it is "
        "stored, ranking, human doubt, slices, protocol, hardware, model cards and versions: one HTML file without "
        "scripts that opens offline."
    )
    key = (comparison.split, *(f"{m} {run.temperature} {run.logits.sum()}" for m, run in comparison.runs.items()))
    if st.button("Make the report", icon=":material/description:", type="primary"):
        st.session_state[KEPT] = (key, _made(comparison))
    made_for, data = st.session_state.get(KEPT, (None, b""))
    if made_for != key:
        st.caption(f"{blocks.protocol(comparison)} It is made of the networks chosen in the sidebar, in some seconds.")
        return
    st.download_button(
        "Report (HTML)",
        data,
        file_name=f"ferscope-comparison-{comparison.split}.html",
        mime="text/html",
        icon=":material/download:",
        on_click="ignore",
        key="comparison-report",
    )
    st.caption(f"{blocks.protocol(comparison)} {len(data) / 1e6:.2f} MB, kept for this session only.")


def _made(comparison: Comparison) -> bytes:
    from dashboard.reports import comparison_report  # drawing needs matplotlib, which nobody else on the page waits for

    bar = st.progress(0.0, "Making the report …")

    def show(section: str, done: int, total: int) -> None:
        bar.progress(done / total, f"Making the report: {section.lower()}")

    text = comparison_report.html(comparison, datetime.now(UTC), show)
    bar.empty()
    return text.encode()
