"""The component that shows the camera: its picture with faces, the chart, the buttons. It runs in the browser."""

from __future__ import annotations

import base64
import functools
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from core import images
from core.errors import ImageError
from core.explain import colorize
from core.images import data_uri
from dashboard import services
from dashboard.live import frames
from dashboard.live.controls import LiveOptions
from dashboard.live.frame_analysis import Series, series_of
from dashboard.live.viewers import Viewer
from dashboard.services import Photo
from dashboard.style import NetworkStyle, class_color
from dashboard.ui import session

KEY = "camera_view"
FOLDER = Path(__file__).with_name("browser")
# One module: each file uses what the ones before it define.
SCRIPTS = ("camera.js", "connection.js", "picture.js", "chart.js", "recording.js", "messages.js", "live.js")
PORTRAIT_PX = (480, 400)  # at most this wide and high

_component = st.components.v2.component(
    "ferscope_camera_view",
    html=(FOLDER / "live.html").read_text(encoding="utf-8"),
    css=(FOLDER / "live.css").read_text(encoding="utf-8"),
    js="\n".join((FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS),
)


def draw(
    viewer: Viewer, titles: Mapping[Series, str], styles: Mapping[str, NetworkStyle], options: LiveOptions
) -> None:
    """The camera of this visitor; ``styles`` are those of the networks and of the ensemble."""
    series = series_of(viewer.analysis.settings.networks)
    _component(
        key=KEY,
        data={
            "path": frames.path(),
            "token": viewer.token,
            "series": [
                {
                    "key": s.key,
                    "network": s.network,
                    "title": titles[s],
                    "labels": s.labels.name,
                    "classes": s.labels.classes,
                    "color": styles[s.network].color,
                    "dash": styles[s.network].dash,
                    "threshold": services.sure_threshold(s.model_ids, options.required_accuracy),
                }
                for s in series
            ],
            "shown": options.shown.key,
            "chart": options.chart,
            "colors": {name: class_color(name) for s in series for name in s.labels.classes},
            "colormap": _colormap(),
            "portrait": _portrait(),
            "window_s": options.window_s,
            "mirror": options.mirror,
        },
        on_frame_change=_add_frame,
    )


def _add_frame() -> None:
    """The user wants to analyze the shown frame, which arrives as JPEG at the resolution of the camera."""
    photo = Photo.of("Camera frame", base64.b64decode(st.session_state[KEY].frame), "webcam")
    try:
        images.decode(photo.data)
    except ImageError as error:
        session.refuse(photo, str(error))
    else:
        session.add_photo(photo)


@functools.cache
def _colormap() -> list[Any]:
    """RGB of the 256 steps from 0 to 1 of the color map of saliency."""
    steps: list[Any] = colorize(np.linspace(0, 1, 256)[None])[0].tolist()
    return steps


@functools.cache
def _portrait() -> str:
    """A sample portrait as data URL, small enough to move through a picture of 640 x 480 px."""
    sample = next(iter(services.samples().values()))
    picture = Image.fromarray(images.decode(sample.data))
    picture.thumbnail(PORTRAIT_PX)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=85)
    return data_uri(file.getvalue(), "image/jpeg")
