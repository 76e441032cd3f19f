"""An ensemble put together on the spot, and what each member is worth to it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.evaluation import EvaluationError, EvaluationRun, compare, ensemble_run, leave_one_out, per_class, summarise
from core.inference import ENSEMBLE
from dashboard import charts, tables, theme
from dashboard.figures import significance as figures
from dashboard.views import blocks
from dashboard.views.comparison import Comparison


def draw(comparison: Comparison) -> None:
    """Members and weights, the scores of their weighted mean, and the ensemble without each of them."""
    members = _one_label_set(comparison)
    if len(members) < 2:
        st.info("An ensemble needs two networks: choose another one in the sidebar.", icon=":material/info:")
        return
    weights = _weights(members, comparison)
    runs = [members[m] for m, w in weights.items() if w > 0]
    shares = [w for w in weights.values() if w > 0]
    try:
        mean = ensemble_run(runs, shares, model_id=ENSEMBLE)
    except EvaluationError:  # all weights are 0
        st.info("Give at least one network a weight above 0.", icon=":material/info:")
        return
    _scores(comparison, runs, mean)
    if len(runs) > 1:
        _worth(comparison, runs, shares)


def _one_label_set(comparison: Comparison) -> dict[str, EvaluationRun]:
    """The single networks on one label set and the same images: classes that a network alone has are dropped."""
    singles = {m: r for m, r in comparison.runs.items() if m in comparison.checkpoints}
    if not singles:
        return {}
    reference = min(singles.values(), key=lambda run: len(run.labels))
    members = {}
    for model_id, run in singles.items():
        name = comparison.names[model_id]
        try:
            if set(run.labels.classes) > set(reference.labels.classes):
                dropped = [c for c in run.labels.classes if c not in reference.labels.classes]
                mapped = run.on_images(reference.image_ids).mapped_to(reference.labels, truth=reference.truth)
                st.caption(
                    f"{name} knows {', '.join(dropped)} too: dropped here, and its other probabilities renormalised to "
                    f"{reference.labels.name}."
                )
                run = mapped
            members[model_id] = reference.paired_with(run)[1]
        except EvaluationError as error:
            st.warning(f"{name} is left out: {error}.", icon=":material/warning:")
    return members


def _weights(members: Mapping[str, EvaluationRun], comparison: Comparison) -> dict[str, float]:
    columns = st.columns(min(4, len(members)))
    return {
        model_id: columns[i % len(columns)].slider(
            f"Weight of {comparison.names[model_id]}",
            0.0,
            1.0,
            1.0,
            0.05,
            key=f"weight_{model_id}",
            bind="query-params",
            help="0 leaves the network out; only the ratio of the weights counts",
        )
        for i, model_id in enumerate(members)
    }


def _scores(comparison: Comparison, runs: list[EvaluationRun], mean: EvaluationRun) -> None:
    """The ensemble beside its members, and whether it is better than the best of them."""
    names = {**comparison.names, ENSEMBLE: "This ensemble"}
    summaries = {ENSEMBLE: summarise(mean)} | {r.model_id: summarise(r) for r in runs}
    cards = {r.model_id: comparison.cards[r.model_id] for r in runs}
    scores = tables.scores(summaries, cards, names)
    st.dataframe(
        tables.styled(scores, summaries),
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
        "while looking at these images flatter: choose on PublicTest, look at PrivateTest once."
    )
    blocks.csv(lambda: scores, f"ensemble-{comparison.split}")
    of_classes = {ENSEMBLE: per_class(mean), best.model_id: per_class(best)}
    st.markdown("**F1 by class**")
    blocks.figure(
        charts.per_class(
            of_classes, {**comparison.forms, ENSEMBLE: theme.FORMS[ENSEMBLE]}, names, comparison.inks, "f1"
        ),
        comparison,
        key="ensemble-f1",
        alt="F1 by class of this ensemble and of its most accurate member",
        caption="The ensemble and its most accurate member. Whiskers: 95 %, bootstrap.",
        numbers=lambda: tables.per_class(of_classes, names),
    )


def _worth(comparison: Comparison, runs: list[EvaluationRun], shares: list[float]) -> None:
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
        caption="All others keep their weights. Whiskers: 95 %, paired bootstrap. Filled: a measurable difference.",
        numbers=lambda: figures.numbers(pairs),
    )
    for pair, run in zip(pairs, runs, strict=True):
        st.markdown(f"**{comparison.names[run.model_id]}.** {figures.in_words(pair, names, together=len(pairs))}")
