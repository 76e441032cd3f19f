"""Accuracy and loss by epoch."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core.errors import CheckpointError
from dashboard.compare.comparison import Comparison
from dashboard.plots import learning_curves as plots
from dashboard.section import Figure, Note, Section, csv
from dashboard.ui import links
from dashboard.ui import sections as ui

EPOCHS, VALUES = AXES = ("epochs", "values")


@dataclass(frozen=True)
class Options:
    """The weight of the past in smoothed lines, and which of AXES are logarithmic."""

    smoothing: float = 0.0
    logarithmic: tuple[str, ...] = ()


def sections(comparison: Comparison, options: Options = Options()) -> list[Section]:
    """Training and validation curves of all networks, the chosen epochs marked."""
    histories, notes = _stored(comparison)
    if not histories:
        return [Section(notes=tuple(notes), caption=comparison.protocol)]
    cards, validation = comparison.cards, comparison.data.split_name("val")
    images = {m: card.metrics["val"].n for m, card in cards.items() if "val" in card.metrics}
    figures = [
        Figure(
            plots.learning_curves(
                histories,
                {m: cards[m].chosen_epoch for m in histories},
                comparison.styles,
                comparison.names,
                comparison.inks,
                measure,
                images=images,
                validation=validation,
                smoothing=options.smoothing,
                log_epochs=EPOCHS in options.logarithmic,
                log_values=VALUES in options.logarithmic,
            ),
            comparison.key(f"curve-{measure}"),
            f"Training and {validation} {measure} by epoch",
            title=measure.capitalize(),
        )
        for measure in ("accuracy", "loss")
    ]
    counts = " or ".join(f"{n:,}" for n in dict.fromkeys(images.values()))
    smoothed = f" Lines are smoothed with weight {options.smoothing:.1f}; marks are not." if options.smoothing else ""
    return [
        Section(
            notes=tuple(notes),
            figures=tuple(figures),
            caption=f"{comparison.data.title} {validation}{f', n = {counts}' if counts else ''}. Strong lines: "
            f"{validation}, with the weights that would be stored. Faint lines: training, as a running mean "
            "over augmented images while the weights change, so training values can be worse than validation values. "
            f"Marked: the epoch chosen on {validation}, its accuracy with the 95 % interval (Wilson).{smoothed}",
            downloads=(
                csv(
                    "Training history by epoch (CSV)",
                    f"{comparison.key('history')}.csv",
                    lambda: plots.numbers(histories, images),
                ),
            ),
        )
    ]


def _stored(comparison: Comparison) -> tuple[dict[str, pd.DataFrame], list[Note]]:
    """The histories by network, and notes on those that are missing or cannot be read."""
    histories, missing, notes = {}, [], []
    for run_id, checkpoint in comparison.checkpoints.items():
        try:
            history = checkpoint.history()
        except CheckpointError as error:
            notes.append(Note(error.sentence, is_warning=True))
            continue
        if len(history):
            histories[run_id] = history
        else:
            missing.append(comparison.names[run_id])
    if missing:
        notes.append(Note(f"No training history is stored for {', '.join(missing)}."))
    return histories, notes


def draw(comparison: Comparison) -> None:
    """Smoothing and logarithmic axes, and the sections."""
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    with left:
        smoothing = links.slider(
            "Smoothing",
            0.0,
            0.9,
            0.0,
            0.1,
            key=comparison.key("smoothing"),
            help="Weight of the past in each point of a line",
        )
    with right:
        axes = {axis: axis for axis in AXES}
        logarithmic = links.choice(st.pills, "Logarithmic axes", axes, key=comparison.key("log_axes"), default=())
    ui.draw(sections(comparison, Options(smoothing, tuple(logarithmic))))
