"""A Plotly figure as an SVG drawing, for reports: no script, a hundredth of the bytes, and ink that follows the page.

It draws what FERscope's figures are made of: lines, markers, error bars, heat maps, panels, lines across a panel, and
words at a place in one.
Text stays text and is never read as markup or mathematics, whatever a person called a class or a network.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import matplotlib as mpl
import numpy as np
import plotly.graph_objects as go
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, MultipleLocator
from matplotlib.transforms import Affine2D, Transform, blended_transform_factory

from dashboard.reports.static_traces import PX, heatmap, scatter
from dashboard.style import LIGHT

DPI = 96
MARGINS_PX = {"left": 72, "right": 16, "top": 34, "bottom": 56}
# The page's ink instead of the light theme's, so that the drawing can be read on dark paper too.
VARIABLES = {LIGHT.text: "--ink", LIGHT.muted: "--muted", LIGHT.faint: "--line", LIGHT.paper: "--paper"}
VERTICAL: dict[str, Any] = {"top": "top", "middle": "center", "bottom": "bottom"}
# matplotlib's settings are the process's, and sessions are threads.
_LOCK = threading.Lock()


def svg(figure: go.Figure, alt: str, *, width_px: int = 860) -> str:
    """The drawing as an ``<svg>`` element that says ``alt`` to those who cannot see it; made with the inks of LIGHT."""
    settings: dict[str, Any] = {
        "svg.fonttype": "none",
        "text.parse_math": False,
        "font.size": 12 * PX,
        **{"text.color": LIGHT.text, "axes.edgecolor": LIGHT.faint, "axes.labelcolor": LIGHT.muted},
        **{"xtick.color": LIGHT.faint, "ytick.color": LIGHT.faint, "grid.color": LIGHT.faint},
        **{"xtick.labelcolor": LIGHT.text, "ytick.labelcolor": LIGHT.text},
    }
    with _LOCK, mpl.rc_context(settings):  # type: ignore[arg-type]  # its keys are a closed list
        drawn = _draw(figure, width_px)
        buffer = io.BytesIO()
        drawn.savefig(
            buffer, format="svg", bbox_inches="tight", pad_inches=0.05, transparent=True, metadata={"Date": None}
        )
    return _cleaned(buffer.getvalue().decode(), alt)


def _draw(figure: go.Figure, width_px: int) -> Figure:
    layout = figure.layout
    height_px = layout.height or 400
    drawn = Figure(figsize=(width_px / DPI, height_px / DPI), dpi=DPI)
    FigureCanvasSVG(drawn)
    panels: dict[tuple[str, str], Axes] = {}
    entries: dict[str, Any] = {}
    for trace in figure.data:
        if trace.type not in ("heatmap", "scatter"):
            raise ValueError(f"a report draws scatter and heatmap traces, got {trace.type!r}")
        place = (trace.xaxis or "x", trace.yaxis or "y")
        if place not in panels:
            panels[place] = _panel(drawn, figure, place, width_px, height_px)
        axes = panels[place]
        if trace.type == "heatmap":
            heatmap(axes, trace)
            continue
        handle = scatter(axes, trace)
        if trace.name and trace.showlegend is not False and handle is not None:
            entries[trace.name] = handle
    for shape in layout.shapes:
        axes = panels[str(shape.xref).split()[0] if shape.xref != "paper" else "x", str(shape.yref).split()[0]]
        if shape.type == "line" and shape.x0 == shape.x1:
            axes.axvline(shape.x0, color=shape.line.color, linewidth=(shape.line.width or 1) * PX, zorder=1)
        elif shape.type == "line" and shape.y0 == shape.y1:
            axes.axhline(shape.y0, color=shape.line.color, linewidth=(shape.line.width or 1) * PX, zorder=1)
    _settle(figure, panels)
    _words(drawn, figure, panels, width_px, height_px)
    if entries:
        at = MARGINS_PX["left"] / width_px
        drawn.legend(
            list(entries.values()),
            [_label(name) for name in entries],
            loc="upper left",
            bbox_to_anchor=(at - 0.02, (MARGINS_PX["bottom"] - 46) / height_px),
            ncols=3 if width_px > 600 else 2,
            frameon=False,
            handlelength=3,
        )
    return drawn


def _panel(drawn: Figure, figure: go.Figure, place: tuple[str, str], width_px: int, height_px: int) -> Axes:
    (left, right), (bottom, top) = (_axis(figure, name).domain or (0, 1) for name in place)
    rect = [*_at(left, bottom, width_px, height_px), 0.0, 0.0]
    end = _at(right, top, width_px, height_px)
    rect[2:] = [end[0] - rect[0], end[1] - rect[1]]
    axes = drawn.add_axes((rect[0], rect[1], rect[2], rect[3]))
    axes.set_facecolor("none")
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return axes


def _at(x: float, y: float, width_px: int, height_px: int) -> tuple[float, float]:
    """Plotly's paper coordinates, which leave out the margins, as parts of the whole drawing."""
    across = width_px - MARGINS_PX["left"] - MARGINS_PX["right"]
    along = height_px - MARGINS_PX["top"] - MARGINS_PX["bottom"]
    return (MARGINS_PX["left"] + x * across) / width_px, (MARGINS_PX["bottom"] + y * along) / height_px


def _axis(figure: go.Figure, name: str) -> Any:
    """``"y2"`` -> the layout's settings of that axis."""
    return figure.layout[f"{name[0]}axis{name[1:]}"]


