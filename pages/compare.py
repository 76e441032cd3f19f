"""Networks side by side: curves, confusion, scores, and the protocol behind every number."""

import pandas as pd
import streamlit as st

from core.checkpoints import CheckpointError
from core.evaluation import ConfusionMatrix, EvaluationError, per_class
from core.inference import ENSEMBLE
from dashboard import charts, services, tables, theme
from dashboard.components.network_picker import forms, pick_networks, titles
from dashboard.published import PUBLISHED
from dashboard.theme import FORMS

SPLITS = {"test": "PrivateTest", "val": "PublicTest"}
VIEWS = ["Curves", "Confusion", "Per class", "Published"]

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

name_of = titles(chosen) | {ENSEMBLE: "Ensemble"}
form_of = forms(chosen) | {ENSEMBLE: FORMS["ensemble"]}
inks = theme.ink()

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

cards = {c.card.run_id: c.card for c in chosen}
summaries = {model_id: services.summary(run) for model_id, run in runs.items()}
scores = tables.scores(summaries, cards, name_of)
st.dataframe(
    tables.styled(scores, summaries),
    hide_index=True,
    alt=f"Scores on {SPLITS[split]} by network",
    column_config=tables.SCORE_COLUMNS,
)
n = next(iter(runs.values())).truth.size
st.caption(
    f"{SPLITS[split]}, n = {n:,}; {tables.protocol(split)} Intervals are 95 %: Wilson for accuracy, bootstrap for the "
    "others. Bold: the best, and whatever its interval does not exclude."
)

view = st.segmented_control("View", VIEWS, default="Curves", required=True, key="view", bind="query-params")

if view == "Curves":
    histories = {c.card.run_id: services.history(c) for c in chosen}
    shown = {m: h for m, h in histories.items() if len(h)}
    missing = [name_of[m] for m in histories if m not in shown]
    if missing:
        st.info(f"No training history is kept for {', '.join(missing)}.")
    if shown:
        for column, measure in zip(st.columns(2), ("accuracy", "loss"), strict=True):
            with column:
                figure = charts.learning_curves(
                    shown, {m: cards[m].chosen_epoch for m in shown}, form_of, name_of, inks, measure
                )
                st.markdown(f"**{measure.capitalize()}**")
                st.plotly_chart(
                    figure,
                    key=f"curve-{measure}",
                    config=charts.CONFIG,
                    alt=f"Training and PublicTest {measure} by epoch",
                )
        st.caption(
            "Strong: PublicTest, with the weights that would ship. Faint: training, a running mean over augmented "
            "images while the weights move, so it can lie below. Marked: the epoch that PublicTest chose."
        )
        together = pd.concat([h.assign(network=m) for m, h in shown.items()])
        st.download_button(
            "History (CSV)", lambda: together.to_csv(index=False), "history.csv", "text/csv", icon=":material/table:"
        )

elif view == "Confusion":
    show = st.segmented_control(
        "Cells", ["counts", "by true class"], default="counts", required=True, key="cells", bind="query-params"
    )
    matrices = {m: ConfusionMatrix.from_run(run) for m, run in runs.items()}
    for row in range(0, len(matrices), 2):
        for column, (model_id, matrix) in zip(st.columns(2), list(matrices.items())[row : row + 2], strict=False):
            with column:
                figure = charts.confusion(matrix, inks, show=show, title=name_of[model_id])
                st.plotly_chart(
                    figure,
                    key=f"confusion-{model_id}",
                    config=charts.CONFIG,
                    alt=f"Confusion matrix of {name_of[model_id]}",
                )
                st.download_button(
                    "Counts (CSV)",
                    lambda m=matrix: tables.confusion_csv(m),
                    f"confusion-{model_id}-{split}.csv",
                    "text/csv",
                    icon=":material/table:",
                    key=f"confusion-csv-{model_id}",
                    type="tertiary",
                )
    st.caption(f"{SPLITS[split]}, n = {n:,}. Colour: the share of the true class, on one scale for all matrices.")

elif view == "Per class":
    measure = st.segmented_control(
        "Score", ["F1", "precision", "recall"], default="F1", required=True, key="measure", bind="query-params"
    )
    of_classes = {m: per_class(run) for m, run in runs.items()}
    st.plotly_chart(
        charts.per_class(of_classes, form_of, name_of, inks, measure.lower()),
        key="per-class",
        config=charts.CONFIG,
        alt=f"{measure} by class and network",
    )
    table = tables.per_class(of_classes, name_of)
    with st.expander("Numbers"):
        st.dataframe(table, hide_index=True, alt="Precision, recall and F1 by class and network")
    st.download_button(
        "Per class (CSV)",
        lambda: table.to_csv(index=False),
        f"per-class-{split}.csv",
        "text/csv",
        icon=":material/table:",
    )
    st.caption(f"{SPLITS[split]}, n = {n:,}. A class without images has no score: not defined, not 0.")

else:
    st.dataframe(
        tables.published(PUBLISHED, summaries, cards, name_of, SPLITS[split]),
        hide_index=True,
        alt="Figures published by others beside FERscope's own",
        column_config={"why": st.column_config.TextColumn("why", width="large")},
    )
    st.caption(
        "Figures of other systems are what their authors published, under their own protocol. *Not comparable* means "
        "that data, classes or split differ or are not stated, so that neither number says who is better."
    )

with st.expander("Protocol and cards"):
    for checkpoint in chosen:
        st.markdown(f"**{name_of[checkpoint.card.run_id]}**")
        st.markdown(tables.card_text(checkpoint.card))
