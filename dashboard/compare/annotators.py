"""Networks compared with the ten annotators of FER+."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from core.data import ImageFacts, ferplus_majority
from core.data.info import FERPLUS
from core.errors import DataError, EvaluationError
from core.evaluation import AnnotatorComparison, AnnotatorVotes, compare_with_annotators, label_against_majority
from dashboard.compare.comparison import Comparison, image_facts
from dashboard.plots import annotators as plots
from dashboard.section import Figure, Note, Section, Table, csv
from dashboard.ui import links
from dashboard.ui import sections as ui

MEANINGS = {
    plots.AGREEMENT: "Probability that a random annotator of an image agrees with the network.",
    plots.CROSS_ENTROPY: "From the votes on the network's classes to its probabilities.",
}


def references(comparison: Comparison) -> tuple[str, ...]:
    """What accuracy by the annotators' agreement can be measured against: of ``plots.AGAINST``, those that differ."""
    labels_of_votes = comparison.data.title == FERPLUS.title
    return (plots.MAJORITY,) if labels_of_votes else plots.AGAINST


def sections(comparison: Comparison) -> list[Section]:
    """Agreement, cross-entropy, accuracy by the annotators' agreement, and the labels against their majority."""
    facts, results, notes = _results(comparison)
    if facts is None or not results:
        return [Section(notes=tuple(notes), caption=comparison.protocol)]
    return [
        *_agreement(comparison, results, notes),
        _by_agreement(comparison, results, references(comparison)),
        *_labels(comparison, facts),
    ]


def _results(comparison: Comparison) -> tuple[ImageFacts | None, dict[str, AnnotatorComparison], list[Note]]:
    """The table of votes, the agreement of each network with them, and notes on what is missing."""
    facts, notes = image_facts(comparison)
    if facts is None:
        return None, {}, notes
    if facts.votes is None:
        return facts, {}, [Note(f"{facts.name} has no FER+ votes.")]
    try:
        of_images = facts.at(next(iter(comparison.runs.values())).image_ids).votes
        assert of_images is not None  # the whole table has them
        votes = AnnotatorVotes(of_images, ferplus_majority(of_images))  # the same for all networks
        return facts, {m: compare_with_annotators(run, votes) for m, run in comparison.all_runs.items()}, notes
    except (DataError, EvaluationError) as error:
        return facts, {}, [Note(error.sentence, is_warning=True)]


def _agreement(
    comparison: Comparison, results: Mapping[str, AnnotatorComparison], notes: Sequence[Note]
) -> list[Section]:
    return [
        Section(
            notes=tuple(notes),
            figures=tuple(
                Figure(
                    plots.marks(results, comparison.styles, comparison.names, comparison.inks, measure),
                    comparison.key(f"annotators-{position}"),
                    f"{measure.capitalize()} by network, compared with that of the annotators",
                    caption=meaning,
                )
                for position, (measure, meaning) in enumerate(MEANINGS.items())
            ),
            table=Table(
                plots.table(results, comparison.names), "Agreement with the annotators and cross-entropy by network"
            ),
            caption=f"{comparison.protocol} Images without votes are left out. Intervals: 95 %, normal. Another "
            "annotator: the probability that two annotators of one image agree. Most frequent vote: the agreement of a "
            "network that always predicts it, which no prediction can exceed. The entropy of the votes is the lowest "
            "possible cross-entropy.",
            downloads=(
                csv(
                    "Agreement and cross-entropy (CSV)",
                    comparison.file_name("annotator-agreement"),
                    lambda: plots.numbers(results),
                ),
            ),
        )
    ]


def _by_agreement(
    comparison: Comparison, results: Mapping[str, AnnotatorComparison], references: Sequence[str]
) -> Section:
    return Section(
        title="Accuracy by the annotators' agreement",
        figures=tuple(
            Figure(
                plots.by_agreement(results, comparison.styles, comparison.names, comparison.inks, against),
                comparison.key(f"annotators-by-agreement-{position}"),
                f"Accuracy against the {against} by the annotators' agreement",
            )
            for position, against in enumerate(references)
        ),
        caption=f"{comparison.protocol} 0.6: six of ten annotators gave the most frequent vote. The FER+ majority is "
        "defined only where more than half of the votes, without single votes, agree on an expression (Barsoum et al. "
        "2016). Error bars: 95 % (Wilson).",
        downloads=(
            csv(
                "Accuracy by agreement (CSV)",
                comparison.file_name("accuracy-by-agreement"),
                lambda: plots.group_numbers(results),
            ),
        ),
    )


def _labels(comparison: Comparison, facts: ImageFacts) -> list[Section]:
    if plots.LABEL not in references(comparison):
        return []
    rows = facts.split == comparison.split
    assert facts.votes is not None  # there are results
    matrix = label_against_majority(facts.labels, facts.truth[rows], ferplus_majority(facts.votes[rows]))
    split = f"{facts.name} {comparison.split_name}, n = {int(rows.sum()):,}."
    return [
        Section(
            title=f"Labels of {facts.name} against the FER+ majority",
            figures=(
                Figure(
                    plots.label_matrix(matrix, comparison.inks),
                    comparison.key("annotators-labels"),
                    f"Labels of {facts.name} by FER+ majority",
                ),
            ),
            caption=f"{split} {plots.label_agreement(matrix)}",
            downloads=(
                csv(
                    "Labels by FER+ majority (CSV)",
                    comparison.file_name("labels-by-majority"),
                    lambda: plots.matrix_numbers(matrix),
                ),
            ),
        )
    ]


def draw(comparison: Comparison) -> None:
    """What accuracy is measured against, and the sections."""
    facts, results, notes = _results(comparison)
    if facts is None or not results:
        ui.draw([Section(notes=tuple(notes), caption=comparison.protocol)])
        return
    ui.draw(_agreement(comparison, results, notes))
    offered = references(comparison)
    against = offered[0]
    if len(offered) > 1:
        key = comparison.key("against")
        against = links.first_choice(st.segmented_control, "Accuracy against", offered, key=key)
    ui.draw([_by_agreement(comparison, results, (against,)), *_labels(comparison, facts)])