def _settle(figure: go.Figure, panels: Mapping[tuple[str, str], Axes]) -> None:
    """Ranges, ticks and titles; axes that match one another get one range."""
    for which in (0, 1):
        for name in dict.fromkeys(place[which] for place in panels):
            root = _axis(figure, name).matches or name
            group = [
                axes for place, axes in panels.items() if place[which] == root or _matches(figure, place[which], root)
            ]
            _range(figure, root, group, which)
        for place, axes in panels.items():
            _ticks(_axis(figure, place[which]), axes, which)


def _matches(figure: go.Figure, name: str, root: str) -> bool:
    return bool(_axis(figure, name).matches == root)


def _range(figure: go.Figure, root: str, group: Sequence[Axes], which: int) -> None:
    settings = _axis(figure, root)
    get, put = ("get_xlim", "set_xlim") if which == 0 else ("get_ylim", "set_ylim")
    if settings.type == "log":
        for axes in group:
            (axes.set_xscale if which == 0 else axes.set_yscale)("log")
    if settings.range is not None:
        low, high = (10**v if settings.type == "log" else v for v in settings.range)
    else:
        limits = np.array([getattr(axes, get)() for axes in group])
        low, high = float(limits.min()), float(limits.max())
        if settings.rangemode == "tozero":
            low, high = min(low, 0.0) if low < -1e-9 and high <= 0 else 0.0, max(high, 0.0)
        if settings.autorange == "reversed":
            low, high = high, low
    for axes in group:
        getattr(axes, put)(low, high)


def _ticks(settings: Any, axes: Axes, which: int) -> None:
    axis, direction = (axes.xaxis, "x") if which == 0 else (axes.yaxis, "y")
    if settings.tickvals is not None:
        names = settings.ticktext if settings.ticktext is not None else [f"{v:g}" for v in settings.tickvals]
        axis.set_ticks(list(settings.tickvals), [str(name).replace("<br>", "\n") for name in names])
        axis.minorticks_off()  # a log axis would label those too
    elif settings.tickformat:
        axis.set_major_formatter(_formatter(settings.tickformat))
        if settings.type != "log":  # no steps of 2.5: two decimals would say 0.03 at 0.025
            axis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10]))
    elif isinstance(settings.dtick, int | float) and settings.type != "log":
        axis.set_major_locator(MultipleLocator(settings.dtick))
    if settings.showgrid is not False:
        axes.grid(axis=direction, linewidth=0.6)  # type: ignore[arg-type]
    axis.set_tick_params(length=0)
    if settings.tickangle:
        for text in axis.get_ticklabels():
            text.set(rotation=-settings.tickangle, ha="right", rotation_mode="anchor")
    if settings.showticklabels is False:
        axis.set_tick_params(labelbottom=False, labelleft=False)
    if settings.title.text:
        axis.set_label_text(settings.title.text)


def _formatter(d3: str) -> Callable[[float, Any], str]:
    """The few of d3's number formats that are in use: ``.2f``, and ``+.3~f`` without closing zeros."""
    plain = d3.replace("~", "")

    def shown(value: float, _position: Any) -> str:
        text = format(value, plain)
        return text.rstrip("0").rstrip(".") if "~" in d3 and "." in text else text

    return shown


def _words(
    drawn: Figure, figure: go.Figure, panels: Mapping[tuple[str, str], Axes], width_px: int, height_px: int
) -> None:
    """The figure's title, the titles of its panels, and what is said at a place in a panel."""
    layout = figure.layout
    if layout.title.text:
        drawn.text(*_at(0, 1, width_px, height_px), layout.title.text + "\n", fontsize=14 * PX, va="bottom")
    (left, bottom), (right, top) = (_at(k, k, width_px, height_px) for k in (0, 1))
    paper = Affine2D.from_values(right - left, 0, 0, top - bottom, left, bottom) + drawn.transFigure
    for note in layout.annotations:
        (x, across), (y, along) = (_place(figure, panels, paper, note, letter) for letter in "xy")
        drawn.text(
            x,
            y,
            note.text,
            transform=blended_transform_factory(across, along),
            ha=note.xanchor or "center",
            va=VERTICAL[note.yanchor or "middle"],
            rotation=-(note.textangle or 0),
            color=note.font.color or LIGHT.text,
            fontsize=13 * PX,
        )


def _place(
    figure: go.Figure, panels: Mapping[tuple[str, str], Axes], paper: Transform, note: Any, letter: str
) -> tuple[float, Transform]:
    """Where an annotation stands along x or y, a class as the number of its cell, and in whose coordinates."""
    at, axis = note[letter], note[f"{letter}ref"] or letter
    if axis == "paper":
        return at, paper
    if isinstance(at, str):
        at = next(list(t[letter]).index(at) for t in figure.data if (t[f"{letter}axis"] or letter) == axis)
    return at, next(axes for place, axes in panels.items() if axis in place).transData


def _label(name: str) -> str:
    """matplotlib leaves a label out that begins with an underscore."""
    return f"\u200b{name}" if name.startswith("_") else name


def _cleaned(drawing: str, alt: str) -> str:
    """The element alone, in the page's ink and font, without the names that nothing refers to."""
    element = drawing[drawing.index("<svg") :]
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    element = re.sub(r' id="[A-Za-z0-9.]+_\d+"', "", element)
    element = re.sub(r"(font: [^;\"]*?px) [^;\"]*", r"\1 system-ui, sans-serif", element)
    element = re.sub(r"<svg [^>]*?(viewBox=\"[^\"]*\")[^>]*>", r"<svg \1>", element, count=1)
    element = element.replace("<svg ", f'<svg role="img" aria-label="{escape(alt)}" ', 1)
    for color, variable in VARIABLES.items():
        element = element.replace(color.lower(), f"var({variable})")
    return element.strip()
