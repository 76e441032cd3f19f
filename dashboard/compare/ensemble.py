"""The ensemble compared with its members, and the contribution of each member."""

from __future__ import annotations

from collections.abc import Sequence

from core.evaluation import EvaluationRun, leave_one_out, per_class
from dashboard import services
from dashboard.compare.comparison import Comparison, on_common_classes
from dashboard.plots import per_class as class_plots
from dashboard.plots import scores, significance
from dashboard.section import Figure, Note, Section, Table, csv
from dashboard.ui import sections as ui


def sections(comparison: Comparison) -> list[Section]:
    """Scores of the ensemble and its members, F1 by class, and the ensemble without each member."""
    ensemble, members = comparison.ensemble, [comparison.runs[m] for m in comparison.weights]
    if ensemble is None:
        return [Section(notes=(Note(comparison.why_no_ensemble),), caption=comparison.protocol)]
    if not len(ensemble):
        return [Section(notes=(Note("There are no images to score an ensemble on."),), caption=comparison.protocol)]
    return [_scores(comparison, ensemble, members), _contributions(comparison, members)]


def _scores(comparison: Comparison, ensemble: EvaluationRun, members: list[EvaluationRun]) -> Section:
    names, summaries = comparison.names, comparison.summaries
    cards = {m.model_id: [comparison.cards[m.model_id]] for m in members}
    rows = {ensemble.model_id: summaries[ensemble.model_id]} | {m.model_id: summaries[m.model_id] for m in members}
    table = scores.scores(
        rows, cards | {ensemble.model_id: [c for [c] in cards.values()]}, names, comparison.milliseconds
    )
    best = max(members, key=lambda run: summaries[run.model_id].accuracy.value)
    pairs = services.paired_tests(list(comparison.all_runs.values()))  # with the correction of Significance
    pair = next(p for p in pairs if {p.first, p.second} == {ensemble.model_id, best.model_id})
    text = significance.in_words(pair, comparison.names_in_text, pairs=len(pairs))
    of_classes = {run.model_id: per_class(run) for run in (ensemble, best)}
    return Section(
        text=(
            "The weighted mean of the members' probabilities, each after temperature scaling.",
            f"Comparison with its most accurate member, {names[best.model_id]}. {text}",
        ),
        figures=(
            Figure(
                class_plots.marks(of_classes, comparison.styles, names, comparison.inks, class_plots.F1),
                comparison.key("ensemble-f1"),
                "F1 by class of the ensemble and of its most accurate member",
            ),
        ),
        table=Table(
            table, "Scores of the ensemble and of its members", bold=scores.best(rows, list(table.columns))
        ).turned(),
        caption=f"{comparison.protocol} Intervals: 95 %; F1 with bootstrap. Bold: the best score, and all whose "
        "intervals overlap with it. Choosing the weights by these scores would make the scores optimistic: choose the "
        f"weights on {comparison.data.split_name('val')}, then score the ensemble once on "
        f"{comparison.data.split_name('test')}."
        + (f" {comparison.weights_sentence}" if comparison.weights_sentence else ""),
        downloads=(
            csv("Scores of ensemble and members (CSV)", comparison.file_name("ensemble"), lambda: table),
            csv(
                "F1 by class (CSV)", comparison.file_name("ensemble-by-class"), lambda: class_plots.numbers(of_classes)
            ),
        ),
    )


def _contributions(comparison: Comparison, members: list[EvaluationRun]) -> Section:
    """The ensemble with and without each member."""
    pairs = leave_one_out(members, list(comparison.weights.values()))
    names = [comparison.names[m.model_id] for m in members]
    words = {p.first: "the ensemble" for p in pairs} | {
        p.second: f"the ensemble without {name}" for p, name in zip(pairs, names, strict=True)
    }
    return Section(
        title="Contribution of each member",
        text=tuple(
            f"{name}: {significance.in_words(p, words, pairs=len(pairs))}" for p, name in zip(pairs, names, strict=True)
        ),
        figures=(
            Figure(
                significance.differences(
                    pairs, names, comparison.inks, title="accuracy with the member − accuracy without it"
                ),
                comparison.key("leave-one-out"),
                "Accuracy that each member adds to the ensemble, with its 95 % interval",
            ),
        ),
        caption=f"{comparison.protocol} The other members keep their weights. Error bars: 95 %, paired bootstrap. "
        "Filled: measurable difference.",
        downloads=(
            csv(
                "Ensemble without each member (CSV)",
                comparison.file_name("leave-one-out"),
                lambda: significance.numbers(pairs),
            ),
        ),
    )


def common_sections(comparisons: Sequence[Comparison]) -> list[Section]:
    """The ensemble of networks with different classes, on the classes that all of them have."""
    common = on_common_classes(comparisons)
    if common is None:
        return []
    comparison, dropped = common
    return [Section(title=f"All networks on common classes: {comparison.title}", text=dropped), *sections(comparison)]


def draw(comparison: Comparison) -> None:
    """The sections."""
    ui.draw(sections(comparison))
