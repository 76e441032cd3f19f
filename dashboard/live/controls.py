"""What is analyzed and how it is drawn, chosen in the sidebar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from core.inference import Predictor
from dashboard.live.frame_analysis import Series, series_of
from dashboard.ui import link_page, links, network_picker, required_accuracy, smoothing_slider

NO_MAP = ""
EXPRESSIONS, NETWORKS = "expressions", "networks"
CHARTS = {EXPRESSIONS: "Every expression", NETWORKS: "Most probable expression, by network"}


@dataclass(frozen=True)
class LiveOptions:
    """The options of the page, except networks and detector."""

    shown: Series
    chart: str  # one of CHARTS
    required_accuracy: float
    saliency_of: str | None
    smoothing_s: float
    detection_interval: int
    window_s: int
    mirror: bool


def series_titles(networks: Sequence[Predictor], names: Mapping[str, str]) -> dict[Series, str]:
    """The name of each series for readers; ``names`` are those of the networks."""
    found = series_of(networks)
    several = sum(len(series.model_ids) > 1 for series in found) > 1
    return {
        series: names[series.model_ids[0]]
        if len(series.model_ids) == 1
        else network_picker.ensemble_of_classes(series.labels, several=several)
        for series in found
    }


def choose(networks: Sequence[Predictor], names: Mapping[str, str]) -> LiveOptions:
    """The controls below those of networks and detector."""
    titles = series_titles(networks, names)
    by_key = {series.key: series for series in titles}
    shown = links.first_choice(
        st.selectbox,
        "Prediction shown",
        {series.key: title for series, title in titles.items()},
        key="live_shown",
        help="Its most probable expression is shown at each face, and its probabilities are drawn over time.",
    )
    chart = EXPRESSIONS
    if len([series for series in titles if series.labels == by_key[shown].labels]) > 1:
        chart = links.choice(
            st.selectbox,
            "Expressions in the chart",
            CHARTS,
            key="live_chart",
            default=EXPRESSIONS,
            help="Draw all expressions of the prediction shown, or its most probable one with a line per network.",
        )
    saliency_of = links.choice(
        st.selectbox,
        "Saliency map",
        {NO_MAP: "Off"} | {network.model_id: names[network.model_id] for network in networks},
        key="live_saliency",
        default=NO_MAP,
        help="Grad-CAM of one network for the class that it predicts, over each face; no second pass through the "
        "network is needed.",
    )
    with link_page.messages_in(st.container()), st.expander("Options", icon=":material/tune:"):
        accuracy = required_accuracy.choose()
        smoothing_s = smoothing_slider.choose("live_smoothing")
        interval = links.slider(
            "Detect faces in every n-th frame",
            1,
            10,
            2,
            1,
            key="live_interval",
            help="Between detections, each box moves at the last estimated speed of its face. Larger values give more "
            "frames per second but less accurate boxes.",
        )
        window_s = links.slider("Time in the chart (s)", 10, 120, 30, 10, key="live_window")
        mirror = links.toggle("Mirror the picture", key="live_mirror", default=True)
    return LiveOptions(
        by_key[shown], chart, accuracy, saliency_of or None, smoothing_s, int(interval), int(window_s), mirror
    )
