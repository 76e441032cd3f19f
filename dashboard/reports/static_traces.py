"""The traces of a Plotly figure on matplotlib axes, for ``dashboard.figures.static``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.lines import Line2D

from dashboard.style import LIGHT

PX = 0.75  # points
DASHES: dict[str, Any] = {
    "solid": "-",
    "dot": (0, (1, 2)),
    "dash": (0, (4, 2)),
    "dashdot": (0, (4, 2, 1, 2)),
    "longdash": (0, (8, 3)),
    "longdashdot": (0, (8, 3, 1, 3)),
}
SYMBOLS = {
    **{"circle": "o", "square": "s", "diamond": "D", "triangle-up": "^", "star": "*", "cross": "P", "x": "X"},
    **{"pentagon": "p", "hexagon": "h", "triangle-left": "<", "triangle-right": ">", "line-ns": "|"},
}
STEPS: dict[str, Any] = {"hv": "steps-post", "vh": "steps-pre", "linear": "default"}


def scatter(axes: Axes, trace: go.Scatter) -> Any:
    """Draw it and return what stands for it in the legend; None for a trace that is not to be seen."""
    if trace.marker.opacity == 0:
        return None
    x, y = (_numbers(values if values is not None else []) for values in (trace.x, trace.y))
    mode = trace.mode or "lines"
    opacity = 1.0 if trace.opacity is None else trace.opacity
    style: dict[str, Any] = {"linestyle": "none", "alpha": opacity}
    if "lines" in mode:
        style |= {"color": trace.line.color, "linewidth": (trace.line.width or 2) * PX}
        style |= {"linestyle": DASHES[trace.line.dash or "solid"], "drawstyle": STEPS[trace.line.shape or "linear"]}
    for name, bars in (("xerr", trace.error_x), ("yerr", trace.error_y)):
        if bars.array is not None:
            reach = np.nan_to_num(np.array([_numbers(bars.arrayminus), _numbers(bars.array)])).clip(min=0)
            axes.errorbar(
                x,
                y,
                **{name: reach},
                fmt="none",
                ecolor=bars.color,
                elinewidth=(bars.thickness or 1) * PX,
                capsize=(bars.width or 0) * PX,
            )
    if "lines" in mode:
        axes.plot(x, y, **style)
    if "markers" in mode:
        _markers(axes, trace, x, y)
        style |= _marker_style(trace)
    return Line2D([], [], **style)


def _marker_style(trace: go.Scatter) -> dict[str, Any]:
    symbol, color = _first(trace.marker.symbol) or "circle", _first(trace.marker.color) or LIGHT.text
    hollow = symbol.endswith("-open")
    return {
        "marker": SYMBOLS[symbol.removesuffix("-open")],
        "markersize": (trace.marker.size or 6) * PX,
        "markerfacecolor": "none" if hollow else color,
        "markeredgecolor": color if hollow else (_first(trace.marker.line.color) or color),
        "markeredgewidth": (_first(trace.marker.line.width) or (1.5 if hollow else 0)) * PX,
    }


def _markers(axes: Axes, trace: go.Scatter, x: np.ndarray, y: np.ndarray) -> None:
    """One by one where a list gives each its own color or symbol."""
    symbols, colors = (_each(value, len(x)) for value in (trace.marker.symbol, trace.marker.color))
    shared = _marker_style(trace)
    for symbol, color in dict.fromkeys(zip(symbols, colors, strict=True)):
        those = [i for i, pair in enumerate(zip(symbols, colors, strict=True)) if pair == (symbol, color)]
        style = dict(shared)
        if symbol is not None:
            hollow = symbol.endswith("-open")
            style["marker"] = SYMBOLS[symbol.removesuffix("-open")]
            style["markerfacecolor"] = "none" if hollow else (color or LIGHT.text)
        if color is not None and trace.marker.line.color is None:
            style["markeredgecolor"] = color
        axes.plot(x[those], y[those], linestyle="none", zorder=3, **style)


def _each(value: Any, n: int) -> list[Any]:
    return list(value) if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str) else [value] * n


def _first(value: Any) -> Any:
    return next(iter(_each(value, 1)), None)


def heatmap(axes: Axes, trace: go.Heatmap) -> None:
    """Cells in the trace's colors, with their text where it has one, and the names of rows and columns."""
    z = np.array([_numbers(row) for row in trace.z])
    colors = LinearSegmentedColormap.from_list("scale", [(at, _rgb(color)) for at, color in trace.colorscale])
    rows, columns = (np.arange(n + 1) - 0.5 for n in z.shape)  # a cell lies around its position, as in Plotly
    axes.pcolormesh(
        columns, rows, z, cmap=colors, vmin=trace.zmin, vmax=trace.zmax, edgecolors=LIGHT.paper, linewidth=0.8
    )
    span = (trace.zmax - trace.zmin) or 1
    for i, row in enumerate(trace.text if trace.text is not None else []):
        for j, text in enumerate(row):
            red, green, blue = colors((z[i, j] - trace.zmin) / span)[:3] if np.isfinite(z[i, j]) else (1, 1, 1)
            light = 0.299 * red + 0.587 * green + 0.114 * blue > 0.55
            axes.text(j, i, str(text), ha="center", va="center", color="#0a0a0a" if light else "#fefefe", fontsize=8)
    for set_ticks, names in ((axes.set_xticks, trace.x), (axes.set_yticks, trace.y)):
        set_ticks(range(len(names)), [str(name).replace("<br>", "\n") for name in names])
    axes.tick_params(length=0)


def _rgb(color: str) -> tuple[float, float, float]:
    if color.startswith("rgb"):
        red, green, blue = (float(part) / 255 for part in re.findall(r"[\d.]+", color)[:3])
        return red, green, blue
    return to_rgb(color)


def _numbers(values: Any) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], float)
