"""Accuracy when the same images are blurred, noisy, dark, compressed, rotated or partly hidden."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from core.checkpoints import ModelCard
from core.errors import RobustnessError
from core.robustness import CLEAN, CORRUPTIONS, Robustness, corrupt, measurement_command
from dashboard import services
from dashboard.compare.comparison import Comparison
from dashboard.plots import robustness as plots
from dashboard.section import Figure, Note, Section, Table, csv
from dashboard.ui import links
from dashboard.ui import sections as ui

EXAMPLE_PX = 112


def sections(comparison: Comparison) -> list[Section]:
    """The mean relative drop, accuracy by strength, and the settings of the strengths."""
    found, notes = stored_results(comparison)
    if not found:
        return [Section(notes=tuple(notes), caption=comparison.protocol)]
    names, styles, inks = comparison.names, comparison.styles, comparison.inks
    ensemble = (
        " The ensemble has no result, because its prediction needs the probabilities of each network under each "
        "corruption, and only the correctness of the predictions is stored."
        if comparison.ensemble is not None
        else ""
    )
    return [
        Section(
            notes=tuple(notes),
            figures=(
                Figure(
                    plots.drops(found, styles, names, inks),
                    comparison.key("robustness-drops"),
                    "Mean relative drop of accuracy by network, with its 95 % interval",
                ),
            ),
            table=Table(
                plots.table(found, names), "Clean accuracy, mean relative drop and mirror consistency by network"
            ),
            caption=f"{comparison.protocol} Relative drop: (clean − corrupted) ÷ clean accuracy, mean over "
            f"{len(CORRUPTIONS)} corruptions and 5 strengths (after Hendrycks & Dietterich 2019); 0 is best. "
            "Mirror consistency: the share of the images whose mirror image gets the same prediction. Intervals: 95 %, "
            f"Wilson for shares and bootstrap of the images for the drop.{ensemble}",
            downloads=(
                csv(
                    "Accuracy by corruption and strength (CSV)",
                    comparison.file_name("robustness"),
                    lambda: plots.numbers(found),
                ),
            ),
        ),
        Section(
            title="Relative drop by corruption",
            table=Table(plots.drop_table(found, names), "Relative drop by corruption and network"),
            caption=f"{comparison.protocol} Mean over 5 strengths. Intervals: 95 %, bootstrap of the images.",
        ),
        Section(
            title="Accuracy by strength",
            figures=(
                Figure(
                    plots.curves(found, styles, names, inks),
                    comparison.key("robustness"),
                    "Accuracy by strength of each corruption and network",
                ),
            ),
            caption=f"{comparison.protocol} Strength 0: the clean images. Error bars: 95 % (Wilson). The random part "
            "of a corruption is drawn once per image and is the same for all networks. The results did not "
            "influence any choice of networks or settings.",
        ),
        Section(
            title="Settings of all strengths",
            table=Table(plots.settings(), "Settings of the five strengths of each corruption"),
            folded=True,
        ),
    ]


def stored_results(comparison: Comparison) -> tuple[dict[str, Robustness], list[Note]]:
    """The stored results by network, and a note for each network without."""
    found, notes = {}, []
    for run_id, checkpoint in comparison.checkpoints.items():
        try:
            result = services.robustness(checkpoint, comparison.split)
        except RobustnessError as error:
            notes.append(Note(error.sentence, is_warning=True))
            continue
        if result is None:
            notes.append(_how_to_measure(checkpoint.card, comparison))
        else:
            found[run_id] = result
    return found, notes


def _how_to_measure(card: ModelCard, comparison: Comparison) -> Note:
    text = f"{comparison.names[card.run_id]} has not been measured on {comparison.split_name}."
    command = measurement_command(card, comparison.split)
    if card.weights_shipped:
        return Note(f"{text} Run:", command=command)
    return Note(
        f"{text} Its weights are not shipped. Train and measure it:", command=f"{card.training_command}\n{command}"
    )


def draw(comparison: Comparison) -> None:
    """The sections, and the strengths shown on a face."""
    ui.draw(sections(comparison))
    _example(comparison)


def _example(comparison: Comparison) -> None:
    st.markdown("**Strengths on a face**")
    card = next(iter(comparison.cards.values()))
    face = services.sample_crop(card)
    if face is None:
        st.caption("No face was found in the sample portrait.")
        return
    titles = {name: corruption.title for name, corruption in CORRUPTIONS.items()}
    name = links.choice(st.pills, "Corruption", titles, key=comparison.key("corruption"), default="blur")
    captions = plots.captions(name)
    with st.container(horizontal=True, gap="small"):
        for picture, caption in zip(_pictures(face, card, name), captions, strict=True):
            st.image(picture, caption=caption, width=EXAMPLE_PX, alt=f"{CORRUPTIONS[name].title}, {caption}")
    portrait = next(iter(services.samples().values()))
    size = card.preprocessing.size_px
    st.caption(
        f"{CORRUPTIONS[name].title} at strengths 1 to 5, in the {size} × {size} pixel image that "
        f"{comparison.names[card.run_id]} receives. {portrait.credit}."
    )


def _pictures(crop: np.ndarray, card: ModelCard, name: str) -> list[np.ndarray]:
    """The input image of the network at strengths 0 to 5, its pixels enlarged."""
    plain = replace(card.preprocessing, equalize="none").to_input_image(crop)
    pictures = []
    for condition in plots.conditions(name):
        changed = plain if condition == CLEAN else corrupt(plain[None], *condition, np.zeros(1, int))[0]
        seen = card.preprocessing.to_input_image(changed)
        times = -(-2 * EXAMPLE_PX // len(seen))
        pictures.append(seen.repeat(times, axis=0).repeat(times, axis=1))
    return pictures
