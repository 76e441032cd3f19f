"""An ensemble put together on the spot, and what each member is worth to it."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.checkpoints import ModelCard
from core.evaluation import EvaluationRun, compare, ensemble_run, leave_one_out, on_one_label_set, per_class
from core.inference import ENSEMBLE
from dashboard import services, style
from dashboard.compare import blocks, tables
from dashboard.compare.comparison import Comparison
from dashboard.plots import charts
from dashboard.plots import significance as figures


def draw(comparison: Comparison) -> None:
    """Members and weights, the scores of their weighted mean, and the ensemble without each of them."""
    members, changed = _one_label_set(comparison)
    if len(members) < 2:
        st.info("An ensemble needs two networks: choose another one in the sidebar.", icon=":material/info:")
        return
    comparison = replace(comparison, runs=members)  # the captions count these images
    weights = {m: comparison.weights[m] for m in members if comparison.weights[m] > 0}
    if not weights:
        st.info("Give at least one network a weight above 0 in the sidebar.", icon=":material/info:")
        return
    runs, shares = [members[m] for m in weights], list(weights.values())
    if not len(runs[0]):
        st.info("There is no image to score an ensemble on.", icon=":material/info:")
        return
    st.markdown(
        "Members and weights are chosen in the sidebar; the ensemble there stands in every other view, too. Here it "
        "is taken apart."
    )
    mean = ensemble_run(runs, shares, model_id=ENSEMBLE)
    _scores(comparison, runs, mean, changed)
    if len(runs) > 1:
        _worth(comparison, runs, shares, changed)


def _one_label_set(comparison: Comparison) -> tuple[dict[str, EvaluationRun], str]:
    """The single networks on one label set and the same images, and what was dropped for it, as said in the captions.

    Networks that do not fit are named in a sentence.
    """
    cards, names = comparison.cards, comparison.names
    singles = [r for m, r in comparison.runs.items() if m in cards]
    if not singles:
        return {}, ""
    source = _source(cards[min(singles, key=lambda run: len(run.labels)).model_id])
    strangers = [r.model_id for r in singles if _source(cards[r.model_id]) != source]
    for model_id in strangers:
        st.warning(
            f"{names[model_id]} is left out: it was scored on {cards[model_id].data.title}, the others on {source}, "
            "and rows with the same number are not the same image.",
            icon=":material/warning:",
        )
    members = on_one_label_set([r for r in singles if r.model_id not in strangers])
    for model_id, reason in members.refused.items():
        st.warning(f"{names[model_id]} is left out: {reason}.", icon=":material/warning:")
    changed = "".join(
        f" {names[model_id]} without {', '.join(classes)}, its other probabilities renormalized to "
        f"{members.labels.name}."
        for model_id, classes in members.dropped.items()
    )
    if members.left_out:
        changed += (
            f" {members.left_out:,} images that not every network answered are left out for all; the labels are those "
            f"of {source}."
        )
    if changed:
        st.info(changed.strip(), icon=":material/info:")
    return dict(members.runs), changed


def _source(card: ModelCard) -> str:
    """The data set whose rows the answers are numbered by: FER+ labels the images of FER2013 anew."""
    return card.data.source


def _scores(comparison: Comparison, runs: list[EvaluationRun], mean: EvaluationRun, changed: str) -> None:
    """The ensemble beside its members, and whether it is better than the best of them."""
    names = {**comparison.names, ENSEMBLE: "This ensemble"}
    summaries = {r.model_id: services.summary(r) for r in (mean, *runs)}
    cards = {r.model_id: comparison.cards[r.model_id] for r in runs}
    scores = tables.scores(summaries, cards, names, comparison.milliseconds, list(cards))
    st.dataframe(
        tables.styled(scores, summaries, list(summaries)),
        hide_index=True,
        alt="Scores of this ensemble and of its members",
        column_config=tables.SCORE_COLUMNS,
    )
    best = max(runs, key=lambda run: summaries[run.model_id].accuracy.value)
    if len(runs) > 1:
        words = figures.in_words(compare(mean, best), names)
        st.markdown(f"**Against its most accurate member, {names[best.model_id]}.** {words}")
    st.caption(
        f"{blocks.protocol(comparison)} The weighted mean of the members' calibrated probabilities. Weights chosen "
        f"while looking at these images flatter: choose on PublicTest, look at PrivateTest once.{changed}"
    )
    blocks.csv(lambda: scores, f"ensemble-{comparison.split}")
    of_classes = {ENSEMBLE: per_class(mean), best.model_id: per_class(best)}
    st.markdown("**F1 by class**")
    blocks.figure(
        charts.per_class(
            of_classes, {**comparison.forms, ENSEMBLE: style.FORMS[ENSEMBLE]}, names, comparison.inks, "f1"
        ),
        comparison,
        key="ensemble-f1",
        alt="F1 by class of this ensemble and of its most accurate member",
        caption=f"The ensemble and its most accurate member. Whiskers: 95 %, bootstrap.{changed}",
        numbers=lambda: tables.per_class(of_classes, names),
    )


def _worth(comparison: Comparison, runs: list[EvaluationRun], shares: list[float], changed: str) -> None:
    """The ensemble with and without each member."""
    pairs = leave_one_out(runs, shares)
    names = {ENSEMBLE: "This ensemble"} | {
        pair.second: f"the ensemble without {comparison.names[run.model_id]}"
        for pair, run in zip(pairs, runs, strict=True)
    }
    st.markdown("**What each member is worth**")
    blocks.figure(
        figures.differences(
            pairs,
            [comparison.names[run.model_id] for run in runs],
            comparison.inks,
            title="accuracy with the member − without it",
        ),
        comparison,
        key="leave-one-out",
        alt="Accuracy that each member adds to the ensemble, with its 95 % interval",
        caption="All others keep their weights. Whiskers: 95 %, paired bootstrap. Filled: a measurable difference."
        + changed,
        numbers=lambda: figures.numbers(pairs),
    )
    for pair, run in zip(pairs, runs, strict=True):
        st.markdown(f"**{comparison.names[run.model_id]}.** {figures.in_words(pair, names, together=len(pairs))}")
