"""Networks side by side: curves, confusion, scores, and the protocol behind every number."""

import streamlit as st

from core.errors import CheckpointError, EvaluationError
from core.evaluation import comparable_runs
from core.inference import ENSEMBLE
from dashboard import services, style
from dashboard.compare import SPLITS, VIEWS, Comparison, blocks, tables
from dashboard.ui import theme
from dashboard.ui.network_picker import ensemble_name, forms, pick_networks, pick_weights, titles

with st.sidebar:
    chosen = pick_networks()
    split = st.segmented_control(
        "Split",
        list(SPLITS),
        format_func=SPLITS.__getitem__,
        default="test",
        required=True,
        key="split",
        bind="query-params",
        help="PublicTest chose the epoch and the temperature; PrivateTest was scored once.",
    )
    with_ensemble = st.toggle("Their ensemble", value=True, key="with_ensemble", bind="query-params")
    weights = pick_weights(chosen)

st.title("Compare")
st.markdown("How good each network is, where it fails, and under which protocol its number was made.")
if not chosen:
    st.info("Choose at least one network in the sidebar.", icon=":material/info:")
    st.stop()

runs = {}
for checkpoint in chosen:
    try:
        runs[checkpoint.card.run_id] = services.evaluation(checkpoint, split)
    except (CheckpointError, EvaluationError) as error:
        st.warning(str(error), icon=":material/warning:")
if not runs:
    st.stop()
chosen = [c for c in chosen if c.card.run_id in runs]
names = titles(chosen)
together, apart = comparable_runs(list(runs.values()))
for model_id, why in apart.items():
    st.warning(f"{names[model_id]} does not compare with the others: {why}.", icon=":material/warning:")
members = [r for r in together if weights[r.model_id]]
if with_ensemble and len(together) > 1:
    if members:
        runs[ENSEMBLE] = services.ensemble(members, [weights[r.model_id] for r in members])
    else:
        st.info("Give at least one network a weight above 0 for an ensemble.", icon=":material/info:")

milliseconds = services.milliseconds_of(chosen)
comparison = Comparison(
    checkpoints={c.card.run_id: c for c in chosen},
    runs=runs,
    summaries={model_id: services.summary(run) for model_id, run in runs.items()},
    names=names | {ENSEMBLE: ensemble_name({r.model_id: weights[r.model_id] for r in members})},
    forms=forms(chosen) | {ENSEMBLE: style.FORMS[ENSEMBLE]},
    milliseconds=milliseconds,
    split=split,
    inks=theme.ink(),
    weights=weights,
)
scores = tables.scores(comparison.summaries, comparison.cards, comparison.names, milliseconds, comparison.members)
st.dataframe(
    tables.styled(scores, comparison.summaries, comparison.comparable()[0]),
    hide_index=True,
    alt=f"Scores on {comparison.split_name} by network",
    column_config=tables.SCORE_COLUMNS,
)
st.caption(
    f"{comparison.split_name}, n = {comparison.n:,}; {tables.protocol(split)} Intervals are 95 %: Wilson for accuracy, "
    "bootstrap or the normal one for the others. Bold: the best, and whatever its interval does not exclude. "
    f"Milliseconds: one face, median on this machine.{comparison.weights_in_words}"
)
blocks.csv(lambda: tables.score_numbers(comparison.summaries, comparison.names), f"scores-{split}", "Scores (CSV)")

view = st.segmented_control("View", list(VIEWS), default="Curves", required=True, key="view", bind="query-params")
VIEWS[view](comparison)

with st.expander("Protocol and cards"):
    for checkpoint in chosen:
        st.markdown(f"**{comparison.names[checkpoint.card.run_id]}**")
        st.markdown(tables.card_text(checkpoint.card))
