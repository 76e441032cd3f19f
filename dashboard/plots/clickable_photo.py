"""The photo as a figure whose faces can be clicked."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.faces import Box
from core.images import encode_png
from dashboard.style import Ink, template

WIDEST_PX = 360  # fits a telephone; a figure with marks of a fixed size cannot grow with the page


def clickable(boxed: np.ndarray, boxes: Sequence[Box], photo_width_px: int, tallest_px: int, inks: Ink) -> go.Figure:
    """A display copy of the photo (H, W, 3) uint8 with its boxes drawn, under a transparent square for each face.

    ``boxes`` are px of the photo, which is ``photo_width_px`` wide. Each square's ``customdata`` is the face's number.
    """
    height, width = boxed.shape[:2]
    scale = min(WIDEST_PX / width, tallest_px / height)
    per_photo_px = width * scale / photo_width_px
    uri = "data:image/png;base64," + base64.b64encode(encode_png(boxed)).decode()
    figure = go.Figure()
    figure.add_layout_image(
        source=uri,
        xref="x",
        yref="y",
        x=0,
        y=0,
        sizex=width * scale,
        sizey=height * scale,
        sizing="stretch",
        layer="below",
    )
    # A click on an image says nothing; one on a marker does.
    unseen = {"marker": {"opacity": 0}}
    figure.add_scatter(
        x=[box.center[0] * per_photo_px for box in boxes],
        y=[box.center[1] * per_photo_px for box in boxes],
        customdata=list(range(len(boxes))),
        mode="markers",
        marker={"symbol": "square", "size": [max(box.side * per_photo_px, 16) for box in boxes], "opacity": 0},
        selected=unseen,
        unselected=unseen,
        hovertemplate="look at this face<extra></extra>",
        showlegend=False,
    )
    axis = {"visible": False, "fixedrange": True, "automargin": False}
    figure.update_layout(
        template=template(inks),
        width=round(width * scale),
        height=round(height * scale),
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        xaxis={**axis, "range": [0, width * scale]},
        yaxis={**axis, "range": [height * scale, 0]},
        hovermode="closest",
        dragmode=False,
    )
    return figure
