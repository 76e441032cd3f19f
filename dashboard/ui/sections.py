"""Sections drawn with Streamlit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from dashboard.section import Download, Figure, Note, Section, Table
from dashboard.style import CONFIG

ICONS = {"text/csv": ":material/table:", "application/json": ":material/data_object:", "image/png": ":material/image:"}


# The tool bar of a figure on which points are selected keeps the lasso and the box.
SELECTION_CONFIG = {
    **CONFIG,
    "modeBarButtonsToRemove": ["zoom", "pan", "zoomIn", "zoomOut", "autoScale", "resetScale"],
}
MAX_STATIC_ROWS = 40  # a longer table scrolls


def draw(
    sections: Iterable[Section],
    *,
    on_select: Mapping[str, Callable[[], None]] | None = None,
    below: Mapping[str, Callable[[], None]] | None = None,
) -> None:
    """Draw the sections from top to bottom.

    ``on_select`` maps keys of figures to callbacks for selected points, ``below`` to what is drawn under
    the row of a figure.
    """
    extras = _Extras(on_select or {}, below or {})
    for section in sections:
        if section.folded:
            with st.expander(section.title):
                _draw(section, extras, with_title=False)
        else:
            _draw(section, extras, with_title=True)


@dataclass(frozen=True)
class _Extras:
    """What the page adds to figures, by their keys."""

    on_select: Mapping[str, Callable[[], None]]
    below: Mapping[str, Callable[[], None]]


def draw_notes(notes: Iterable[Note]) -> None:
    """What is missing or needs attention, one message each."""
    for note in notes:
        if note.is_warning:
            st.warning(note.text, icon=":material/warning:")
        else:
            st.info(note.text, icon=":material/info:")


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
        st.markdown(f"## {section.title}")
    draw_notes(section.notes)
    for paragraph in section.text:
        st.markdown(paragraph)
    for first in range(0, len(section.figures), 2):
        row = section.figures[first : first + 2]
        # A figure left over keeps the width of the others.
        columns = st.columns(2) if len(section.figures) > 1 else [st.container()]
        for column, figure in zip(columns, row, strict=False):
            with column:
                _draw_figure(figure, extras)
        for figure in row:
            if figure.key in extras.below:
                extras.below[figure.key]()
    if section.pictures:
        with st.grid(len(section.pictures), min_column_width=150) as grid:
            for picture in section.pictures:
                with grid.cell():
                    if picture.title:
                        st.markdown(f"**{picture.title}**")
                    st.image(picture.pixels, alt=picture.alt, width="stretch")
                    if picture.caption:
                        st.caption(picture.caption)
    if section.table is not None:
        _draw_table(section.table)
    if section.code:
        st.code(section.code, language=None, wrap_lines=True)
    if section.caption:
        st.caption(section.caption)
    if section.downloads:
        draw_downloads(section.downloads)


def _draw_figure(figure: Figure, extras: _Extras) -> None:
    if figure.title:
        st.markdown(f"**{figure.title}**")
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
        st.caption(figure.caption)


def _draw_table(table: Table) -> None:
    shown: pd.DataFrame | Styler = table.data
    if table.bold is not None:
        css = np.where(table.bold, "font-weight: 700", "")
        shown = table.data.style.apply(lambda frame: pd.DataFrame(css, frame.index, frame.columns), axis=None)
    if table.column_config is None and len(table.data) <= MAX_STATIC_ROWS:
        st.table(shown, border="horizontal", hide_index=True, alt=table.alt)
    else:
        st.dataframe(shown, hide_index=True, alt=table.alt, column_config=table.column_config)
