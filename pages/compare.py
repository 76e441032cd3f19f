"""Networks side by side: curves, confusion, scores, and the protocol behind every number."""

import streamlit as st

from core.checkpoints import CheckpointError
from core.evaluation import EvaluationError
from core.inference import ENSEMBLE
from dashboard import services, tables, theme
from dashboard.components.network_picker import forms, pick_networks, titles
from dashboard.views import SPLITS, VIEWS, Comparison

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
if with_ensemble and len(runs) > 1:
    try:
        runs[ENSEMBLE] = services.ensemble(list(runs.values()))
    except EvaluationError as error:
        st.warning(f"No ensemble: {error}", icon=":material/warning:")
if not runs:
    st.stop()

milliseconds = services.milliseconds_of(chosen)
comparison = Comparison(
    checkpoints={c.card.run_id: c for c in chosen},
    runs=runs,
    summaries={model_id: services.summary(run) for model_id, run in runs.items()},
    names=titles(chosen) | {ENSEMBLE: "Ensemble"},
    forms=forms(chosen) | {ENSEMBLE: theme.FORMS[ENSEMBLE]},
    milliseconds=milliseconds,
    split=split,
    inks=theme.ink(),
)
scores = tables.scores(comparison.summaries, comparison.cards, comparison.names, milliseconds)
st.dataframe(
    tables.styled(scores, comparison.summaries),
    hide_index=True,
    alt=f"Scores on {comparison.split_name} by network",
    column_config=tables.SCORE_COLUMNS,
)
st.caption(
    f"{comparison.split_name}, n = {comparison.n:,}; {tables.protocol(split)} Intervals are 95 %: Wilson for accuracy, "
    "bootstrap for the others. Bold: the best, and whatever its interval does not exclude. Milliseconds: one face, "
    "median on this machine."
)

view = st.segmented_control("View", list(VIEWS), default="Curves", required=True, key="view", bind="query-params")
VIEWS[view](comparison)

with st.expander("Protocol and cards"):
    for checkpoint in chosen:
        st.markdown(f"**{comparison.names[checkpoint.card.run_id]}**")
        st.markdown(tables.card_text(checkpoint.card))
