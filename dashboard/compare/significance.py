"""Whether a difference between two networks is more than luck."""

from __future__ import annotations

import streamlit as st

from core.errors import EvaluationError
from core.evaluation import compare_all
from dashboard.compare import blocks
from dashboard.compare.comparison import Comparison
from dashboard.plots import significance as figures


def draw(comparison: Comparison) -> None:
    """Every pair of networks: the difference with its interval, and the test in plain words."""
    runs = blocks.comparable(comparison)
    if len(runs) < 2:
        st.info("A difference needs two networks: choose another one in the sidebar.", icon=":material/info:")
        return
    try:
        pairs = compare_all(list(runs.values()))
    except EvaluationError as error:
        st.error(str(error), icon=":material/error:")
        return
    names = comparison.names
    blocks.figure(
        figures.differences(pairs, [f"{names[p.first]}<br>− {names[p.second]}" for p in pairs], comparison.inks),
        comparison,
        key="significance",
        alt="Difference in accuracy of every pair of networks, with its 95 % interval",
        caption="The same images for both of a pair. Whiskers: 95 %, paired bootstrap. Filled: a measurable "
        "difference; open: none. Right of zero the first of the pair is more accurate.",
        numbers=lambda: figures.numbers(pairs),
    )
    for pair in pairs:
        icon = ":material/check_circle:" if pair.significant else ":material/drag_handle:"
        words = figures.in_words(pair, names, together=len(pairs))
        st.markdown(f"{icon} **{names[pair.first]} and {names[pair.second]}.** {words}")
    st.dataframe(
        figures.table(pairs, names),
        hide_index=True,
        alt="Paired tests of every two networks",
    )
    st.caption(
        "p: McNemar's exact test on the images that only one of the two got right; Holm: corrected for all "
        "pairs shown, it decides at 5 %. Images for 80 % power: how large a test set would have to be to show a "
        f"difference of this size; this one has {comparison.n:,}."
    )
