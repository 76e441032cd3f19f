"""What the views share: a figure with its caption and numbers, and the networks that may stand in one figure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.data import ImageFacts
from core.evaluation import EvaluationRun
from dashboard.compare import findings
from dashboard.compare.comparison import Comparison
from dashboard.plots import charts


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
    kept, left_out = comparison.comparable()
    for sentence in left_out:
        st.warning(sentence, icon=":material/warning:")
    return kept


def image_facts(comparison: Comparison) -> dict[str, ImageFacts]:
    """By model id the table of numbers on a network's images; where none fits, one sentence, and it is not there."""
    found, missing = findings.image_facts(comparison)
    notes(missing)
    return found


def notes(found: Iterable[findings.Note]) -> None:
    """What the figures lack, a sentence each."""
    for note in found:
        if note.is_warning:
            st.warning(note.text, icon=":material/warning:")
        else:
            st.info(note.text, icon=":material/info:")
