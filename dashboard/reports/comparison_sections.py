"""Sections of the comparison's report: how well probabilities rank, what annotators say, and where networks fail."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from core.evaluation import bin_columns, pr_curves, roc_curves, slice_report, top_k
from dashboard.compare import blocks, findings
from dashboard.compare.annotators import MARKS
from dashboard.compare.comparison import Comparison
from dashboard.compare.ranking import INTERVALS, PR, ROC
from dashboard.plots import annotators, slices
from dashboard.plots import ranking as figures
from dashboard.reports import page
from dashboard.reports.static import svg
from dashboard.style import LIGHT


def caption(comparison: Comparison, words: str) -> str:
    """What stands below a figure, the protocol first."""
    return f"{blocks.protocol(comparison)} {words}"


def half(figure: go.Figure, alt: str, words: str = "") -> str:
    """A figure that takes half of a row."""
    return page.plot(svg(figure, alt, width_px=page.HALF_PX), words, half=True)


def ranking(comparison: Comparison) -> list[str]:
    """ROC and precision-recall of the mean over the classes, their areas by class, top-k, and accuracy by cost."""
    runs, left_out = comparison.comparable()
    forms, names = comparison.forms, comparison.names
    curves, areas = [], []
    for kind, of_run in ((ROC, roc_curves), (PR, pr_curves)):
        of_networks = {m: of_run(run) for m, run in runs.items()}
        figure = figures.curves(of_networks, [figures.MACRO], forms, names, LIGHT, kind)
        curves.append(half(figure, f"{kind} curves by network, the mean over the classes"))
        areas += [
            page.sentence(f"{kind}, area under the curve. {INTERVALS[kind]}"),
            page.table(figures.areas(of_networks, names)),
        ]
    scores = {m: top_k(run) for m, run in runs.items()}
    plots = [half(figures.top_k(scores, forms, names, LIGHT), "Top-k accuracy by network")]
    missing = []
    for title in findings.COSTS:
        of_networks_costs, notes = findings.costs(comparison, title)
        missing += _said(notes)
        of_networks_costs = {m: cost for m, cost in of_networks_costs.items() if m in runs}
        if of_networks_costs:
            summaries = {m: comparison.summaries[m] for m in of_networks_costs}
            figure = figures.cost(summaries, of_networks_costs, forms, names, LIGHT, title)
            plots.append(half(figure, f"Accuracy against {title}, with the Pareto line"))
    each = "Each class against the rest, by its probability; drawn is the mean over the classes."
    undefined = "A class without images has no curve and no area: not defined, and not in the mean."
    words = (
        "Top-k: the true class is among the k most probable. Whiskers: 95 % (Wilson). The Pareto line joins the "
        "networks that none beats in accuracy for less; cost: one face, milliseconds the median on the machine that "
        "made this report."
    )
    return [
        *(page.sentence(text) for text in left_out),
        page.row(curves),
        page.sentence(caption(comparison, each), muted=True),
        *areas,
        page.sentence(undefined, muted=True),
        *missing,
        page.row(plots),
        page.sentence(caption(comparison, words), muted=True),
    ]


def human_doubt(comparison: Comparison) -> list[str]:
    """Networks beside the ten annotators of FER+, by their agreement, and the label against their majority."""
    tables, unknown = findings.image_facts(comparison)
    results, left_out = findings.beside_annotators(comparison, tables)
    parts = _said([*unknown, *left_out])
    if not results:
        return parts
    forms, names = comparison.forms, comparison.names
    marks = [
        half(annotators.marks(results, forms, names, LIGHT, measure), f"{measure.capitalize()} by network", meaning)
        for measure, (_, meaning) in MARKS.items()
    ]
    groups = [
        half(
            annotators.by_agreement(results, forms, names, LIGHT, against),
            f"Accuracy against the {against} by agreement",
        )
        for against in annotators.AGAINST
    ]
    words = (
        "Whiskers: 95 %, normal. Images without votes are left out. Another annotator: the chance that two annotators "
        "of one image agree; favorite: always answering what most of them say, which no answer can beat. The entropy "
        "of the votes is the lowest cross-entropy there can be."
    )
    by_agreement = (
        "By the annotators' own agreement; 0.6: six of ten gave the most chosen answer. The FER+ majority is defined "
        "only where more than half of the votes that are not single agree on an expression. Whiskers: 95 % (Wilson)."
    )
    parts += [
        page.row(marks),
        page.table(annotators.table(results, names)),
        page.sentence(caption(comparison, words), muted=True),
        page.row(groups),
        page.sentence(caption(comparison, by_agreement), muted=True),
    ]
    for facts in findings.voted(results, tables):
        matrix = findings.label_against_majority(facts, comparison.split)
        n = int((facts.split == comparison.split).sum())
        drawn = svg(annotators.label_matrix(matrix, LIGHT), f"Labels of {facts.name} by FER+ majority")
        parts.append(page.plot(drawn, annotators.matrix_words(matrix, comparison.split_name, n)))
    return parts


def where_they_fail(comparison: Comparison) -> list[str]:
    """Each network's slices against the rest, all networks along each property, and the numbers."""
    tables, unknown = findings.image_facts(comparison)
    runs, left_out = comparison.comparable()
    columns, notes = findings.slice_columns(runs, tables)
    parts = [page.sentence(text) for text in left_out] + _said([*unknown, *notes])
    if not columns:
        return parts
    pieces = bin_columns(columns)
    reports = {m: slice_report(run, pieces) for m, run in runs.items()}
    if not any(reports.values()):
        return [*parts, page.sentence("Every image is alike in these columns: there is no slice to compare.")]
    names = comparison.names
    for model_id, report in reports.items():
        worse = slices.worse_in_words(report) or [slices.NONE_WORSE]
        parts += [page.sentence(f"{names[model_id]}: {text}") for text in worse]
    differences = []
    for model_id, report in reports.items():
        figure = slices.differences(report, LIGHT)
        figure.update_layout(title={"text": names[model_id]})
        differences.append(half(figure, f"Accuracy of {names[model_id]} on each slice minus that on the rest"))
    properties = [
        half(slices.by_property(reports, column, comparison.forms, names, LIGHT), f"Accuracy by {column} and network")
        for column in dict.fromkeys(p.column for p in pieces if p.values)
    ]
    return [
        *parts,
        page.row(differences),
        page.sentence(caption(comparison, slices.HOW), muted=True),
        page.row(properties),
        page.sentence(caption(comparison, "Whiskers: 95 % (Wilson)."), muted=True),
        *(
            page.folded(f"Slices of {names[m]} in numbers", page.table(slices.table(report)))
            for m, report in reports.items()
        ),
    ]


def _said(notes: Sequence[findings.Note]) -> list[str]:
    return [page.sentence(note.text) for note in notes]
