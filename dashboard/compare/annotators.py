"""Networks beside the ten annotators of FER+: whom do they agree with, and what do they do where people disagree."""

from __future__ import annotations

import streamlit as st

from core.data import ImageFacts
from dashboard.compare import blocks, findings
from dashboard.compare.comparison import Comparison
from dashboard.plots import annotators as figures
from dashboard.plots import charts

MARKS = {
    figures.AGREEMENT: ("human-agreement", "How often a random annotator of an image says what the network says."),
    figures.CROSS_ENTROPY: ("human-cross-entropy", "From the votes on the network's classes to its probabilities."),
}


def draw(comparison: Comparison) -> None:
    """Agreement, cross-entropy, accuracy by the annotators' agreement, and the label against their majority."""
    tables = blocks.image_facts(comparison)
    results, missing = findings.beside_annotators(comparison, tables)
    blocks.notes(missing)
    if not results:
        return
    names, forms, inks = comparison.names, comparison.forms, comparison.inks
    for column, (measure, (key, meaning)) in zip(st.columns(2), MARKS.items(), strict=True):
        with column:
            st.plotly_chart(
                figures.marks(results, forms, names, inks, measure),
                key=key,
                config=charts.CONFIG,
                alt=f"{measure.capitalize()} by network, beside what the annotators reach",
            )
            st.caption(f"{blocks.protocol(comparison)} {meaning} Whiskers: 95 %, normal.")
    shown = figures.table(results, names)
    st.dataframe(shown, hide_index=True, alt="Agreement with the annotators and cross-entropy by network")
    st.caption(
        "Images without votes are left out. *Another annotator*: the chance that two annotators of one image agree; "
        "*favorite*: always answering what most of them say, which no answer can beat. The entropy of the votes is "
        "the lowest cross-entropy there can be."
    )
    blocks.csv(lambda: figures.numbers(results), f"human-{comparison.split}")

    st.markdown("**Where people disagree**")
    against = st.segmented_control(
        "Accuracy against the",
        figures.AGAINST,
        default=figures.LABEL,
        required=True,
        key="against",
        bind="query-params",
    )
    blocks.figure(
        figures.by_agreement(results, forms, names, inks, against),
        comparison,
        key="human-groups",
        alt=f"Accuracy against the {against} by the annotators' own agreement",
        caption="0.6: six of ten annotators gave the most chosen answer. The FER+ majority is defined only where more "
        "than half of the votes that are not single agree on an expression. Whiskers: 95 % (Wilson). A group without "
        "images is not defined.",
        numbers=lambda: figures.group_numbers(results),
    )
    for facts in findings.voted(results, tables):
        _label_against_majority(comparison, facts)


def _label_against_majority(comparison: Comparison, facts: ImageFacts) -> None:
    matrix = findings.label_against_majority(facts, comparison.split)
    st.markdown(f"**The label of {facts.name} against the FER+ majority**")
    st.plotly_chart(
        figures.label_matrix(matrix, comparison.inks),
        key=f"human-labels-{facts.fingerprints[0][:8]}",
        config=charts.CONFIG,
        alt=f"Labels of {facts.name} by FER+ majority",
    )
    st.caption(figures.matrix_words(matrix, comparison.split_name, int((facts.split == comparison.split).sum())))
    blocks.csv(
        lambda: figures.matrix_numbers(matrix),
        f"{facts.name}-against-majority-{facts.fingerprints[0][:8]}-{comparison.split}",
        "Cells (CSV)",
    )
