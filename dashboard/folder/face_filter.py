"""Which faces of a batch are listed, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core.inference import FACE_ORDERS
from dashboard.ui import links

EVERY, SURE, UNSURE = CERTAINTIES = ("all", "sure", "unsure")
PHOTO, EXPRESSION, CONFIDENCE, DISAGREEMENT = FACE_ORDERS


@dataclass(frozen=True)
class FaceFilter:
    """The chosen expressions (all where there are none), the ranges, and whether predictions have to be sure."""

    expressions: tuple[str, ...] = ()
    confidence: tuple[float, float] = (0.0, 1.0)
    least_disagreement_bits: float = 0.0
    certainty: str = EVERY
    order: str = PHOTO

    def select(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The faces that fit, in the chosen order."""
        keep = rows["expression"].notna() & rows["confidence"].between(*self.confidence)
        if self.expressions:
            keep &= rows["expression"].isin(self.expressions)
        if self.least_disagreement_bits > 0:
            keep &= rows["disagreement_bits"] >= self.least_disagreement_bits
        if self.certainty != EVERY:
            keep &= rows["sure"] == (self.certainty == SURE)
        found = rows[keep]
        if self.order == EXPRESSION:
            return found.sort_values(["expression", "confidence"], ascending=[True, False], kind="stable")
        if self.order == CONFIDENCE:
            return found.sort_values("confidence", ascending=False, kind="stable")
        if self.order == DISAGREEMENT:
            return found.sort_values("disagreement_bits", ascending=False, kind="stable", na_position="last")
        return found


def choose(classes: Sequence[str], *, several_networks: bool, with_certainty: bool) -> FaceFilter:
    """The controls."""
    chosen = links.choice(st.pills, "Expressions", {name: name for name in classes}, key="folder_classes", default=())
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        with st.container(width=190):
            confidence = links.range_slider("Confidence", 0.0, 1.0, 0.05, key="folder_confidence")
        disagreement = 0.0
        if several_networks:
            with st.container(width=190):
                disagreement = links.slider(
                    "Disagreement of at least",
                    0.0,
                    1.0,
                    0.0,
                    0.05,
                    key="folder_disagreement",
                    help="Jensen-Shannon divergence of the networks' probabilities, in bits; 0 if they are equal.",
                )
        certainty = EVERY
        if with_certainty:
            certainty = links.first_choice(st.segmented_control, "Predictions", CERTAINTIES, key="folder_certainty")
        orders = [o for o in FACE_ORDERS if several_networks or o != DISAGREEMENT]
        order = links.first_choice(st.selectbox, "Sort by", orders, key="folder_order", width=160)
    return FaceFilter(tuple(chosen or ()), confidence, disagreement, str(certainty), str(order))
