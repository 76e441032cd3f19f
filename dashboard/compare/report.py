"""The comparisons of the page as one HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from dashboard.compare import comparison_report
from dashboard.compare.comparison import Comparison

STORED = "comparison_report"  # key of the session: the last report, with what it was created for


def draw(comparisons: Sequence[Comparison]) -> None:
    """A button that creates the file, and one that downloads it."""
    st.markdown(
        "One HTML file with every panel of this page that needs no interaction, and with the protocol, the hardware, "
        "the model cards and the versions. It opens offline; the figures stay interactive."
    )
    # The weights matter for all networks on common classes, where a group has no ensemble of its own.
    key = tuple(
        (*c.all_runs.values(), *c.weights.items(), *((m, of.value) for m, of in c.milliseconds.items()))
        for c in comparisons
    )
    if st.button("Create report", key="create-report", icon=":material/description:"):
        st.session_state[STORED] = (key, _created(comparisons))
    created_for, data = st.session_state.get(STORED, (None, b""))
    protocols = " ".join(comparison.protocol for comparison in comparisons)
    if created_for != key:
        st.caption(f"{protocols} For the networks chosen in the sidebar; takes a few seconds.")
        return
    st.download_button(
        "Report of all panels (HTML)",
        data,
        file_name=f"ferscope-comparison-{comparisons[0].split}.html",
        mime="text/html",
        icon=":material/download:",
        on_click="ignore",
        key="comparison-report",
    )
    st.caption(f"{protocols} {len(data) / 1e6:.1f} MB, stored for this session only.")


def _created(comparisons: Sequence[Comparison]) -> bytes:
    bar = st.progress(0.0, "Creating the report")

    def show(title: str, done: int, total: int) -> None:
        bar.progress(done / total, f"Creating the report: {title}")

    text = comparison_report.html(comparisons, datetime.now(UTC), show)
    bar.empty()
    return text.encode()
