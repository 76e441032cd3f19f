"""The comparison of networks as one HTML file that needs nothing else: what Compare shows, its protocol, the cards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from core.errors import EvaluationError, RobustnessError
from core.evaluation import ConfusionMatrix, compare_all, per_class, reliability, risk_coverage
from core.robustness import command, load_robustness
from dashboard.compare import findings, tables
from dashboard.compare.comparison import Comparison
from dashboard.plots import calibration, charts, confusion, robustness, significance
from dashboard.reports import page
from dashboard.reports.comparison_sections import caption, half, human_doubt, ranking, where_they_fail
from dashboard.reports.static import svg
from dashboard.style import LIGHT

Progress = Callable[[str, int, int], None]  # the section, its number from 0, and how many there are


def html(comparison: Comparison, created_at: datetime, progress: Progress | None = None) -> str:
    """The whole file, below a megabyte, without scripts. ``created_at`` is said in UTC."""
    on_paper = replace(comparison, inks=LIGHT)
    parts = []
    for number, (title, section) in enumerate(SECTIONS.items()):
        if progress:
            progress(title, number, len(SECTIONS))
        parts += [page.heading(title, _anchor(title)), *section(on_paper)]
    links = "".join(f'<a href="#{_anchor(title)}">{title}</a>' for title in SECTIONS)
    networks = ", ".join(comparison.names[m] for m in comparison.runs)
    top = [
        page.sentence(f"{networks} on {comparison.split_name}, n = {comparison.n:,}."),
        page.sentence("Intervals are 95 %. What the tests cannot tell from chance is called no measurable difference."),
        f"<nav>{links}</nav>",
    ]
    made = created_at.astimezone(UTC).isoformat(timespec="seconds")
    return page.page(f"Comparison of networks on {comparison.split_name}", made, [*top, *parts])


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]  # capitalize() would take the capitals of PublicTest


def _scores(comparison: Comparison) -> list[str]:
    kept, left_out = comparison.comparable()
    scores = tables.scores(
        comparison.summaries, comparison.cards, comparison.names, comparison.milliseconds, comparison.members
    )
    words = (
        f"{_sentence(tables.protocol(comparison.split))} Accuracy: Wilson's interval, the others bootstrap or normal. "
        "Bold: the best, and whatever its interval does not exclude. Milliseconds: one face, median on the machine "
        f"that made this report.{comparison.weights_in_words}"
    )
    return [
        *(page.sentence(text.replace("is left out", "does not compare with the others")) for text in left_out),
        page.table(scores, tables.best(scores, comparison.summaries, kept).to_numpy()),
        page.sentence(caption(comparison, words), muted=True),
    ]


def _per_class(comparison: Comparison) -> list[str]:
    of_classes = {m: per_class(run) for m, run in comparison.runs.items()}
    # A figure is for comparing, so networks on other images or with other classes stand in the table only.
    drawn = {m: of_classes[m] for m in comparison.comparable()[0]}
    figure = charts.per_class(drawn, comparison.forms, comparison.names, LIGHT, "f1")
    words = "Whiskers: 95 %, bootstrap. A class without images has no score: not defined."
    return [
        page.plot(svg(figure, "F1 by class and network"), caption(comparison, words)),
        page.table(tables.per_class(of_classes, comparison.names)),
    ]


def _confusion(comparison: Comparison) -> list[str]:
    plots = []
    for model_id, run in comparison.runs.items():
        name = comparison.names[model_id]
        figure = confusion.matrix(ConfusionMatrix.from_run(run), LIGHT, title=name)
        plots.append(half(figure, f"Confusion matrix of {name}"))
    words = "Images in the cells; color: their share of the true class, from 0 (white) to 1, on one scale for all."
    return [
        page.row(plots),
        page.sentence(caption(comparison, words), muted=True),
    ]


def _learning_curves(comparison: Comparison) -> list[str]:
    histories = {m: c.history() for m, c in comparison.checkpoints.items()}
    shown = {m: history for m, history in histories.items() if len(history)}
    parts = []
    missing = [comparison.names[m] for m in histories if m not in shown]
    if missing:
        parts.append(page.sentence(f"No training history is kept for {', '.join(missing)}."))
    if shown:
        epochs = {m: comparison.cards[m].chosen_epoch for m in shown}
        plots, images = [], findings.validation_images(comparison)
        for measure in ("accuracy", "loss"):
            figure = charts.learning_curves(
                shown, epochs, comparison.forms, comparison.names, LIGHT, measure, images=images
            )
            plots.append(half(figure, f"Training and PublicTest {measure} by epoch"))
        words = (
            "Strong: PublicTest. Faint: training, on augmented images. Marked: the epoch that PublicTest chose, its "
            "accuracy with the 95 % interval (Wilson)."
        )
        parts += [page.row(plots), page.sentence(words, muted=True)]
    return parts


def _significance(comparison: Comparison) -> list[str]:
    runs, left_out = comparison.comparable()
    parts = [page.sentence(text) for text in left_out]
    if len(runs) < 2:
        return [*parts, page.sentence("A difference needs two networks on the same images.")]
    try:
        found = compare_all(list(runs.values()))
    except EvaluationError as error:
        return [*parts, page.sentence(f"{error}.")]
    names = comparison.names
    figure = significance.differences(found, [f"{names[p.first]} − {names[p.second]}" for p in found], LIGHT)
    words = "Whiskers: 95 %, paired bootstrap. Filled: a measurable difference; open: none."
    parts.append(page.plot(svg(figure, "Difference in accuracy of every pair of networks"), caption(comparison, words)))
    parts += [
        page.sentence(f"{names[p.first]} and {names[p.second]}. {significance.in_words(p, names, together=len(found))}")
        for p in found
    ]
    words = "p: McNemar's exact test on the images that only one of the two got right; Holm: corrected for all pairs."
    return [*parts, page.table(significance.table(found, names)), page.sentence(words, muted=True)]


def _calibration(comparison: Comparison) -> list[str]:
    runs, left_out = comparison.comparable()
    before = {m: calibration.uncalibrated(run) for m, run in runs.items()}
    diagrams = {
        "before": {m: reliability(run) for m, run in before.items() if run},
        "after": {m: reliability(run) for m, run in runs.items()},
    }
    plots = []
    for state, of_networks in diagrams.items():
        figure = calibration.reliability(of_networks, comparison.forms, comparison.names, LIGHT)
        figure.update_layout(title={"text": f"{state.capitalize()} temperature"})
        plots.append(half(figure, f"Reliability diagram {state} temperature scaling"))
    areas = {m: risk_coverage(run) for m, run in runs.items()}
    words = (
        "15 bins of the predicted class's probability with equally many images; below the diagonal a network is surer "
        "than it is right. The temperature was fitted on PublicTest. ECE bootstrap, NLL in nats and Brier's score "
        "normal intervals; AURC: area under risk and coverage."
    )
    return [
        *(page.sentence(text) for text in left_out),
        page.row(plots),
        page.table(calibration.table(runs, before, comparison.summaries, areas, comparison.names)),
        page.sentence(caption(comparison, words), muted=True),
    ]


def _robustness(comparison: Comparison) -> list[str]:
    found, parts = {}, []
    for model_id in comparison.checkpoints:
        name = comparison.names[model_id]
        try:
            of_network = load_robustness(comparison.checkpoints[model_id], comparison.split)
        except RobustnessError as error:
            parts.append(page.sentence(f"{error}."))
            continue
        if of_network:
            found[model_id] = of_network
        else:
            how = command(model_id, comparison.split)
            parts.append(page.sentence(f"{name} has not been measured; {how} measures it."))
    if not found:
        return parts
    drops = robustness.drops(found, comparison.forms, comparison.names, LIGHT)
    curves = robustness.curves(found, comparison.forms, comparison.names, LIGHT)
    words = (
        "(clean − perturbed) ÷ clean accuracy, the mean over perturbations and five strengths; 0 is best. Bootstrap of "
        "the images. The ensemble is left out: it is not stored under perturbations."
    )
    return [
        *parts,
        page.plot(svg(drops, "Mean relative drop by network"), caption(comparison, words)),
        page.table(robustness.table(found, comparison.names)),
        page.plot(
            svg(curves, "Accuracy by strength of each perturbation"),
            caption(comparison, "Strength 0: the images as they are. Whiskers: 95 % (Wilson)."),
        ),
        page.table(robustness.settings()),
    ]


def _protocol(comparison: Comparison) -> list[str]:
    facts: dict[str, str] = {
        "split": f"{comparison.split_name} ({comparison.n:,} images); {tables.protocol(comparison.split)}",
        "choices": "epoch and temperature by PublicTest, never by PrivateTest",
        "copies": "the column “without copies” leaves out images with an exact copy in Training",
        "ensemble": f"the mean of its members' calibrated probabilities.{comparison.weights_in_words}",
    }
    for model_id, card in comparison.cards.items():
        counts = ", ".join(f"{split} {n:,}" for split, n in card.data.images.items())
        facts[f"data of {comparison.names[model_id]}"] = (
            f"{card.data.title}: {counts}; SHA-256 {card.data.fingerprint[:16]}…"
        )
    return [page.pairs(facts)]


def _hardware(comparison: Comparison) -> list[str]:
    trained = {
        f"training of {comparison.names[m]}": f"{card.hardware}, {card.training_time}"
        for m, card in comparison.cards.items()
    }
    return [page.pairs({"this report": page.machine()} | trained)]


def _cards(comparison: Comparison) -> list[str]:
    return [page.card(card, comparison.names[m]) for m, card in comparison.cards.items()]


SECTIONS: dict[str, Callable[[Comparison], list[str]]] = {
    "Scores": _scores,
    "Significance": _significance,
    "Per class": _per_class,
    "Confusion": _confusion,
    "Learning curves": _learning_curves,
    "Calibration": _calibration,
    "Robustness": _robustness,
    "Ranking": ranking,
    "Human doubt": human_doubt,
    "Slices": where_they_fail,
    "Protocol": _protocol,
    "Hardware": _hardware,
    "Model cards": _cards,
    "Versions": lambda _: [page.versions()],
}
