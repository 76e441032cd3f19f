"""The photo with its faces in numbered boxes that can be clicked. It is as wide as its column in any window, which the
server does not know, so it is a component of the browser."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from core.images import data_uri
from core.inference import PhotoAnalysis

DISPLAY_PX = 1280  # longest side of the copy on the screen; the analysis keeps the original
DISPLAY_MANY_PX = 2560  # of a photo that is zoomed
ZOOMABLE_FROM = 7  # faces; so many can be distinguished only after zooming in
FOLDER = Path(__file__).with_name("browser")

_component = st.components.v2.component(
    "ferscope_clickable_photo",
    html=(FOLDER / "photo.html").read_text(encoding="utf-8"),
    css=(FOLDER / "photo.css").read_text(encoding="utf-8"),
    js=(FOLDER / "photo.js").read_text(encoding="utf-8"),
)


def draw(
    analysis: PhotoAnalysis,
    selected: int,
    titles: Sequence[str],
    *,
    key: str,
    alt: str,
    on_click: Callable[[], None] | None,
) -> None:
    """Draw the photo; ``titles`` name its faces.

    After a click, ``on_click`` is called and ``st.session_state[key].face`` is the index of the clicked face. Without
    ``on_click`` no face can be clicked.
    """
    _component(
        key=key,
        data=photo_data(analysis, selected, titles, alt=alt, clickable=on_click is not None),
        on_face_change=on_click or (lambda: None),
    )


def photo_data(
    analysis: PhotoAnalysis, selected: int, titles: Sequence[str], *, alt: str, clickable: bool
) -> dict[str, Any]:
    """What the browser draws. Boxes are clipped to the photo; their sides are shares of its width and height."""
    height, width = analysis.image.shape[:2]
    zoomable = len(analysis.faces) >= ZOOMABLE_FROM
    boxes = [found.face.box.clipped(width, height) for found in analysis.faces]
    return {
        "source": _uri(analysis.image, DISPLAY_MANY_PX if zoomable else DISPLAY_PX),
        "alt": alt,
        "aspect": width / height,
        "selected": selected,
        "clickable": clickable,
        "zoomable": zoomable,
        "faces": [
            {
                "title": title,
                "uncertain": found.face.uncertain,
                "left": box.left / width,
                "top": box.top / height,
                "width": box.width / width,
                "height": box.height / height,
            }
            for title, found, box in zip(titles, analysis.faces, boxes, strict=True)
        ],
    }


def _uri(image: np.ndarray, longest_px: int) -> str:
    picture = Image.fromarray(image)
    picture.thumbnail((longest_px, longest_px), reducing_gap=2.0)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=90)
    return data_uri(file.getvalue(), "image/jpeg")
