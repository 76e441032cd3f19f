"""The report on a comparison of networks: the panels of Compare, the protocol and the model cards in one HTML file."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from dashboard.compare.comparison import Comparison
from dashboard.compare.panels import GROUPS
from dashboard.reports.html import Chapter, Progress, card_sections, versions_section, write
from dashboard.section import Section, facts
from dashboard.style import LIGHT, on_light

# The chapters after those of the panels.
PROTOCOL, HARDWARE, CARDS, VERSIONS = "Protocol", "Hardware", "Model cards", "Versions"


def html(comparisons: Sequence[Comparison], created_at: datetime, progress: Progress | None = None) -> str:
    """The whole file. Every panel has a chapter, with one part for each comparison."""
    on_paper = [_light(c) for c in comparisons]
    first = on_paper[0]
    summary = [f"{', '.join(c.names[m] for m in c.all_runs)}: {c.protocol}" for c in on_paper]
    summary.append("Intervals are 95 %. A difference is called measurable if it is significant at 5 %.")
    return write(
        f"Comparison of networks on {first.split_name}",
        summary,
        chapters(on_paper),
        created_at=created_at,
        progress=progress,
    )


def chapters(comparisons: Sequence[Comparison]) -> list[Chapter]:
    """One chapter per panel that needs no interaction, then the protocol, the hardware, the cards and the versions."""
    found = [
        Chapter(title, partial(_of_all, comparisons, panel.sections, panel.across))
        for panels in GROUPS.values()
        for title, panel in panels.items()
        if panel.sections is not None
    ]
    return [
        *found,
        Chapter(PROTOCOL, partial(_of_all, comparisons, _protocol)),
        Chapter(HARDWARE, partial(_of_all, comparisons, _hardware)),
        Chapter(CARDS, partial(_of_all, comparisons, _cards)),
        Chapter(VERSIONS, lambda: [versions_section()]),
    ]


def _of_all(
    comparisons: Sequence[Comparison],
    sections: Callable[[Comparison], list[Section]],
    across: Callable[[Sequence[Comparison]], list[Section]] | None = None,
) -> list[Section]:
    """The sections of every comparison, each under its heading where there are several, and those across them."""
    if len(comparisons) == 1:
        return sections(comparisons[0])
    found: list[Section] = []
    for comparison in comparisons:
        found += [Section(title=comparison.title), *sections(comparison)]
    return found + (across(comparisons) if across is not None else [])


def _light(comparison: Comparison) -> Comparison:
    """The comparison in the colors of a light page."""
    return replace(comparison, inks=LIGHT, styles={m: on_light(style) for m, style in comparison.styles.items()})


def _protocol(comparison: Comparison) -> list[Section]:
    data = comparison.data
    images = ", ".join(f"{data.split_name(split)} {n:,}" for split, n in data.images.items())
    known = {
        "split": f"{comparison.split_name} ({comparison.n:,} images). {comparison.use_of_split}",
        "copies": "the score “without copies” leaves out images with a pixel-identical copy in "
        f"{data.split_name('train')}",
        "data": f"{data.title}: {images}; SHA-256 {data.fingerprint[:16]}…",
    }
    if not any(card.is_imported for card in comparison.cards.values()):
        known["choices"] = f"nothing was chosen on {data.split_name('test')}"
    if comparison.ensemble is not None:
        known["ensemble"] = "the mean of the members' probabilities after temperature scaling." + (
            f" {comparison.weights_sentence}" if comparison.weights_sentence else ""
        )
    return [Section(table=facts(known, "Protocol"))]


def _hardware(comparison: Comparison) -> list[Section]:
    known = {"this report": f"{platform.system()} {platform.machine()}, {os.cpu_count()} logical cores"}
    for run_id, card in comparison.cards.items():
        known[f"training of {comparison.names[run_id]}"] = card.training_time
    for run_id, latency in comparison.milliseconds.items():
        known[f"milliseconds of {comparison.names[run_id]}"] = latency.hardware
    return [Section(table=facts(known, "Hardware"))]


def _cards(comparison: Comparison) -> list[Section]:
    return [s for run_id, card in comparison.cards.items() for s in card_sections(card, comparison.names[run_id])]
