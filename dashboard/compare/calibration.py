"""Whether the confidence of a network matches its accuracy."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core.evaluation import EvaluationRun, abstention, reliability, risk_coverage
from dashboard.compare.comparison import Comparison
from dashboard.plots import calibration as plots
from dashboard.section import Figure, Section, Table, csv
from dashboard.ui import links
from dashboard.ui import sections as ui

SCHEMES = {"equal_mass": "equally many images", "equal_width": "equally wide"}

WITHHOLDING = Section(title="Withholding uncertain predictions")


@dataclass(frozen=True)
class Options:
    """How confidences are binned (one of SCHEMES), and the confidence below which predictions are withheld."""

    scheme: str = "equal_mass"
    threshold: float = 0.5


def sections(comparison: Comparison, options: Options = Options()) -> list[Section]:
    """Reliability before and after temperature scaling, the scores, and risk against coverage."""
    runs = comparison.all_runs
    return [
        *reliability_sections(comparison, options.scheme, runs),
        WITHHOLDING,
        *abstention_sections(comparison, options, runs),
    ]


def reliability_sections(comparison: Comparison, scheme: str, runs: dict[str, EvaluationRun]) -> list[Section]:
    """Reliability diagrams and calibration scores, before and after temperature scaling."""
    # An ensemble is the mean of scaled networks and has no temperature.
    before = {m: run.uncalibrated for m, run in comparison.runs.items()}
    diagrams = {
        "before": {m: reliability(run, scheme=scheme) for m, run in before.items()},
        "after": {m: reliability(run, scheme=scheme) for m, run in runs.items()},
    }
    figures = tuple(
        Figure(
            plots.reliability(of_networks, comparison.styles, comparison.names, comparison.inks),
            comparison.key(f"reliability-{state}"),
            f"Reliability diagram {state} temperature scaling",
            title=f"{state.capitalize()} temperature scaling",
        )
        for state, of_networks in diagrams.items()
    )
    areas = {m: risk_coverage(run) for m, run in runs.items()}
    table = plots.table(runs, before, comparison.summaries, areas, comparison.names)
    return [
        Section(
            figures=figures,
            caption=f"{comparison.protocol} 15 bins of the probability of the predicted class. Below the diagonal a "
            "network is more confident than accurate. Error bars: 95 % (Wilson). The temperature was fitted on "
            f"{comparison.data.split_name('val')}; an ensemble averages the probabilities of its networks after "
            "temperature scaling and has no temperature of its own.",
            downloads=(
                csv(
                    "Bins of the reliability diagrams (CSV)",
                    comparison.file_name("reliability"),
                    lambda: pd.concat([plots.reliability_numbers(d, s) for s, d in diagrams.items()]),
                ),
            ),
        ),
        Section(
            title="Calibration scores",
            table=Table(table, "Calibration scores before and after temperature scaling").turned(),
            caption=f"{comparison.protocol} Lower is better for all. ECE in 15 bins of equal mass with bootstrap "
            "intervals; NLL in nats and Brier score (0 to 2) with normal intervals; 95 %. AURC: area under the "
            "risk-coverage curve.",
            downloads=(csv("Calibration scores (CSV)", comparison.file_name("calibration"), lambda: table),),
        ),
    ]


def abstention_sections(comparison: Comparison, options: Options, runs: dict[str, EvaluationRun]) -> list[Section]:
    """The effect of withholding uncertain predictions."""
    curves = {m: risk_coverage(run) for m, run in runs.items()}
    chosen = {m: abstention(run, options.threshold) for m, run in runs.items()}
    table = plots.abstention_table(chosen, comparison.names)
    return [
        Section(
            figures=(
                Figure(
                    plots.risk_coverage(curves, chosen, comparison.styles, comparison.names, comparison.inks),
                    comparison.key("risk-coverage"),
                    "Share of wrong predictions by share of images predicted",
                ),
            ),
            table=Table(table, f"Coverage and accuracy at a confidence of at least {options.threshold:.2f}").turned(),
            caption=f"{comparison.protocol} The most confident predictions first. Marked and in the table: predictions "
            f"with a confidence of at least {options.threshold:.2f}. Intervals: 95 % (Wilson). Without any prediction, "
            "accuracy is not defined.",
            downloads=(
                csv(
                    "Risk and coverage (CSV)",
                    comparison.file_name("risk-coverage"),
                    lambda: plots.risk_numbers(curves),
                ),
                csv("Coverage and accuracy (CSV)", comparison.file_name("abstention"), lambda: table),
            ),
        )
    ]


def draw(comparison: Comparison) -> None:
    """The kind of bins and the threshold, each above the figures that it changes."""
    runs = comparison.all_runs
    scheme = links.choice(st.segmented_control, "Bins", SCHEMES, key=comparison.key("bins"), default="equal_mass")
    ui.draw(reliability_sections(comparison, scheme, runs))
    ui.draw([WITHHOLDING])
    threshold = links.slider(
        "Withhold predictions below a confidence of",
        0.0,
        0.95,
        0.5,
        0.05,
        key=comparison.key("threshold"),
    )
    ui.draw(abstention_sections(comparison, Options(scheme, threshold), runs))
