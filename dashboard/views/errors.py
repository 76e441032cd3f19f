"""The mistakes one by one, and the labels that may be what is wrong."""

from __future__ import annotations

import streamlit as st

from core.checkpoints import ModelCard
from core.evaluation import EvaluationRun, likely_label_errors
from dashboard import services
from dashboard.figures import errors as tables
from dashboard.views import blocks, image_list
from dashboard.views.comparison import Comparison

MISTAKES, EVERYTHING, LABELS = LISTS = ("mistakes", "all images", "likely wrong labels")


def draw(comparison: Comparison) -> None:
    """A list of images to filter and to sort."""
    runs = blocks.comparable(comparison)
    of, listing = st.columns(2)
    model_id = of.selectbox(
        "Answers of", list(runs), format_func=comparison.names.__getitem__, key="of", bind="query-params"
    )
    shown = listing.segmented_control(
        "List", LISTS, default=MISTAKES, required=True, key="list", bind="query-params", width="stretch"
    )
    run = runs[model_id]
    card = comparison.cards.get(model_id) or next(iter(comparison.cards.values()))
    if shown == LABELS:
        _labels(run, comparison, card)
        return
    classes = [tables.ANY, *run.labels.classes]
    true, predicted, order = st.columns(3)
    table = tables.ordered(
        tables.select(
            services.error_table(run, [r for m, r in runs.items() if m != model_id]),
            true=true.selectbox("True", classes, key="true", bind="query-params"),
            predicted=predicted.selectbox("Predicted", classes, key="predicted", bind="query-params"),
            mistakes=shown == MISTAKES,
        ),
        order.selectbox("Sorted by", list(tables.ORDERS), key="sort", bind="query-params", help="The largest first"),
    )
    image_list.draw(
        table, comparison, card, key="errors", alt=f"Answers of {comparison.names[model_id]}", explained=model_id
    )


def _labels(run: EvaluationRun, comparison: Comparison, card: ModelCard) -> None:
    issues = likely_label_errors(run)
    st.markdown(
        f"By confident learning, a share of about {issues.estimated_share:.3f} of the labels may be wrong; "
        f"{len(issues.table):,} images confidently look like another class. The network may be wrong as well: look "
        "before you believe it."
    )
    image_list.draw(
        issues.table,
        comparison,
        card,
        key="labels",
        alt="Images whose label is likely wrong",
        classes=("given", "suggested"),
    )
