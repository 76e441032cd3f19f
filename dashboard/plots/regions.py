"""Regions of the face: their outlines, and the share of the saliency in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.explain import REGION_NAMES, FaceRegions
from core.probes import SplitRegionShares
from dashboard.plots.error_bars import row_offsets, row_px
from dashboard.section import counted
from dashboard.style import Ink, NetworkStyle, class_color, template

OUTLINE = (79, 195, 184)
RIM = (17, 24, 26)


def outlined(picture: np.ndarray, regions: FaceRegions) -> np.ndarray:
    """A picture (S, S, 3) uint8 with the outline of each region except the rest, visible on any face."""
    drawn = picture.copy()
    size = picture.shape[0]
    for name in REGION_NAMES[:-1]:
        mask = regions.mask(name).astype(np.uint8)
        large = cv2.resize(mask, (size, size), interpolation=cv2.INTER_LINEAR_EXACT)
        contours, _ = cv2.findContours(large, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        for color, width in ((RIM, 4), (OUTLINE, 2)):
            cv2.drawContours(drawn, contours, -1, color, width, cv2.LINE_AA)
    return drawn


def same(areas: Sequence[np.ndarray]) -> bool:
    """Whether the regions of several networks have the same areas."""
    return all(np.array_equal(areas[0], others) for others in areas[1:])


def shares(
    found: Mapping[str, np.ndarray],
    areas: Mapping[str, np.ndarray],
    class_name: str,
    styles: Mapping[str, NetworkStyle],
    names: Mapping[str, str],
    inks: Ink,
) -> go.Figure:
    """One row per region, one marker per network. The area of the region, which is the share of a uniform map, is a
    bar, or a line per network where their crops differ.

    ``found`` and ``areas``: model id -> (5,) in the order of REGION_NAMES.
    """
    figure = go.Figure()
    of_uniform = [areas[model_id] for model_id in found]
    alike = same(of_uniform)
    rows = list(range(len(REGION_NAMES)))
    if alike:
        figure.add_bar(
            y=rows,
            x=of_uniform[0],
            orientation="h",
            name="bar: uniform map",
            marker={"color": inks.faint, "line": {"width": 0}},
            hovertemplate="%{x:.3f}<extra>share of the crop</extra>",
        )
    for offset, (model_id, of) in zip(row_offsets(len(found)), found.items(), strict=True):
        heights = [row + offset for row in rows]
        if not alike:
            figure.add_scatter(
                y=heights,
                x=areas[model_id],
                mode="markers",
                name="line: uniform map",
                marker={"symbol": "line-ns", "size": 12, "line": {"color": inks.muted, "width": 2}},
                hovertemplate="%{x:.3f}<extra>share of the crop of " + names[model_id] + "</extra>",
                showlegend=model_id == next(iter(found)),
            )
        figure.add_scatter(
            y=heights,
            x=of,
            mode="markers",
            name=names[model_id],
            marker={
                "symbol": styles[model_id].symbol,
                "size": 11,
                "color": class_color(class_name),
                "line": {"color": inks.text, "width": 1.2},
            },
            customdata=REGION_NAMES,
            hovertemplate="%{customdata}: %{x:.3f}<extra>" + names[model_id] + "</extra>",
        )
    most = max(float(np.nanmax(of)) for of in (*of_uniform, *found.values()))
    _style(figure, inks, list(REGION_NAMES), row_px(len(found), 46), "share of the saliency", most)
    return figure


def by_class(
    found: Mapping[str, SplitRegionShares],
    region: str,
    styles: Mapping[str, NetworkStyle],
    names: Mapping[str, str],
    inks: Ink,
) -> go.Figure:
    """One row per class, one marker per network with its 95 % interval: the mean share of one region over the images
    predicted as that class. The vertical line is the region's area. The networks must share their classes."""
    figure = go.Figure()
    column = REGION_NAMES.index(region)
    first = next(iter(found.values()))
    classes = first.labels.classes
    for offset, (model_id, of) in zip(row_offsets(len(found)), found.items(), strict=True):
        order = [of.labels.index(c) for c in classes]
        figure.add_scatter(
            y=[row + offset for row in range(len(classes))],
            x=of.mean()[order, column],
            error_x={"array": of.half_width()[order, column], "color": inks.muted, "thickness": 1, "width": 0},
            mode="markers",
            name=names[model_id],
            marker={
                "symbol": styles[model_id].symbol,
                "size": 10,
                "color": [class_color(c) for c in classes],
                "line": {"color": inks.text, "width": 1.1},
            },
            customdata=[[c, counted(int(n), "image")] for c, n in zip(classes, of.counts()[order], strict=True)],
            hovertemplate="%{customdata[0]}: %{x:.3f}, %{customdata[1]}<extra>" + names[model_id] + "</extra>",
            showlegend=False,
        )
        # The legend shows the marker without a color, because colors denote classes.
        figure.add_scatter(
            x=[None],
            y=[None],
            mode="markers",
            name=names[model_id],
            marker={"symbol": styles[model_id].symbol, "size": 9, "color": inks.muted},
        )
    figure.add_vline(x=float(first.areas[column]), line={"color": inks.muted, "width": 1})
    tops = [of.mean()[:, column] + np.nan_to_num(of.half_width()[:, column]) for of in found.values()]
    most = max([float(first.areas[column]), *np.concatenate(tops)[np.isfinite(np.concatenate(tops))].tolist()])
    _style(figure, inks, list(classes), row_px(len(found), 44), f"share of the saliency on the {region}", most)
    return figure


def numbers(found: Mapping[str, np.ndarray], areas: Mapping[str, np.ndarray], names: Mapping[str, str]) -> pd.DataFrame:
    """One row per network and region: the share of the saliency, and the region's area in the crop of the network."""
    return pd.concat(
        [
            pd.DataFrame({"network": names[model_id], "region": REGION_NAMES, "share": of, "area": areas[model_id]})
            for model_id, of in found.items()
        ],
        ignore_index=True,
    )


def class_numbers(found: Mapping[str, SplitRegionShares], names: Mapping[str, str]) -> pd.DataFrame:
    """One row per network, class and region: number of images, mean share, half its 95 % interval, the region's
    area."""
    rows = []
    for model_id, of in found.items():
        means, widths, counts = of.mean(), of.half_width(), of.counts()
        for k, class_name in enumerate(of.labels.classes):
            for column, region in enumerate(REGION_NAMES):
                rows.append(
                    {
                        "network": names[model_id],
                        "predicted": class_name,
                        "images": int(counts[k]),
                        "region": region,
                        "share": means[k, column],
                        "half_width_95": widths[k, column],
                        "area": of.areas[column],
                    }
                )
    return pd.DataFrame(rows)


def _style(figure: go.Figure, inks: Ink, rows: list[str], height_px: int, title: str, most: float) -> None:
    figure.update_layout(
        template=template(inks),
        height=height_px * len(rows) + 110,
        bargap=0.4,
        # Slightly below 0, so that markers at 0 are not cut off.
        xaxis={"title": title, "range": [-0.03 * most, 1.06 * most], "tickformat": ".2f"},
        yaxis={
            "range": [len(rows) - 0.5, -0.5],
            "tickvals": list(range(len(rows))),
            "ticktext": rows,
            "showgrid": False,
        },
        legend={"y": -0.24},
    )
