"""Choosing networks, the same way on every page."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.checkpoints import Checkpoint
from core.errors import CheckpointError
from core.inference import Predictor
from dashboard import services
from dashboard.style import Form, form_of

EMPTY = "No trained network is installed. Train one with: python -m core train fer_cnn --data fer2013.csv"


def pick_networks(key: str = "networks") -> list[Checkpoint]:
    """Pills for the installed networks, all chosen at first and bound to the URL; problems are said in place."""
    listing = services.listing()
    for problem in listing.problems:
        st.warning(problem, icon=":material/warning:")
    if not listing.with_weights:
        st.info(EMPTY, icon=":material/info:")
        return []
    names = titles(list(listing.with_weights))
    chosen = st.pills(
        "Networks",
        [c.card.run_id for c in listing.with_weights],
        selection_mode="multi",
        default=[c.card.run_id for c in listing.with_weights],
        format_func=names.__getitem__,
        key=key,
        bind="query-params",
    )
    return [c for c in listing.with_weights if c.card.run_id in (chosen or [])]


def pick_weights(checkpoints: list[Checkpoint]) -> dict[str, float]:
    """run_id -> what that network counts in the ensemble, by a slider each, bound to the URL."""
    if len(checkpoints) < 2:
        return {c.card.run_id: 1.0 for c in checkpoints}
    names = titles(checkpoints)
    with st.expander("Weights of the ensemble", icon=":material/balance:"):
        return {
            c.card.run_id: st.slider(
                names[c.card.run_id],
                0.0,
                1.0,
                1.0,
                0.05,
                key=f"weight_{c.card.run_id}",
                bind="query-params",
                help="0 leaves the network out; only the ratio of the weights counts",
            )
            for c in checkpoints
        }


def ensemble_name(weights: Mapping[str, float]) -> str:
    """What an ensemble with those weights is called; its members by name are in the captions."""
    return "Ensemble" if len(set(weights.values())) <= 1 else "Weighted ensemble"


def load(checkpoints: list[Checkpoint]) -> list[Predictor]:
    """The networks ready for use; one that cannot be loaded is named and left out."""
    ready = []
    for checkpoint in checkpoints:
        try:
            ready.append(services.predictor(checkpoint))
        except CheckpointError as error:
            st.error(str(error), icon=":material/error:")
    return ready


def titles(checkpoints: list[Checkpoint]) -> dict[str, str]:
    """run_id -> the name people read; the run id beside it where two networks share a title."""
    counted = [c.card.title for c in checkpoints]
    return {
        c.card.run_id: c.card.title if counted.count(c.card.title) == 1 else f"{c.card.title} ({c.card.run_id})"
        for c in checkpoints
    }


def forms(checkpoints: list[Checkpoint]) -> dict[str, Form]:
    """run_id -> how that network is drawn."""
    return {c.card.run_id: form_of(c.card.architecture, i) for i, c in enumerate(checkpoints)}
