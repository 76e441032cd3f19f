"""Numbers and words of the doubt panel: one row a network, and whether the answer is sure enough."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from core.inference import entropy_bits
from core.probes import Decision, Uncertainty
from dashboard.plots.charts import with_ensemble


def table(found: Uncertainty, names: Mapping[str, str]) -> pd.DataFrame:
    """What each network says, its probability before and after temperature and over the views, and its entropy."""
    rows = []
    group = found.groups[0]
    raw, calibrated = with_ensemble(group.raw), with_ensemble(group.calibrated)
    for model_id, answer in with_ensemble(group.augmented).items():
        k = answer.top
        row = {
            "network": names[model_id],
            "says": answer.expression,
            "before temperature": f"{raw[model_id].probabilities[k]:.3f}",
            "after": f"{calibrated[model_id].probabilities[k]:.3f}",
            "temperature": "its members'" if answer.is_ensemble else f"{calibrated[model_id].temperature:.3f}",
        }
        if found.views != "one":
            row[f"over {found.views}"] = f"{answer.probabilities[k]:.3f}"
        most = np.log2(len(answer.labels))
        rows.append(row | {"entropy": f"{entropy_bits(answer.probabilities):.3f} of {most:.3f} bits"})
    return pd.DataFrame(rows)


def verdict(decision: Decision) -> str:
    """Whether the answer is given: the title of the verdict."""
    return f"Sure enough to say {decision.expression}" if decision.sure else "Unsure"


def reason(decision: Decision) -> str:
    """The figures behind :func:`verdict`."""
    said = f"{decision.expression} {decision.confidence:.3f}, threshold {decision.effect.threshold:.3f}."
    return said if decision.sure else f"{said} Unsure is a good answer."


def protocol(decision: Decision, views: str) -> str:
    """Where the threshold comes from and what it does on other images."""
    return (
        f"Threshold chosen on PublicTest (n = {decision.chosen_on:,}) for an accuracy of {decision.target:.2f}. On "
        f"PrivateTest (n = {decision.shown_on:,}) it answers {decision.effect.coverage} of the faces and is right on "
        f"{decision.effect.accuracy} of those; 95 % (Wilson). "
        + ("" if views == "one" else "Both were measured on the face alone, without further views. ")
        + "Faces unlike these data sets' may be answered worse."
    )


def spread(found: Uncertainty) -> str:
    """How far the networks disagree, and how to read the entropies."""
    text = "Entropy: 0 for one certain class; the second figure is reached where all classes are alike."
    group = found.groups[0].augmented
    if group.disagreement_bits is None:
        return text + " Disagreement needs two networks with the same classes."
    most = np.log2(len(group.predictions))
    bits = f"{group.disagreement_bits:.3f} bits of at most {most:.3f}"
    return f"Disagreement between the networks (Jensen-Shannon): {bits}. {text}"
