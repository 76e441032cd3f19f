"""Tables and sentences about uncertainty: one row per network, and whether the prediction is confident enough."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from core.inference import Prediction, entropy_bits
from core.probes import Decision, GroupUncertainty
from dashboard.style import ENSEMBLE_NAME

VIEW_NAMES = {"one": "1: the face", "mirror": "2: with its mirror image", "ten crops": "10: ten crops"}
OVER_VIEWS = {"one": "one view per face", "mirror": "mean over 2 views", "ten crops": "mean over 10 views"}


def table(found: GroupUncertainty, views: str, names: Mapping[str, str]) -> pd.DataFrame:
    """Per network the predicted expression and its probability before and after temperature scaling and over the views,
    then the entropy of the last one."""
    rows = []
    most = np.log2(len(found.augmented.labels))
    for name, (raw, calibrated, augmented) in _stages(found, names).items():
        k = augmented.top
        row = {
            "network": name,
            "predicts": augmented.expression,
            "before temperature scaling": f"{raw.probabilities[k]:.3f}",
            "after": f"{calibrated.probabilities[k]:.3f}",
            "temperature": "mean of the networks" if augmented.is_ensemble else f"{calibrated.temperature:.3f}",
        }
        if views != "one":
            row[OVER_VIEWS[views]] = f"{augmented.probabilities[k]:.3f}"
        rows.append(row | {f"entropy, bits (at most {most:.3f})": f"{entropy_bits(augmented.probabilities):.3f}"})
    return pd.DataFrame(rows)


def _stages(found: GroupUncertainty, names: Mapping[str, str]) -> dict[str, tuple[Prediction, Prediction, Prediction]]:
    raw, calibrated, augmented = found.raw, found.calibrated, found.augmented
    stages = {
        names[m]: (raw.predictions[m], calibrated.predictions[m], augmented.predictions[m]) for m in augmented.model_ids
    }
    if raw.ensemble and calibrated.ensemble and augmented.ensemble:
        stages[ENSEMBLE_NAME] = (raw.ensemble, calibrated.ensemble, augmented.ensemble)
    return stages


def verdict(decision: Decision) -> str:
    """Whether the prediction is confident enough, as a title."""
    return f"Sure: {decision.expression}" if decision.sure else f"Unsure: {decision.expression}"


def reason(decision: Decision) -> str:
    """The numbers behind :func:`verdict`."""
    relation = "reaches" if decision.sure else "is below"
    return (
        f"The probability of {decision.expression}, {decision.confidence:.3f}, {relation} the threshold "
        f"{decision.effect.threshold:.3f}."
    )


def protocol(decision: Decision, views: str, chosen_on: str, shown_on: str) -> str:
    """Where the threshold comes from, and its effect on other images; the splits by name."""
    return (
        f"The threshold is the lowest one for which the predictions for {chosen_on} (n = {decision.chosen_on:,}) with "
        f"at least this probability have an accuracy of {decision.target:.2f}. On {shown_on} "
        f"(n = {decision.shown_on:,}), {decision.effect.coverage} of the faces reach it, and "
        f"{decision.effect.accuracy} of those are predicted "
        "correctly (95 % intervals, Wilson). "
        + ("" if views == "one" else "Both were measured with one view per face. ")
        + "Predictions may be less accurate for photos that differ from these data sets."
    )


def spread(found: GroupUncertainty) -> str:
    """How far the networks disagree, and how to read the entropies."""
    text = "Entropy is 0 for a certain prediction and highest if all classes are equally probable."
    if found.augmented.disagreement_bits is None:
        return f"{text} Disagreement is defined for two or more networks with the same classes."
    most = np.log2(len(found.augmented.predictions))
    bits = f"{found.augmented.disagreement_bits:.3f} bits of at most {most:.3f}"
    return f"Disagreement between the networks (Jensen-Shannon divergence): {bits}. {text}"
