"""The accuracy that is required of predictions that are called sure, chosen the same way on every page."""

from __future__ import annotations

from core.evaluation import REQUIRED_ACCURACY
from dashboard.ui import links

LOWEST, HIGHEST = 0.5, 0.95


def choose() -> float:
    """The slider."""
    return links.slider(
        "Required accuracy",
        LOWEST,
        HIGHEST,
        REQUIRED_ACCURACY,
        0.05,
        key="accuracy",
        help="A prediction is called *sure* if its probability reaches a threshold: the lowest one for which the "
        "predictions for the validation images with at least this probability have this accuracy. Otherwise it is "
        "*unsure*.",
    )
