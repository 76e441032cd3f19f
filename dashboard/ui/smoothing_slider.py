"""The smoothing of probabilities over time, chosen the same way for a camera and for a video."""

from __future__ import annotations

from dashboard.ui import links

LONGEST_S = 3.0


def choose(key: str) -> float:
    """The slider; ``key`` is that of its page. Returns the time constant in seconds."""
    return links.slider(
        "Smoothing (s)",
        0.0,
        LONGEST_S,
        0.3,
        0.1,
        key=key,
        help="Time constant: after a lasting change in the probabilities, 63 % of the change is shown after this "
        "time. 0 turns smoothing off.",
    )
