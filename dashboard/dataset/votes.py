"""The labels of a data set against the votes of ten annotators."""

from __future__ import annotations

import streamlit as st

from core.data import FERPLUS_FILE, ferplus_majority
from core.data.info import FER2013
from core.evaluation import label_against_majority
from dashboard.dataset.description import Description
from dashboard.plots import annotators as plots
from dashboard.section import Figure, Note, Section, csv
from dashboard.style import Ink
from dashboard.ui import links, theme
from dashboard.ui import sections as ui

ALL = "all splits"


def sections(description: Description, inks: Ink, split: str = ALL) -> list[Section]:
    """Labels by FER+ majority, of one split or of all."""
    facts = description.facts
    if facts is None:
        return [Section(notes=(Note(description.missing),))]
    if facts.votes is None:
        how = f"For {FER2013.title}, put {FERPLUS_FILE} into the folder of {FER2013.file_name}."
        return [Section(notes=(Note(f"{description.name} has no FER+ votes. {how}"),))]
    rows = slice(None) if split == ALL else facts.split == split
    matrix = label_against_majority(facts.labels, facts.truth[rows], ferplus_majority(facts.votes[rows]))
    title = description.split_names.get(split, split)
    return [
        Section(
            figures=(
                Figure(plots.label_matrix(matrix, inks), "votes", f"Labels of {description.name} by FER+ majority"),
            ),
            caption=f"{description.name} {title}, n = {int(matrix.counts.sum()):,}. {plots.label_agreement(matrix)} A "
            "majority is more than half of the votes without single votes (Barsoum et al. 2016).",
            downloads=(
                csv(
                    "Labels by FER+ majority (CSV)",
                    f"dataset-votes-{split.replace(' ', '-')}.csv",
                    lambda: plots.matrix_numbers(matrix),
                ),
            ),
        )
    ]


def draw(description: Description) -> None:
    """The choice of the split, and the sections."""
    split = ALL
    if description.facts is not None and description.facts.votes is not None:
        names = {ALL: ALL} | {s: name for s, name in description.split_names.items() if description.totals[s]}
        split = links.first_choice(
            st.segmented_control, "Split", names, key="voted_split", aliases={s: [s] for s in names}
        )
    ui.draw(sections(description, theme.ink(), split))
