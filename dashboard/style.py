"""How classes and networks are drawn: a hue denotes a class, a marker and a line style denote a network.

In figures without classes, a network also has a hue.
"""

from __future__ import annotations

import functools
import itertools
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import plotly.graph_objects as go

# The color-blind safe hues of Okabe & Ito. Contempt is faint on white and is outlined where it is filled.
CLASS_COLORS = {
    "angry": "#D55E00",
    "disgust": "#009E73",
    "fear": "#CC79A7",
    "happy": "#E69F00",
    "sad": "#0072B2",
    "surprise": "#56B4E9",
    "neutral": "#7A7A7A",
    "contempt": "#F0E442",
    "pain": "#882255",
}
# Paul Tol's "muted" scheme, for custom classes.
OTHER_COLORS = ("#332288", "#117733", "#44AA99", "#88CCEE", "#DDCC77", "#CC6677", "#AA4499")


ENSEMBLE_NAME = "ensemble"  # the mean of the networks' probabilities, in figures and tables


# Plotly's tool bar only offers the picture as a file, because accidental zooming would lose the common scale.
CONFIG: dict[str, Any] = {
    "displaylogo": False,
    "modeBarButtonsToRemove": [
        *("zoom", "pan", "select", "lasso", "zoomIn", "zoomOut", "autoScale", "resetScale"),
        "sendChartToCloud",  # would send the figure's data to another host
    ],
    "toImageButtonOptions": {"scale": 2},
}


@dataclass(frozen=True)
class NetworkStyle:
    """How a network is drawn. ``color`` is for figures that show no classes."""

    symbol: str
    dash: str
    width: float
    color: str


@dataclass(frozen=True)
class Ink:
    """The colors of a figure on light or dark paper. ``hues`` distinguish networks where no class is shown."""

    text: str
    muted: str
    faint: str
    paper: str
    hues: tuple[str, ...]


LIGHT = Ink(
    "#1B2A2E",
    "#55646A",
    "#D9E0E0",
    "#FFFFFF",
    ("#0F6B66", "#7B3294", "#8C510A", "#C51B7D", "#4D9221", "#3B5BA5", "#A63A1E", "#6B6B00", "#2E7D9A", "#B07900"),
)
DARK = Ink(
    "#E6ECEC",
    "#9AA8AB",
    "#314045",
    "#11181A",
    ("#4FC3B8", "#C79BE3", "#D9A066", "#F28AC4", "#9BD06B", "#8FA8E8", "#F08A6C", "#CFCB66", "#6FC3DF", "#F2C14E"),
)

# Marker and line style by architecture; the position is that of the hue.
FAMILIES = {
    "cnn": ("circle", "dot"),
    "residual_cnn": ("square", "dash"),
    "resnet50": ("diamond", "solid"),
    "mobilenet_v2": ("triangle-up", "dashdot"),
}
OTHERS = (
    ("cross", "longdash"),
    ("x", "longdashdot"),
    ("pentagon", "dot"),
    ("hexagon", "dash"),
    ("triangle-down", "dashdot"),
    ("bowtie", "solid"),
    ("hourglass", "longdash"),
    ("triangle-left", "longdashdot"),
    ("triangle-right", "dot"),
)

_other_hues: dict[str, int] = {}  # the position of the fallback hue of each class that has one
_lock = threading.Lock()


def class_color(name: str) -> str:
    """The hue of a class; for an unknown name, its fallback hue, which is kept from its first use on."""
    if name in CLASS_COLORS:
        return CLASS_COLORS[name]
    with _lock:
        return OTHER_COLORS[_other_hue(name, _other_hues)]


def distinguish(classes: Sequence[str]) -> None:
    """Give the unknown ones among the classes of one data set hues that differ, as long as there are enough hues and
    no earlier use has determined them."""
    unknown = [name for name in classes if name not in CLASS_COLORS]
    with _lock:
        for name in unknown:
            _other_hue(name, unknown)


def _other_hue(name: str, among: Iterable[str]) -> int:
    """The position of a fallback hue: at first the one that is used least ``among`` these classes."""
    used = [_other_hues[other] for other in among if other in _other_hues]
    return _other_hues.setdefault(name, min(range(len(OTHER_COLORS)), key=lambda hue: (used.count(hue), hue)))


def network_styles(architectures: Mapping[str, str], inks: Ink) -> dict[str, NetworkStyle]:
    """How each network is drawn; ``architectures`` maps run ids to names of architectures.

    The first network of a known architecture has the style of its family. All others take the next of the remaining
    markers, line styles and hues.
    """
    families = list(FAMILIES)
    taken = set(architectures.values()) & set(families)
    hues = [hue for i, hue in enumerate(inks.hues) if i >= len(families) or families[i] not in taken]
    remaining = zip(itertools.cycle(OTHERS), itertools.cycle(hues or inks.hues))
    styles = {}
    for run_id, architecture in architectures.items():
        if architecture in taken:
            taken.remove(architecture)
            (symbol, dash), color = FAMILIES[architecture], inks.hues[families.index(architecture)]
        else:
            (symbol, dash), color = next(remaining)
        styles[run_id] = NetworkStyle(symbol, dash, 2.0, color)
    return styles


def ensemble_style(inks: Ink) -> NetworkStyle:
    """How an ensemble is drawn: in the color of the text, with a thick line."""
    return NetworkStyle("star", "solid", 4.0, inks.text)


def on_light(style: NetworkStyle) -> NetworkStyle:
    """The same style in its hue for light paper."""
    hues = dict(zip((*DARK.hues, DARK.text), (*LIGHT.hues, LIGHT.text), strict=True))
    return replace(style, color=hues.get(style.color, style.color))


def reserved(top: int = 28, *, left: int = 8, right: int = 8, below: int = 8) -> dict[str, int]:
    """The margins of a figure in px, with what its axes and legend need on a wide screen.

    Plotly draws everything in a figure a second time when it finds that a margin must grow. So a figure with many marks
    has margins that suffice; narrower screens, where the legend has more rows, may need the second time.
    """
    return {"l": left, "r": right, "t": top, "b": below}


@functools.cache  # Plotly validates a template for longer than it draws a small figure
def template(inks: Ink) -> go.layout.Template:
    """Plotly settings shared by every figure."""
    small = {"color": inks.muted, "size": 12}
    axis = {
        "gridcolor": inks.faint,
        "linecolor": inks.faint,
        "zeroline": False,
        "ticks": "",
        "tickfont": {"color": inks.text, "size": 12},
        "title": {"font": small},
    }
    return go.layout.Template(
        layout={
            "font": {"color": inks.text, "size": 13, "family": '"Source Sans", system-ui, sans-serif'},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "margin": reserved(),
            "xaxis": {**axis, "automargin": True},
            "yaxis": {**axis, "automargin": True},
            "legend": {"orientation": "h", "y": -0.18, "x": 0, "font": {"color": inks.text}},
            # By default Plotly fills the label with the color of the point, on which the text is not always readable.
            "hoverlabel": {
                "bgcolor": inks.paper,
                "bordercolor": inks.muted,
                "font": {"size": 12, "color": inks.text},
            },
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": inks.muted, "activecolor": inks.text},
            "colorway": list(CLASS_COLORS.values()),
        },
        data={
            "heatmap": [
                {"colorbar": {"outlinewidth": 0, "tickformat": ".1f", "tickfont": small, "title": {"font": small}}}
            ]
        },
    )
