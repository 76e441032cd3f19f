"""Numbers of the doubt panel: one row a network."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from core.inference import ENSEMBLE, Doubt, entropy_bits


def table(found: Doubt, names: Mapping[str, str]) -> pd.DataFrame:
    """What each network says, its probability before and after temperature and over the views, and its entropy."""
    rows = []
    for model_id, answer in found.augmented.items():
        k = answer.top
        row = {
            "network": names[model_id],
            "says": answer.expression,
            "before temperature": f"{found.raw[model_id].probabilities[k]:.3f}",
            "after": f"{found.calibrated[model_id].probabilities[k]:.3f}",
            "temperature": "its members'" if model_id == ENSEMBLE else f"{found.calibrated[model_id].temperature:.3f}",
        }
        if found.views != "one":
            row[f"over {found.views}"] = f"{answer.probabilities[k]:.3f}"
        most = np.log2(len(answer.labels))
        rows.append(row | {"entropy": f"{entropy_bits(answer.probabilities):.3f} of {most:.3f} bits"})
    return pd.DataFrame(rows)
