"""The cells of a heatmap: the color scale of shares and counts, and numbers that are readable on every color."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from PIL import ImageColor

from dashboard.style import LIGHT, Ink

TEXT_COLORS = ("#000000", "#FFFFFF")


def colorscale(inks: Ink) -> str:
    """The name of Plotly's scale for shares and counts."""
    return "Blues" if inks == LIGHT else "ice"


def heatmap(heat: go.Heatmap, inks: Ink) -> go.Figure:
    """A figure of a heatmap with its text, each in black or white, whichever has the higher contrast to its cell.

    Plotly's ``texttemplate`` is not used, because it writes dark gray on medium colors, with a contrast of 3.
    """
    figure = go.Figure(heat)
    dark = _is_dark(heat, inks)
    for color, cells in zip(TEXT_COLORS, (~dark, dark), strict=True):
        rows, columns = np.nonzero(cells)
        figure.add_scatter(
            x=[heat.x[j] for j in columns],
            y=[heat.y[i] for i in rows],
            text=[heat.text[i][j] for i, j in zip(rows, columns, strict=True)],
            mode="text",
            textfont={"size": 11, "color": color},
            selected={"textfont": {"color": color}},  # otherwise a click on a cell fades all others
            hoverinfo="skip",
            showlegend=False,
        )
    return figure


def _is_dark(heat: go.Heatmap, inks: Ink) -> np.ndarray:
    """(rows, columns) bool: whether white has a higher contrast than black. Empty cells have the color of the paper."""
    values = (np.asarray(heat.z, float) - heat.zmin) / (heat.zmax - heat.zmin)
    positions, colors = zip(*heat.colorscale, strict=True)
    known = np.array([ImageColor.getrgb(color)[:3] for color in colors]) / 255
    rgb = np.stack([np.interp(values, positions, known[:, channel]) for channel in range(3)], axis=-1)
    rgb[np.isnan(values)] = np.array(ImageColor.getrgb(inks.paper)[:3]) / 255
    return _white_is_readable(rgb)


def text_color(background: str) -> str:
    """Black or white, whichever has the higher contrast to a color such as "#D55E00"."""
    return TEXT_COLORS[int(_white_is_readable(np.array(ImageColor.getrgb(background)[:3]) / 255))]


def _white_is_readable(rgb: np.ndarray) -> np.ndarray:
    """(...) bool: whether white has a higher contrast than black to colors (..., 3) from 0 to 1."""
    # Relative luminance and contrast as defined by WCAG 2.1.
    linear = np.where(rgb <= 0.03928, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722])
    dark: np.ndarray = 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05
    return dark
