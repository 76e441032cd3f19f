"""The accuracy that is required of predictions that are called sure, chosen the same way on every page."""

from __future__ import annotations

from dashboard.ui import links

DEFAULT, LOWEST, HIGHEST = 0.8, 0.5, 0.95


def choose() -> float:
    """The slider."""
    return links.slider(
        "Required accuracy",
        LOWEST,
        HIGHEST,
        DEFAULT,
        0.05,
        key="accuracy",
        help="A prediction is called *sure* if its probability reaches the lowest threshold above which predictions "
        "for the validation images have this accuracy; otherwise it is *unsure*.",
    )
