"""The face or the frame behind a point of a figure, shown while the pointer is over it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import streamlit as st

from dashboard.plots.face_sheet import FaceSheet

SHOWN_FACE_PX, SHOWN_FRAME_PX = 96, 176  # the longest side
SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


def show_on_hover(figure_key: str, rows: Iterable[int], sheet: FaceSheet) -> None:
    """Show faces over the points of the figure with that key. The first item of a point's ``customdata`` is the row of
    its image; ``rows`` are those of the sheet's faces."""
    _show(figure_key, {"rows": [int(row) for row in rows], "shown": [SHOWN_FACE_PX, SHOWN_FACE_PX]}, sheet)


def show_frames_on_hover(figure_key: str, times_s: Sequence[float], sheet: FaceSheet) -> None:
    """Show the frame that is nearest to the time under the pointer, which is ``x`` of the figure with that key;
    ``times_s`` are those of the sheet's frames."""
    longest_px = max(sheet.size_px)
    shown = [round(side * SHOWN_FRAME_PX / longest_px) for side in sheet.size_px]
    _show(figure_key, {"times": [round(float(time_s), 3) for time_s in times_s], "shown": shown}, sheet)


def show_nothing(figure_key: str) -> None:
    """Remove the pictures that were shown for the figure with that key, also from the memory of the browser."""
    script = f"if (window.ferscopeFaces) delete window.ferscopeFaces[{json.dumps(figure_key)}];"
    st.html(f"<script>{script}</script>", unsafe_allow_javascript=True)


def _show(figure_key: str, pictures: Mapping[str, object], sheet: FaceSheet) -> None:
    known = {**pictures, "columns": sheet.columns, "sheet": sheet.uri}
    entry = f"window.ferscopeFaces[{json.dumps(figure_key)}] = {json.dumps(known)};"
    st.html(f"<script>{SCRIPT}\n{entry}</script>", unsafe_allow_javascript=True)
