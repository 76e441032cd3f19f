"""Sections drawn with Streamlit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboard.plots.wrapped_table import wrapped_table
from dashboard.section import Download, Figure, Note, Section, Table
from dashboard.style import CONFIG
from dashboard.ui import theme
from dashboard.ui.markdown import escaped

if TYPE_CHECKING:
    # Importing it compiles templates, which no table of the first page needs.
    from pandas.io.formats.style import Styler

ICONS = {"text/csv": ":material/table:", "application/json": ":material/data_object:", "image/png": ":material/image:"}

# The tool bar of a figure on which areas are selected. A click selects a point in pan mode only: with the lasso or the
# box, Streamlit does not report clicks.
SELECTION_TOOLS = ("pan", "lasso", "select", "zoomIn", "zoomOut", "resetScale")
SELECTION_CONFIG = {
    **CONFIG,
    "modeBarButtonsToRemove": [b for b in CONFIG["modeBarButtonsToRemove"] if b not in SELECTION_TOOLS],
}
COLOR_SCALE_PX = 200
MAX_STATIC_ROWS = 40  # a longer table scrolls

IDLE = """
export default function ({ setStateValue }) {
  const timer = setInterval(() => {
    if (document.querySelector("[data-testid=stApp]").dataset.testScriptState !== "notRunning") return;
    clearInterval(timer);
    setStateValue("ready", true);
  }, 100);
  return () => clearInterval(timer);
}
"""
_idle = st.components.v2.component("ferscope_idle", js=IDLE)


def draw(
    sections: Iterable[Section],
    *,
    on_select: Mapping[str, Callable[[], None]] | None = None,
    beside: Mapping[str, Callable[[], None]] | None = None,
) -> None:
    """Draw the sections from top to bottom.

    ``on_select`` maps keys of figures to callbacks for selected points, ``beside`` to what is drawn next to a figure,
    which then has a row of its own.
    """
    extras = _Extras(on_select or {}, beside or {})
    for section in sections:
        if section.folded:
            with st.expander(escaped(section.title)):
                _draw(section, extras, with_title=False)
        else:
            _draw(section, extras, with_title=True)


@dataclass(frozen=True)
class _Extras:
    """What the page adds to figures, by their keys."""

    on_select: Mapping[str, Callable[[], None]]
    beside: Mapping[str, Callable[[], None]]


@st.fragment
def preload_figures() -> None:
    """Let the browser load Plotly, 5 MB of JavaScript, for the next page, after a page without figures is complete."""
    if not _idle(key="idle", height=1, on_ready_change=lambda: None).ready:
        return
    clear, hidden = "rgba(0,0,0,0)", {"visible": False}
    layout = {"paper_bgcolor": clear, "plot_bgcolor": clear, "xaxis": hidden, "yaxis": hidden}
    with st.container(key="preloaded-figures", height=1, border=False):
        st.plotly_chart(go.Figure(layout=layout), height=1, config={"staticPlot": True})


def draw_notes(notes: Iterable[Note]) -> None:
    """What is missing or needs attention, one message each."""
    for note in notes:
        text = escaped(note.text)
        if note.is_warning:
            st.warning(text, icon=":material/warning:")
        else:
            st.info(text, icon=":material/info:")
        if note.command:
            st.code(note.command, language=None, wrap_lines=True)


def draw_downloads(downloads: Iterable[Download]) -> None:
    """One row of buttons; a file is created when it is requested."""
    with st.container(horizontal=True):
        for download in downloads:
            st.download_button(
                download.label,
                download.make,
                download.file_name,
                download.mime,
                icon=ICONS.get(download.mime, ":material/download:"),
                key=f"download-{download.file_name}",
                type="tertiary",
                on_click="ignore",
            )


def _draw(section: Section, extras: _Extras, *, with_title: bool) -> None:
    if section.title and with_title:
        st.markdown(f"## {escaped(section.title)}")
    draw_notes(section.notes)
    for paragraph in section.text:
        st.markdown(escaped(paragraph))
    _draw_figures(section.figures, extras)
    if section.pictures:
        with st.grid(len(section.pictures), min_column_width=104) as grid:
            for picture in section.pictures:
                with grid.cell():
                    if picture.title:
                        st.markdown(f"**{escaped(picture.title)}**")
                    st.image(picture.pixels, alt=picture.alt, width="stretch")
                    if picture.caption:
                        st.caption(escaped(picture.caption))
    if section.color_scale is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.image(section.color_scale.pixels, alt=section.color_scale.alt, width=COLOR_SCALE_PX)
            st.caption(escaped(section.color_scale.caption))
    if section.table is not None:
        _draw_table(section.table)
    if section.code:
        st.code(section.code, language=None, wrap_lines=True)
    if section.caption:
        st.caption(escaped(section.caption))
    if section.downloads:
        draw_downloads(section.downloads)


def _draw_figures(figures: Sequence[Figure], extras: _Extras) -> None:
    """In rows of two; a figure left over keeps the width of the others."""
    pending = list(figures)
    while pending:
        beside = extras.beside.get(pending[0].key)
        ends_row = beside is not None or any(figure.key in extras.beside for figure in pending[1:2])
        row = pending[:1] if ends_row else pending[:2]
        pending = pending[len(row) :]
        alone = len(figures) == 1
        columns = [st.container()] if alone and beside is None else st.columns([3, 2] if alone else 2)
        for column, figure in zip(columns, row, strict=False):
            with column:
                _draw_figure(figure, extras)
        if beside is not None:
            with columns[1]:
                beside()


def _draw_figure(figure: Figure, extras: _Extras) -> None:
    if figure.title:
        st.markdown(f"**{escaped(figure.title)}**")
    on_select = extras.on_select.get(figure.key)
    if on_select is None:
        st.plotly_chart(figure.plot, key=figure.key, theme=None, config=CONFIG, alt=figure.alt)
    else:
        st.plotly_chart(
            figure.plot,
            key=figure.key,
            theme=None,
            config=CONFIG if figure.selection == ("points",) else SELECTION_CONFIG,
            alt=figure.alt,
            on_select=on_select,
            selection_mode=figure.selection,
        )
    if figure.caption:
        st.caption(escaped(figure.caption))


def _draw_table(table: Table) -> None:
    if len(table.data) <= MAX_STATIC_ROWS:
        st.html(wrapped_table(table, theme.ink()))
        return
    shown: pd.DataFrame | Styler = table.data
    if table.bold is not None:
        css = np.where(table.bold, "font-weight: 700", "")
        shown = table.data.style.apply(lambda frame: pd.DataFrame(css, frame.index, frame.columns), axis=None)
    st.dataframe(shown, hide_index=True, alt=table.alt)
