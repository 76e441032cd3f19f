"""Which network is better, and whether the difference is measurable."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.errors import CheckpointError, EvaluationError, NotFiniteError
from dashboard import services
from dashboard.compare.comparison import Comparison
from dashboard.plots import scores, significance
from dashboard.section import Note, Section, Table, csv
from dashboard.ui import sections as ui
from dashboard.ui.messages import show_error

FOLDED = "Scores"  # the title of the score table where another panel is open


def sections(comparison: Comparison) -> list[Section]:
    """The result of the paired tests in words, the score table and further scores."""
    return [_verdict(comparison), score_section(comparison), _further(comparison)]


def score_section(comparison: Comparison) -> Section:
    """The scores of all networks with their costs."""
    members = {m: [card] for m, card in comparison.cards.items()}
    if comparison.ensemble is not None:
        members[comparison.ensemble.model_id] = [comparison.cards[m] for m in comparison.weights]
    table = scores.scores(comparison.summaries, members, comparison.names, comparison.milliseconds)
    hardware = dict.fromkeys(latency.hardware for latency in comparison.milliseconds.values())
    caption = (
        f"{comparison.protocol} {comparison.use_of_split} Intervals: 95 %; Wilson for accuracy, bootstrap or normal "
        "for the others. Bold: the best score, and all whose intervals overlap with it. Without copies: the images "
        f"without a pixel-identical copy in {comparison.data.split_name('train')}. NLL in nats; MACs: "
        f"multiply-accumulate operations per face."
        + (f" Milliseconds: one face at a time on {'; '.join(hardware)}." if hardware else "")
        + (f" {comparison.weights_sentence}" if comparison.weights_sentence else "")
    )
    return Section(
        table=Table(
            table,
            f"Scores on {comparison.split_name} by network",
            bold=scores.best(comparison.summaries, list(table.columns)),
        ).turned(),
        caption=caption,
        downloads=(
            csv(
                "Scores with intervals (CSV)",
                comparison.file_name("scores"),
                lambda: scores.score_numbers(comparison.summaries),
            ),
        ),
    )


def _further(comparison: Comparison) -> Section:
    return Section(
        title="Further scores",
        table=Table(
            scores.further_scores(comparison.summaries, comparison.names, comparison.runs),
            "Further scores by network",
        ).turned(),
        caption=f"{comparison.protocol} With mirror images: the mean of the probabilities for an image and its "
        "mirror image. ECE and Brier score are lower for better probabilities.",
        folded=True,
    )


def _verdict(comparison: Comparison) -> Section:
    try:
        pairs = services.paired_tests(list(comparison.all_runs.values()))
    except EvaluationError as error:
        return Section(notes=(Note(error.sentence),))
    accuracies = {m: s.accuracy for m, s in comparison.summaries.items()}
    ensemble_id = comparison.ensemble.model_id if comparison.ensemble is not None else None
    return Section(
        text=(significance.headline(pairs, accuracies, comparison.names, ensemble_id),),
        caption="McNemar's exact test on the same images, Holm-corrected for all pairs, 5 %." if pairs else "",
    )


def card_sections(comparison: Comparison) -> list[Section]:
    """How each network was trained and what limits it, folded."""
    summaries = (
        paragraph
        for run_id, card in comparison.cards.items()
        for paragraph in (f"{comparison.names[run_id]} ({run_id})", scores.card_summary(card))
    )
    return [
        Section(
            title="Training and model cards",
            text=(*summaries, *scores.terms_of_use(comparison.cards.values())),
            folded=True,
        )
    ]


def draw_folded(comparison: Comparison) -> None:
    """The score table above another panel."""
    ui.draw([replace(score_section(comparison), title=FOLDED, folded=True)])


def draw(comparison: Comparison) -> None:
    """The sections, and a button that measures the milliseconds on this machine."""
    ui.draw(sections(comparison))
    problems_key = comparison.key("measure-problems")
    for problem in st.session_state.pop(problems_key, ()):
        show_error(problem)
    if any(c.card.weights_shipped for c in comparison.checkpoints.values()) and st.button(
        "Measure milliseconds on this machine",
        key=comparison.key("measure"),
        icon=":material/timer:",
        type="tertiary",
        help="Median of 30 predictions for one face after warm-up, one network at a time",
    ):
        st.session_state[problems_key] = _measure(comparison)
        st.rerun()
    ui.draw(card_sections(comparison))


def _measure(comparison: Comparison) -> list[str]:
    """Measure the networks that have weights; the reasons why some could not be measured."""
    bar = st.progress(0.0, "Measuring")
    problems = []
    measurable = {m: c for m, c in comparison.checkpoints.items() if c.card.weights_shipped}
    for position, (run_id, checkpoint) in enumerate(measurable.items()):
        bar.progress(position / len(measurable), f"Measuring {comparison.names[run_id]}")
        try:
            services.measure_milliseconds(checkpoint)
        except (CheckpointError, NotFiniteError) as error:
            problems.append(error.sentence)
    bar.empty()
    return problems
