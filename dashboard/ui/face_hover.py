"""The face behind a point of a figure, shown while the pointer is over it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import streamlit as st

from dashboard.plots.face_sheet import FaceSheet

SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


def show_on_hover(figure_key: str, rows: Iterable[int], sheet: FaceSheet) -> None:
    """Show faces over the points of the figure with that key. The first item of a point's ``customdata`` is the row of
    its image; ``rows`` are those of the sheet's faces."""
    faces = {"rows": [int(row) for row in rows], "columns": sheet.columns, "sheet": sheet.uri}
    entry = f"window.ferscopeFaces[{json.dumps(figure_key)}] = {json.dumps(faces)};"
    st.html(f"<script>{SCRIPT}\n{entry}</script>", unsafe_allow_javascript=True)
