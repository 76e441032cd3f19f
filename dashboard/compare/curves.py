"""Accuracy and loss by epoch."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.evaluation import wilson_of_shares
from dashboard import services
from dashboard.compare import findings
from dashboard.compare.comparison import Comparison
from dashboard.plots import charts

LOG_AXES = ("epochs", "values")


def draw(comparison: Comparison) -> None:
    """Training and PublicTest overlaid, the chosen epoch marked."""
    histories = {m: services.history(c) for m, c in comparison.checkpoints.items()}
    shown = {m: h for m, h in histories.items() if len(h)}
    missing = [comparison.names[m] for m in histories if m not in shown]
    if missing:
        st.info(f"No training history is kept for {', '.join(missing)}.", icon=":material/info:")
    if not shown:
        return
    chosen = {m: comparison.cards[m].chosen_epoch for m in shown}
    images = findings.validation_images(comparison)
    at_slider, at_axes = st.columns([2, 3], vertical_alignment="bottom")
    smoothing = at_slider.slider(
        "Smoothing", 0.0, 0.9, 0.0, 0.1, key="smoothing", bind="query-params", help="Weight of the past in each point"
    )
    logarithmic = at_axes.pills(
        "Logarithmic axes", LOG_AXES, selection_mode="multi", key="log_axes", bind="query-params"
    )
    for column, measure in zip(st.columns(2), ("accuracy", "loss"), strict=True):
        with column:
            st.markdown(f"**{measure.capitalize()}**")
            st.plotly_chart(
                charts.learning_curves(
                    shown,
                    chosen,
                    comparison.forms,
                    comparison.names,
                    comparison.inks,
                    measure,
                    images=images,
                    smoothing=smoothing,
                    log_epochs="epochs" in logarithmic,
                    log_values="values" in logarithmic,
                ),
                key=f"curve-{measure}",
                config=charts.CONFIG,
                alt=f"Training and PublicTest {measure} by epoch",
            )
    st.caption(
        "Strong: PublicTest, with the weights that would ship. Faint: training, a running mean over augmented images "
        "while the weights move, so it can lie below. Marked: the epoch that PublicTest chose, its "
        "accuracy with the 95 % interval (Wilson)."
        + (f" Lines are smoothed with weight {smoothing:.1f}, the marks are not." if smoothing else "")
    )
    together = pd.concat([_with_bounds(h, images.get(m, 0)).assign(network=m) for m, h in shown.items()])
    st.download_button(
        "History (CSV)", lambda: together.to_csv(index=False), "history.csv", "text/csv", icon=":material/table:"
    )


def _with_bounds(history: pd.DataFrame, images: int) -> pd.DataFrame:
    """The history with the 95 % interval of each PublicTest accuracy, where the number of images is known."""
    if not images:
        return history
    scores = wilson_of_shares(history["val_accuracy"].to_numpy(), images)
    return history.assign(val_accuracy_low=[s.low for s in scores], val_accuracy_high=[s.high for s in scores])
