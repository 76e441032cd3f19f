"""The mistakes one by one, and the labels that may be what is wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping

import streamlit as st

from core.checkpoints import ModelCard
from core.evaluation import EvaluationRun, likely_label_errors
from dashboard import services
from dashboard.compare import blocks, image_list
from dashboard.compare.comparison import Comparison
from dashboard.plots import errors as tables

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
    chosen, by, ascending = _ask(("true", "predicted"), run, tables.ORDERS, key="sort")
    answers = services.error_table(run, [r for m, r in runs.items() if m != model_id])
    keep = tables.select(answers, chosen, _ranges(len(runs)), mistakes=shown == MISTAKES)
    image_list.draw(
        answers,
        tables.ordered(answers, keep, by, ascending=ascending),
        comparison,
        card,
        key="errors",
        alt=f"Answers of {comparison.names[model_id]}",
        explained=model_id,
    )


def _ask(
    columns: tuple[str, str], run: EvaluationRun, orders: Mapping[str, str], *, key: str
) -> tuple[dict[str, str], str, bool]:
    """The classes that are listed by column, the column to sort by, and whether the smallest comes first."""
    *boxes, order, direction = st.columns([2, 2, 2, 1], vertical_alignment="bottom")
    classes = [tables.ANY, *run.labels.classes]
    chosen = {
        column: box.selectbox(column.capitalize(), classes, key=column, bind="query-params")
        for column, box in zip(columns, boxes, strict=True)
    }
    by = order.selectbox("Sorted by", list(orders), key=key, bind="query-params")
    ascending = direction.toggle("Ascending", key="ascending", bind="query-params", help="The smallest first")
    return chosen, orders[by], ascending


def _ranges(networks: int) -> dict[str, tuple[float, float]]:
    """By column the numbers that are listed; a slider at its end lets everything pass beyond it."""
    most = math.ceil(100 * math.log2(max(2, networks))) / 100  # bits that so many networks can disagree by
    bounds = {"confidence": (1.0, "Confidence"), "disagreement": (most, "Disagreement (bits)"), "loss": (10.0, "Loss")}
    chosen = {}
    with st.expander("Filter by numbers", icon=":material/filter_alt:"):
        for column, (key, (high, label)) in zip(st.columns(len(bounds)), bounds.items(), strict=True):
            low, up_to = column.slider(label, 0.0, high, (0.0, high), 0.01, key=f"{key}_range", bind="query-params")
            chosen[key] = low, math.inf if up_to == high else up_to
    return chosen


def _labels(run: EvaluationRun, comparison: Comparison, card: ModelCard) -> None:
    issues = likely_label_errors(run)
    st.markdown(
        f"By confident learning, a share of about {issues.estimated_share} of the labels may be wrong "
        "(95 %, bootstrap); "
        f"{len(issues.table):,} images confidently look like another class. The network may be wrong as well: look "
        "before you believe it."
    )
    chosen, by, ascending = _ask(("given", "suggested"), run, tables.LABEL_ORDERS, key="sort_labels")
    keep = tables.select(issues.table, chosen, mistakes=False)
    image_list.draw(
        issues.table,
        tables.ordered(issues.table, keep, by, ascending=ascending),
        comparison,
        card,
        key="labels",
        alt="Images whose label is likely wrong",
        classes=("given", "suggested"),
    )
