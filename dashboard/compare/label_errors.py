"""Labels that are likely wrong."""

from __future__ import annotations

import streamlit as st

from core.evaluation import likely_label_errors
from dashboard.compare import image_list, image_table, mistakes
from dashboard.compare.comparison import Comparison
from dashboard.section import counted
from dashboard.ui import links


def draw(comparison: Comparison) -> None:
    """The images that are confidently predicted as another class than their label."""
    runs = comparison.all_runs
    model_id = links.first_choice(st.selectbox, "Predictions of", comparison.names, key=comparison.key("judge"))
    issues = likely_label_errors(runs[model_id])
    found = f"{counted(len(issues.table), 'image')} {'is' if len(issues.table) == 1 else 'are'}"
    st.markdown(
        f"An estimated share of {issues.estimated_share} of the labels is wrong (confident learning, Northcutt et al. "
        f"2021; 95 %, bootstrap). {found} confidently predicted as another class. The network may be wrong instead of "
        "the label, so inspect each image."
    )
    chosen, by, ascending = mistakes.filters(
        comparison, ("given", "suggested"), image_table.LABEL_ORDERS, keys=("sort_labels", "ascending_labels")
    )
    keep = image_table.select(issues.table, chosen, mistakes=False)
    image_list.draw(
        issues.table,
        image_table.ordered(issues.table, keep, by, ascending=ascending),
        comparison,
        key="labels",
        alt="Images whose label is likely wrong",
        classes=("given", "suggested"),
    )
