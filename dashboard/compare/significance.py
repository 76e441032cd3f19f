"""Whether a difference between two networks is statistically significant."""

from __future__ import annotations

from core.errors import EvaluationError
from dashboard import services
from dashboard.compare.comparison import Comparison
from dashboard.plots import significance as plots
from dashboard.section import Figure, Note, Section, Table, csv
from dashboard.ui import sections as ui

NEEDS_TWO = Note("A comparison needs at least two networks. Choose another one in the sidebar.")


def sections(comparison: Comparison) -> list[Section]:
    """Every pair of networks: the difference with its interval, and the test in words."""
    runs, names = comparison.all_runs, comparison.names
    if len(runs) < 2:
        return [Section(notes=(NEEDS_TWO,), caption=comparison.protocol)]
    try:
        pairs = services.paired_tests(list(runs.values()))
    except EvaluationError as error:
        return [Section(notes=(Note(error.sentence),), caption=comparison.protocol)]
    rows = [f"{names[p.first]}<br>− {names[p.second]}" for p in pairs]
    return [
        Section(
            figures=(
                Figure(
                    plots.differences(pairs, rows, comparison.inks),
                    comparison.key("significance"),
                    "Difference in accuracy of every pair of networks, with its 95 % interval",
                ),
            ),
            caption=f"{comparison.protocol} Both networks of a pair on the same images. Error bars: 95 %, paired "
            "bootstrap, not corrected for the number of pairs. Filled: measurable difference; hollow: no measurable "
            "difference, by McNemar's test with Holm's correction, so an interval that excludes zero can belong to a "
            "hollow mark. Right of zero, the first network of the pair is more accurate.",
        ),
        Section(
            title="Result of each test",
            text=plots.sentences(pairs, names, comparison.names_in_text),
            table=Table(plots.table(pairs, names), "Paired tests of every pair of networks"),
            caption=f"{comparison.protocol} p: McNemar's exact test on the images that only one of the two networks "
            "predicts correctly. Holm: corrected for all pairs shown; the difference is measurable below 5 %. Images "
            "for 80 % power: how many test images the exact test needs to detect a difference of this size with a "
            "probability of 80 %.",
            downloads=(
                csv("All paired tests (CSV)", comparison.file_name("significance"), lambda: plots.numbers(pairs)),
            ),
        ),
    ]


def draw(comparison: Comparison) -> None:
    """The sections."""
    ui.draw(sections(comparison))
