"""Color and form: a class is a hue, a network is a line style and a marker, everywhere the same."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

# Okabe & Ito's color-blind safe hues, one a class; contempt is faint on white and gets an outline where it is filled.
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
# Paul Tol's "muted" scheme, for classes of the user's own.
OTHER_COLORS = ("#332288", "#117733", "#44AA99", "#88CCEE", "#DDCC77", "#CC6677", "#AA4499")


@dataclass(frozen=True)
class Form:
    """How a network is drawn."""

    dash: str
    symbol: str
    width: float = 2.0


FORMS = {
    "cnn": Form("dot", "circle"),
    "residual_cnn": Form("dash", "square"),
    "resnet50": Form("solid", "diamond"),
    "mobilenet_v2": Form("dashdot", "triangle-up"),
    "ensemble": Form("solid", "star", 4.0),
}
OTHER_FORMS = (Form("longdash", "cross"), Form("longdashdot", "x"), Form("dot", "pentagon"), Form("dash", "hexagon"))


@dataclass(frozen=True)
class Ink:
    """The grays of a figure for light or dark paper."""

    text: str
    muted: str
    faint: str
    paper: str


LIGHT = Ink(text="#1B2A2E", muted="#6B7A7E", faint="#D9E0E0", paper="#FFFFFF")
DARK = Ink(text="#E6ECEC", muted="#9AA8AB", faint="#314045", paper="#11181A")


def class_color(name: str) -> str:
    """The hue of a class; names outside the known ones always get the same one of the fallback hues."""
    if name in CLASS_COLORS:
        return CLASS_COLORS[name]
    return OTHER_COLORS[sum(name.encode()) % len(OTHER_COLORS)]


def form_of(architecture: str, position: int = 0) -> Form:
    """The form of a network family; ``position`` tells unknown families apart."""
    return FORMS.get(architecture, OTHER_FORMS[position % len(OTHER_FORMS)])


def template(inks: Ink) -> go.layout.Template:
    """Plotly settings shared by every figure: quiet axes, tabular numbers, no decoration."""
    axis = {
        "gridcolor": inks.faint,
        "linecolor": inks.faint,
        "zeroline": False,
        "tickfont": {"color": inks.text, "size": 12},
        "title": {"font": {"color": inks.muted, "size": 12}},
    }
    return go.layout.Template(
        layout={
            "font": {"color": inks.text, "size": 13},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "margin": {"l": 8, "r": 8, "t": 28, "b": 8},
            "xaxis": {**axis, "automargin": True},
            "yaxis": {**axis, "automargin": True},
            "legend": {"orientation": "h", "y": -0.18, "x": 0, "font": {"color": inks.text}},
            "hoverlabel": {"font": {"size": 12}},
            "colorway": list(CLASS_COLORS.values()),
        }
    )
