"""The predictions of a network, image by image."""

from __future__ import annotations

import math

import streamlit as st

from dashboard.compare import image_list, image_table
from dashboard.compare.comparison import Comparison
from dashboard.ui import link_page, links

MISTAKES, ALL = LISTS = ("mistakes", "all images")


def draw(comparison: Comparison) -> None:
    """The images of one network, filtered and sorted."""
    left, right = st.columns(2, vertical_alignment="bottom")
    with left:
        model_id = links.first_choice(st.selectbox, "Predictions of", comparison.names, key=comparison.key("of"))
    with right:
        listed = links.first_choice(st.segmented_control, "List", LISTS, key=comparison.key("list"), width="stretch")
    chosen, by, ascending = filters(comparison, ("true", "predicted"), image_table.ORDERS, keys=("sort", "ascending"))
    predictions = comparison.error_table(str(model_id))
    keep = image_table.select(predictions, chosen, _ranges(comparison), mistakes=listed == MISTAKES)
    image_list.draw(
        predictions,
        image_table.ordered(predictions, keep, by, ascending=ascending),
        comparison,
        key="errors",
        alt=f"Predictions of {comparison.names[model_id]}",
        explained=model_id,
    )


def filters(
    comparison: Comparison, columns: tuple[str, str], orders: dict[str, str], *, keys: tuple[str, str]
) -> tuple[dict[str, str], str, bool]:
    """The classes to list by column, the column to sort by, and whether the smallest value comes first; ``keys`` are
    those of the controls for the latter two."""
    *boxes, order, direction = st.columns([2, 2, 2, 1], vertical_alignment="bottom")
    classes = [image_table.ANY, *comparison.labels.classes]
    chosen = {}
    for column, box in zip(columns, boxes, strict=True):
        with box:
            chosen[column] = links.first_choice(st.selectbox, column.capitalize(), classes, key=comparison.key(column))
    with order:
        by = links.first_choice(st.selectbox, "Sort by", list(orders), key=comparison.key(keys[0]))
    with direction:
        ascending = links.toggle("Ascending", key=comparison.key(keys[1]), help="Smallest value first")
    return chosen, orders[by], ascending


def _ranges(comparison: Comparison) -> dict[str, tuple[float, float]]:
    """The numbers to list by column. A slider at its upper end has no upper bound."""
    bounds = {
        "confidence": (1.0, "Confidence"),
        "disagreement": (2.0, "Disagreement (bits)"),  # the largest one of four networks
        "loss": (10.0, "Loss (nats)"),
    }
    chosen = {}
    with link_page.messages_in(st.container()), st.expander("Filter by numbers", icon=":material/filter_alt:"):
        for column, (field, (high, label)) in zip(st.columns(len(bounds)), bounds.items(), strict=True):
            with column:
                low, up_to = links.range_slider(label, 0.0, high, 0.01, key=comparison.key(f"{field}_range"))
            chosen[field] = low, math.inf if up_to == high else up_to
    return chosen
