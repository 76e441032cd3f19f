"""ROC and precision-recall curves, top-k accuracy, and accuracy against cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from core.evaluation import pr_curves, roc_curves, top_k
from dashboard.compare.comparison import Comparison
from dashboard.plots import ranking as plots
from dashboard.section import Figure, Note, Section, Table, csv
from dashboard.ui import links
from dashboard.ui import sections as ui

ROC, PR, TOP_K, COST = KINDS = ("ROC", "precision-recall", "top-k", "cost")
PARAMETERS, MACS, MILLISECONDS = COSTS = ("parameters", "multiply-accumulates", "milliseconds")
TABLE_NOTES = {
    ROC: "The table shows the areas under the curves with 95 % intervals by Wilson's method with DeLong's variance, "
    "approximate for fewer than 10 images; for the mean over the classes, by the method of Zou and Donner.",
    PR: "The table shows the average precision with 95 % intervals by Wilson's method, approximate for fewer than 10 "
    "images. The interval of the mean over the classes is the mean of the intervals of the classes, which is "
    "conservative.",
}


@dataclass(frozen=True)
class Options:
    """The figures to draw, and the classes ("macro" is their mean) and costs that they show."""

    kinds: Sequence[str] = KINDS
    classes: Sequence[str] = (plots.MACRO,)
    costs: Sequence[str] = COSTS


def sections(comparison: Comparison, options: Options = Options()) -> list[Section]:
    """One section for each kind of figure."""
    found = [_curves(comparison, kind, options.classes) for kind in (ROC, PR) if kind in options.kinds]
    if TOP_K in options.kinds:
        found.append(_top_k(comparison))
    if COST in options.kinds:
        found.append(_cost(comparison, options.costs))
    return found


def _curves(comparison: Comparison, kind: str, classes: Sequence[str]) -> Section:
    if not classes:
        return Section(notes=(Note("Choose at least one class, or macro."),))
    curves = {m: (roc_curves if kind == ROC else pr_curves)(run) for m, run in comparison.all_runs.items()}
    figure = plots.curves(curves, classes, comparison.styles, comparison.names, comparison.inks, kind)
    return Section(
        title="ROC curves" if kind == ROC else "Precision-recall curves",
        figures=(Figure(figure, comparison.key(f"ranking-{kind}"), f"{kind} curves by network: {', '.join(classes)}"),),
        table=Table(plots.areas(curves, comparison.names), f"Areas under the {kind} curves by class"),
        caption=f"{comparison.protocol} One class against the rest, by its probability. "
        f"{TABLE_NOTES[kind]} A class without images has no curve and no area, and is not in the mean.",
        downloads=(
            csv(
                f"Points of the {kind} curves (CSV)",
                comparison.file_name(f"ranking-{kind}"),
                lambda: plots.curve_numbers(curves, kind),
            ),
        ),
    )


def _top_k(comparison: Comparison) -> Section:
    scores = {m: top_k(run) for m, run in comparison.all_runs.items()}
    figure = plots.top_k(scores, comparison.styles, comparison.names, comparison.inks)
    return Section(
        title="Top-k accuracy",
        figures=(Figure(figure, comparison.key("ranking-top-k"), "Top-k accuracy by network"),),
        caption=f"{comparison.protocol} Share of images whose true class is among the k most probable. Error bars: 95 "
        "% (Wilson).",
        downloads=(
            csv("Top-k accuracy (CSV)", comparison.file_name("ranking-top-k"), lambda: plots.top_k_numbers(scores)),
        ),
    )


def _cost(comparison: Comparison, costs: Sequence[str]) -> Section:
    notes, figures, downloads = [], [], []
    for title in costs:
        of_networks, missing = costs_of(comparison, title)
        notes += _not_measured(comparison, title, missing)
        if not of_networks:
            continue
        summaries = {m: comparison.summaries[m] for m in of_networks}
        figure = plots.cost(summaries, of_networks, comparison.styles, comparison.names, comparison.inks, title)
        alt = f"Accuracy against {title}, with the Pareto front"
        figures.append(Figure(figure, comparison.key(f"ranking-cost-{title}"), alt))
        downloads.append(
            csv(
                f"Accuracy and {title} (CSV)",
                comparison.file_name(f"accuracy-{title}"),
                partial(plots.cost_numbers, summaries, of_networks),
            )
        )
    return Section(
        title="Accuracy against cost",
        notes=tuple(notes),
        figures=tuple(figures),
        caption=f"{comparison.protocol} Cost per face; milliseconds: median, one face at a time. The line joins the "
        "Pareto-optimal networks: no other one is more accurate at the same or a lower cost. Error bars: 95 % "
        "(Wilson); where they overlap, the line alone does not show which network is better."
        if figures
        else "",
        downloads=tuple(downloads),
    )


def _not_measured(comparison: Comparison, title: str, missing: Sequence[str]) -> list[Note]:
    """One sentence about the networks that can be measured, and one about those that have no weights."""
    names = {
        shipped: ", ".join(comparison.names[m] for m in missing if comparison.cards[m].weights_shipped == shipped)
        for shipped in (True, False)
    }
    sentences = {
        True: f"The {title} of {names[True]} have not been measured. Measure them in Scores, Overview.",
        False: f"The {title} of {names[False]} cannot be measured here, because the weights are not included.",
    }
    return [Note(sentences[shipped]) for shipped, listed in names.items() if listed]


def costs_of(comparison: Comparison, title: str) -> tuple[dict[str, float], list[str]]:
    """The cost per face of each network, in one of COSTS, and the networks that were not measured.

    An ensemble costs as much as its members together and is left out where one of them was not measured, or on other
    hardware.
    """
    if title == MILLISECONDS:
        of_networks = {m: latency.value for m, latency in comparison.milliseconds.items()}
    else:
        field = {PARAMETERS: "parameters", MACS: "macs"}[title]
        of_networks = {m: float(getattr(card, field)) for m, card in comparison.cards.items()}
    missing = [m for m in comparison.runs if m not in of_networks]
    costs = {m: of_networks[m] for m in comparison.runs if m in of_networks}
    timed = {latency.hardware for m, latency in comparison.milliseconds.items() if m in comparison.weights}
    is_known = all(m in costs for m in comparison.weights) and (title != MILLISECONDS or len(timed) == 1)
    if comparison.ensemble is not None and is_known:
        costs[comparison.ensemble.model_id] = sum(costs[m] for m in comparison.weights)
    return costs, missing


def draw(comparison: Comparison) -> None:
    """One kind of figure at a time."""
    kind = links.first_choice(st.segmented_control, "Figure", KINDS, key=comparison.key("ranking"))
    classes: Sequence[str] = ()
    costs: Sequence[str] = COSTS
    if kind in (ROC, PR):
        words = {name: name for name in (plots.MACRO, *comparison.labels.classes)}
        classes = links.choice(st.pills, "Classes", words, key=comparison.key("ranked"), default=(plots.MACRO,))
    elif kind == COST:
        costs = (links.first_choice(st.segmented_control, "Cost", COSTS, key=comparison.key("cost")),)
    ui.draw(sections(comparison, Options((kind,), classes, costs)))
