"""The photo as a figure whose faces are numbered and can be clicked; it is as wide as the page allows."""

from __future__ import annotations

import base64
import io
import math

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from core.faces import Box
from core.inference import PhotoAnalysis
from dashboard.style import Ink, template

DISPLAY_PX = 1280  # longest side of the copy on the screen; the analysis keeps the original
MAX_HEIGHT_PX = 420  # so that the predictions stay above the fold on a laptop
TYPICAL_WIDTH_PX = 500  # between the column of a laptop and that of a large screen
CLICK_DISTANCE_PX = 20  # the largest distance from a marker at which Plotly reports a click
ZOOMABLE_FROM = 7  # faces; so many can be distinguished only after zooming in
SELECTED, OTHER, RIM = "#4FC3B8", "#FFFFFF", "#11181A"


def clickable(analysis: PhotoAnalysis, selected: int, inks: Ink) -> go.Figure:
    """The photo with a numbered box per face, dashed if its detection is uncertain; a click on a face has its index as
    ``customdata``."""
    height, width = analysis.image.shape[:2]
    height_px = min(MAX_HEIGHT_PX, round(TYPICAL_WIDTH_PX * height / width))
    figure = go.Figure()
    figure.add_layout_image(
        source=_uri(analysis.image),
        xref="x",
        yref="y",
        x=0,
        y=0,
        sizex=width,
        sizey=height,
        sizing="stretch",
        layer="below",
    )
    # Plotly does not draw a number outside the photo.
    boxes = [found.face.box.clipped(width, height) for found in analysis.faces]
    for number, box in enumerate(boxes):
        dash = "dash" if analysis.faces[number].face.uncertain else "solid"
        _draw_box(figure, number, box, dash, is_selected=number == selected)
    _add_targets(figure, boxes, px_per_photo_px=height_px / height)
    zoomable = len(boxes) >= ZOOMABLE_FROM  # otherwise a finger on the photo would not scroll the page
    axis = {"visible": False, "fixedrange": not zoomable, "automargin": False, "constrain": "domain"}
    figure.update_layout(
        template=template(inks),
        height=height_px,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        xaxis={**axis, "range": [0, width]},
        yaxis={**axis, "range": [height, 0], "scaleanchor": "x", "constraintoward": "top"},
        hovermode="closest",
        hoverdistance=CLICK_DISTANCE_PX,
        dragmode="pan" if zoomable else False,
        showlegend=False,
    )
    return figure


def _uri(image: np.ndarray) -> str:
    picture = Image.fromarray(image)
    picture.thumbnail((DISPLAY_PX, DISPLAY_PX), reducing_gap=2.0)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=90)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def _draw_box(figure: go.Figure, number: int, box: Box, dash: str, *, is_selected: bool) -> None:
    color, width = (SELECTED, 4) if is_selected else (OTHER, 2)
    corners = {"x0": box.left, "y0": box.top, "x1": box.left + box.width, "y1": box.top + box.height}
    # A dark rim keeps the line visible on light and dark skin, hair and backgrounds.
    figure.add_shape(type="rect", **corners, line={"color": RIM, "width": width + 2})
    figure.add_shape(type="rect", **corners, line={"color": color, "width": width, "dash": dash})
    figure.add_annotation(
        x=box.left,
        y=box.top,
        text=f"<b>{number + 1}</b>",
        showarrow=False,
        xanchor="left",
        yanchor="top",
        bgcolor=color,
        font={"color": RIM, "size": 13},
    )


def _add_targets(figure: go.Figure, boxes: list[Box], px_per_photo_px: float) -> None:
    """Transparent markers over each face, so close together that a click anywhere in a box is near one of them: Plotly
    reports clicks on markers, but not on images or shapes."""
    x, y, indices = [], [], []
    for number, box in enumerate(boxes):
        count = max(1, math.ceil(box.side * px_per_photo_px / CLICK_DISTANCE_PX))
        for row in range(count):
            for column in range(count):
                x.append(box.left + (column + 0.5) * box.width / count)
                y.append(box.top + (row + 0.5) * box.height / count)
                indices.append(number)
    unseen = {"marker": {"opacity": 0}}
    figure.add_scatter(
        x=x,
        y=y,
        customdata=indices,
        mode="markers",
        marker={"symbol": "square", "size": CLICK_DISTANCE_PX, "opacity": 0},
        selected=unseen,
        unselected=unseen,
        hovertemplate="select this face<extra></extra>",
        showlegend=False,
    )
