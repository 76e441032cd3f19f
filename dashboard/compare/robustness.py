"""What is left of a network's accuracy when the same images are blurred, noisy, dark, turned or partly hidden."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from core.checkpoints import ModelCard
from core.errors import RobustnessError
from core.inference import ENSEMBLE
from core.robustness import CLEAN, CORRUPTIONS, Robustness, corrupt, measurement_command
from dashboard import services
from dashboard.compare import blocks
from dashboard.compare.comparison import Comparison
from dashboard.plots import robustness as figures

EXAMPLE_PX = 112


def draw(comparison: Comparison) -> None:
    """The mean relative drop, accuracy by strength, and what the strengths look like."""
    found = measured(comparison)
    if found:
        _results(found, comparison)
    _example(comparison)


def measured(comparison: Comparison) -> dict[str, Robustness]:
    """What is stored for the networks of a comparison; each one without is named in a sentence."""
    found = {}
    for model_id in blocks.comparable(comparison):
        if model_id not in comparison.checkpoints:
            continue
        try:
            of_network = services.robustness(comparison.checkpoints[model_id], comparison.split)
        except RobustnessError as error:
            st.warning(str(error), icon=":material/warning:")
            continue
        if of_network is None:
            st.info(
                f"{comparison.names[model_id]} has not been measured on {comparison.split_name}. Run: "
                f"`{measurement_command(model_id, comparison.split)} --data …`",
                icon=":material/info:",
            )
            continue
        found[model_id] = of_network
    return found


def _results(found: dict[str, Robustness], comparison: Comparison) -> None:
    blocks.figure(
        figures.drops(found, comparison.forms, comparison.names, comparison.inks),
        comparison,
        key="robustness-drops",
        alt="Mean relative drop of accuracy by network, with its 95 % interval",
        caption=f"(clean − perturbed) ÷ clean accuracy, the mean over {len(CORRUPTIONS)} perturbations and 5 "
        "strengths (after Hendrycks & Dietterich 2019); 0 is best. Whiskers: 95 %, bootstrap of the images.",
        numbers=lambda: figures.table(found, comparison.names),
    )
    st.dataframe(
        figures.table(found, comparison.names),
        hide_index=True,
        alt="Accuracy on the images as they are, and relative drop by perturbation",
        column_config={
            "network": st.column_config.TextColumn(pinned=True),
            "as they are": st.column_config.TextColumn(help="Accuracy on the images as they are"),
        },
    )
    blocks.figure(
        figures.curves(found, comparison.forms, comparison.names, comparison.inks),
        comparison,
        key="robustness",
        alt="Accuracy by strength of each perturbation and network",
        caption="Strength 0: the images as they are. Whiskers: 95 % (Wilson). Grain and direction are drawn once an "
        "image and are the same for all networks. Nothing was chosen by these figures.",
        numbers=lambda: figures.numbers(found),
    )
    if ENSEMBLE in comparison.runs:
        st.caption(
            "The ensemble is left out: which answers are right is stored for each network, not the probabilities that "
            "a mean would need."
        )


def _example(comparison: Comparison) -> None:
    st.markdown("**What the strengths look like**")
    card = next(iter(comparison.cards.values()))
    face = services.sample_crop(card)
    if face is None:
        st.caption("No face was found in the sample portrait, so there is no example.")
        return
    name = st.pills(
        "Perturbation",
        list(CORRUPTIONS),
        format_func=lambda name: CORRUPTIONS[name].title,
        default="blur",
        required=True,
        key="perturbation",
        bind="query-params",
    )
    lines = figures.captions(name)
    pictures = _pictures(face, card, name)
    with st.container(horizontal=True, gap="small"):
        for picture, line in zip(pictures, lines, strict=True):
            st.image(picture, caption=line, width=EXAMPLE_PX, alt=f"{CORRUPTIONS[name].title}, {line}")
    portrait = next(iter(services.samples().values()))
    st.caption(
        f"{CORRUPTIONS[name].title} ({CORRUPTIONS[name].unit}) at the {card.preprocessing.size_px} pixels a side "
        f"that {comparison.names[card.run_id]} sees. {portrait.credit}."
    )
    with st.expander("All strengths"):
        st.dataframe(figures.settings(), hide_index=True, alt="What the five strengths of each perturbation are")


def _pictures(crop: np.ndarray, card: ModelCard, name: str) -> list[np.ndarray]:
    """The face as the network sees it at strength 0 to 5, its pixels drawn large."""
    plain = replace(card.preprocessing, equalize="none").to_input_image(crop)
    pictures = []
    for condition in figures.conditions(name):
        changed = plain if condition == CLEAN else corrupt(plain[None], *condition, np.zeros(1, int))[0]
        seen = card.preprocessing.to_input_image(changed)
        times = -(-2 * EXAMPLE_PX // len(seen))
        pictures.append(seen.repeat(times, axis=0).repeat(times, axis=1))
    return pictures
