"""What the views share: a figure with its caption and numbers, and the networks that may stand in one figure."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.evaluation import EvaluationError, EvaluationRun
from dashboard import charts
from dashboard.views.comparison import Comparison


def figure(
    drawn: go.Figure, comparison: Comparison, *, key: str, alt: str, caption: str, numbers: Callable[[], pd.DataFrame]
) -> None:
    """A figure, its caption with the protocol, and its numbers as a file."""
    st.plotly_chart(drawn, key=key, config=charts.CONFIG, alt=alt)
    st.caption(f"{protocol(comparison)} {caption}")
    csv(numbers, f"{key}-{comparison.split}")


def protocol(comparison: Comparison) -> str:
    """Split and number of images, the first words of every caption."""
    return f"{comparison.split_name}, n = {comparison.n:,}."


def csv(numbers: Callable[[], pd.DataFrame], name: str, label: str = "Numbers (CSV)") -> None:
    """A quiet download; the file is made when it is asked for."""
    st.download_button(
        label,
        lambda: numbers().to_csv(index=False),
        f"{name}.csv",
        "text/csv",
        icon=":material/table:",
        key=f"csv-{name}",
        type="tertiary",
    )


def comparable(comparison: Comparison) -> dict[str, EvaluationRun]:
    """The runs on the same images and classes as the first; each other one is named in a sentence and left out."""
    first, *others = comparison.runs.items()
    kept = dict([first])
    for model_id, run in others:
        try:
            kept[model_id] = first[1].paired_with(run)[1]
        except EvaluationError as error:
            st.warning(f"{comparison.names[model_id]} is left out: {error}.", icon=":material/warning:")
    return kept
