"""ROC, precision-recall, top-k, and accuracy against its cost."""

from __future__ import annotations

import streamlit as st

from core.evaluation import pr_curves, roc_curves, top_k
from dashboard.compare import blocks, findings
from dashboard.compare.comparison import Comparison
from dashboard.plots import ranking as figures

ROC, PR, TOP_K, COST = KINDS = ("ROC", "precision-recall", "top-k", "cost")
INTERVALS = {
    ROC: "Areas with 95 % intervals: Wilson's with DeLong's variance, approximate below 10 images; for the mean over "
    "the classes those of Zou and Donner.",
    PR: "Average precision with 95 % logit intervals; the mean over the classes has the mean of "
    "their widths, the widest it can be.",
}


def draw(comparison: Comparison) -> None:
    """One figure at a time."""
    kind = st.segmented_control("Figure", KINDS, default=ROC, required=True, key="ranking", bind="query-params")
    if kind == TOP_K:
        _top_k(comparison)
    elif kind == COST:
        _cost(comparison)
    else:
        _curves(comparison, kind)


def _curves(comparison: Comparison, kind: str) -> None:
    of_run = roc_curves if kind == ROC else pr_curves
    of_networks = {m: of_run(run) for m, run in blocks.comparable(comparison).items()}
    classes = dict.fromkeys(c.name for of in of_networks.values() for c in of.classes)
    shown = st.pills(
        "Classes",
        [figures.MACRO, *classes],
        selection_mode="multi",
        default=[figures.MACRO],
        key="ranked",
        bind="query-params",
    )
    if not shown:
        st.info("Choose at least one class, or macro.", icon=":material/info:")
        return
    blocks.figure(
        figures.curves(of_networks, shown, comparison.forms, comparison.names, comparison.inks, kind),
        comparison,
        key=f"ranking-{kind}",
        alt=f"{kind} curves of {', '.join(shown)} by network",
        caption=f"Each class against the rest, by its probability. {INTERVALS[kind]}",
        numbers=lambda: figures.curve_numbers(of_networks, kind),
    )
    st.dataframe(
        figures.areas(of_networks, comparison.names), hide_index=True, alt=f"Areas under the {kind} curves by class"
    )
    st.caption("A class without images has no curve and no area: not defined, and not in the mean.")


def _top_k(comparison: Comparison) -> None:
    scores = {m: top_k(run) for m, run in blocks.comparable(comparison).items()}
    blocks.figure(
        figures.top_k(scores, comparison.forms, comparison.names, comparison.inks),
        comparison,
        key="ranking-top-k",
        alt="Top-k accuracy by network",
        caption="k = 1 is accuracy. Whiskers: 95 % (Wilson).",
        numbers=lambda: figures.top_k_numbers(scores),
    )


def _cost(comparison: Comparison) -> None:
    title = st.segmented_control(
        "Cost", findings.COSTS, default=findings.PARAMETERS, required=True, key="cost", bind="query-params"
    )
    costs, missing = findings.costs(comparison, title)
    blocks.notes(missing)
    if not costs:
        return
    kept = blocks.comparable(comparison)
    costs = {m: cost for m, cost in costs.items() if m in kept}
    summaries = {m: comparison.summaries[m] for m in costs}
    blocks.figure(
        figures.cost(summaries, costs, comparison.forms, comparison.names, comparison.inks, title),
        comparison,
        key="ranking-cost",
        alt=f"Accuracy against {title}, with the Pareto line",
        caption="Whiskers: 95 % (Wilson); where they overlap, the line alone does not say who is better. The line "
        "joins the networks that none beats in accuracy for less. Cost: one face"
        + (", median on this machine." if title == findings.MILLISECONDS else "."),
        numbers=lambda: figures.cost_numbers(summaries, costs),
    )
