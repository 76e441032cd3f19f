"""Probabilities over time, one panel per face, and how often one expression follows another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.images import data_uri, encode_jpeg
from core.video import GroupTimeline, Timeline
from core.video.statistics import Stretch, TrackShares
from dashboard.plots.cells import colorscale, heatmap, text_color
from dashboard.style import Ink, class_color, template

PANEL_PX = {1: 230, 2: 150}  # by the number of panels
SMALL_PANEL_PX = 118
STRIP_PX = 44
BELOW_PX = 96  # for the axis and the legend
MAX_POINTS = 600  # per line
TARGET_ROWS = 7  # transparent markers that can be clicked
MAX_TARGETS = 200  # per row


def chart(
    timeline: Timeline,
    group: GroupTimeline,
    name: str,
    tracks: Sequence[int],
    cursor_s: float,
    inks: Ink,
    strip: Sequence[tuple[float, float, np.ndarray]] = (),
) -> go.Figure:
    """One panel per face with one line per class; a click returns the time as ``customdata``.

    ``strip`` are pictures that are drawn above the panels, with the times from and to which each reaches.
    """
    figure = make_subplots(
        rows=len(tracks),
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.22 / len(tracks),
        subplot_titles=[f"Face {track}" for track in tracks],
    )
    probabilities = group.of(name)
    for panel, track in enumerate(tracks, start=1):
        rows = np.flatnonzero(timeline.tracks == track)
        times, values = _thinned(timeline.times_s[rows], probabilities[rows], timeline.max_gap_s)
        for position, class_name in enumerate(group.labels.classes):
            figure.add_scatter(
                x=times,
                y=values[:, position],
                mode="lines+markers" if len(times) < 3 else "lines",
                name=class_name,
                legendgroup=class_name,
                showlegend=panel == 1,
                line={"color": class_color(class_name), "width": 2},
                hovertemplate=f"{class_name} %{{y:.3f}} at %{{x:.2f}} s<extra></extra>",
                row=panel,
                col=1,
            )
        _add_targets(figure, timeline, panel, inks)
    figure.add_vline(x=cursor_s, line={"color": inks.text, "width": 1.5})
    first_s, last_s = _bounds(timeline)
    figure.update_xaxes(range=[first_s, last_s], fixedrange=True)
    figure.update_xaxes(title="time (s)", row=len(tracks), col=1)
    figure.update_yaxes(range=[-0.03, 1.03], tickformat=".1f", fixedrange=True)
    figure.update_annotations(font={"size": 13, "color": inks.text}, x=0, xanchor="left")
    panels_px = PANEL_PX.get(len(tracks), SMALL_PANEL_PX) * len(tracks)
    top_px = 28 + (_add_strip(figure, strip, panels_px) if strip else 0)
    figure.update_layout(
        template=template(inks),
        height=top_px + panels_px + BELOW_PX,
        margin={"t": top_px, "b": BELOW_PX},
        hovermode="closest",
        hoverdistance=24,
        dragmode=False,
        legend={"y": -52 / panels_px, "yanchor": "top"},
    )
    return figure


def _add_targets(figure: go.Figure, timeline: Timeline, panel: int, inks: Ink) -> None:
    """Plotly reports clicks on markers only, so transparent ones cover the panel."""
    times = timeline.frame_times_s
    if len(times) > MAX_TARGETS:
        times = times[np.linspace(0, len(times) - 1, MAX_TARGETS).astype(int)]
    heights = np.linspace(0.05, 0.95, TARGET_ROWS)
    unseen = {"marker": {"opacity": 0}}
    figure.add_scatter(
        x=np.tile(times, TARGET_ROWS),
        y=np.repeat(heights, len(times)),
        customdata=np.tile(times, TARGET_ROWS),
        mode="markers",
        marker={"symbol": "square", "size": 22, "opacity": 0},
        selected=unseen,
        unselected=unseen,
        hovertemplate="show %{x:.2f} s<extra></extra>",
        hoverlabel={"bgcolor": inks.paper, "bordercolor": inks.muted, "font": {"color": inks.text}},
        showlegend=False,
        row=panel,
        col=1,
    )


def _add_strip(figure: go.Figure, strip: Sequence[tuple[float, float, np.ndarray]], panels_px: float) -> int:
    """Pictures above the first panel and its title; returns the height in px that they need."""
    for start_s, end_s, picture in strip:
        figure.add_layout_image(
            source=data_uri(encode_jpeg(picture), "image/jpeg"),
            xref="x",
            yref="paper",
            x=start_s,
            y=1 + 24 / panels_px,
            sizex=end_s - start_s,
            sizey=STRIP_PX / panels_px,
            xanchor="left",
            yanchor="bottom",
            sizing="contain",
        )
    return STRIP_PX + 24  # with the tool bar


def _bounds(timeline: Timeline) -> tuple[float, float]:
    first_s, last_s = float(timeline.frame_times_s[0]), float(timeline.frame_times_s[-1])
    return (first_s, last_s) if last_s > first_s else (first_s - 0.5, first_s + 0.5)


def _thinned(times: np.ndarray, values: np.ndarray, max_gap_s: float) -> tuple[np.ndarray, np.ndarray]:
    """At most about 600 points: means of successive rows, with an empty row where the face was out of the picture."""
    size = -(-len(times) // MAX_POINTS)
    if size > 1:
        starts = np.arange(0, len(times), size)
        counts = np.diff(np.append(starts, len(times)))
        times = np.add.reduceat(times, starts) / counts
        values = np.add.reduceat(values, starts) / counts[:, None]
    gaps = np.flatnonzero(np.diff(times) > max_gap_s * max(size, 1)) + 1
    return np.insert(times, gaps, times[gaps] - 1e-6), np.insert(values, gaps, np.nan, axis=0)


def shares(found: Sequence[TrackShares], classes: Sequence[str], inks: Ink) -> go.Figure:
    """One bar per face, divided by the share of time of each class."""
    figure = go.Figure()
    names = [f"Face {of_track.track}" for of_track in found]
    for position, class_name in enumerate(classes):
        values = [of_track.shares[position] for of_track in found]
        figure.add_bar(
            x=values,
            y=names,
            orientation="h",
            name=class_name,
            marker={"color": class_color(class_name), "line": {"color": inks.paper, "width": 1}},
            text=[class_name if value >= 0.15 else "" for value in values],
            textposition="inside",
            insidetextanchor="middle",
            insidetextfont={"color": text_color(class_color(class_name))},
            customdata=[100 * value for value in values],
            hovertemplate=f"{class_name}: %{{customdata:.1f}} % of the time<extra>%{{y}}</extra>",
        )
    bars_px = 38 * len(found)
    figure.update_layout(
        template=template(inks),
        barmode="stack",
        height=bars_px + BELOW_PX + 28,
        margin={"t": 28, "b": BELOW_PX, "r": 24},
        xaxis={
            "title": "share of the time in the picture",
            "range": [0, 1],
            "tickvals": [0, 0.25, 0.5, 0.75, 1],
            "ticktext": ["0 %", "25 %", "50 %", "75 %", "100 %"],
        },
        yaxis={"autorange": "reversed"},
        legend={"y": -58 / bars_px, "yanchor": "top", "traceorder": "normal"},
    )
    return figure


def transitions(counts: np.ndarray, classes: Sequence[str], inks: Ink) -> go.Figure:
    """Rows: the expression before, columns: the one after; what stays the same is left out."""
    changes = counts.astype(float)
    np.fill_diagonal(changes, np.nan)
    figure = heatmap(
        go.Heatmap(
            z=changes,
            x=list(classes),
            y=list(classes),
            colorscale=colorscale(inks),
            zmin=0,
            zmax=max(1.0, float(np.nanmax(changes, initial=0))),
            text=[["" if np.isnan(n) else f"{n:.0f}" for n in row] for row in changes],
            hovertemplate="%{y} → %{x}: %{z:.0f}<extra></extra>",
            showscale=False,
            xgap=1,
            ygap=1,
        ),
        inks,
    )
    figure.update_layout(
        template=template(inks),
        height=46 * len(classes) + 70,
        xaxis={"title": "next expression", "showgrid": False},
        yaxis={"title": "expression", "autorange": "reversed", "showgrid": False},
    )
    return figure


def shares_table(found: Sequence[TrackShares], classes: Sequence[str]) -> pd.DataFrame:
    """One row per face, for a file."""
    return pd.DataFrame(
        [
            {"track": f.track, "start_s": f.start_s, "end_s": f.end_s, "seen_s": f.seen_s}
            | dict(zip(classes, f.shares, strict=True))
            for f in found
        ]
    )


def transitions_table(counts: np.ndarray, classes: Sequence[str]) -> pd.DataFrame:
    """One row per expression before, one column per expression after, for a file."""
    table = pd.DataFrame(counts, columns=list(classes))
    table.insert(0, "expression", list(classes))
    return table


def disagreement_table(found: Sequence[Stretch], names: Mapping[str, str]) -> pd.DataFrame:
    """One row per stretch."""
    return pd.DataFrame(
        [
            {
                "face": stretch.track,
                "from": f"{stretch.start_s:.2f} s",
                "to": f"{stretch.end_s:.2f} s",
                "frames": stretch.frames,
                "disagreement (bits)": f"{stretch.disagreement_bits:.3f}",
                **{names[model_id]: expression for model_id, expression in stretch.expressions.items()},
            }
            for stretch in found
        ]
    )
