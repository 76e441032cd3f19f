"""The batch of the session: its progress, and the panels with what is scored so far."""

from __future__ import annotations

import io
from collections.abc import Callable

import pandas as pd
import streamlit as st

from dashboard import services
from dashboard.folder import distribution, face_table
from dashboard.folder.session_batch import ENTRY, MAX_RUNNING, THUMBNAIL, SessionBatch
from dashboard.section import Download, csv
from dashboard.ui import links, progress, sections
from dashboard.ui.markdown import escaped
from dashboard.ui.messages import show_error, show_warning

PARQUET = "application/vnd.apache.parquet"
FACES, DISTRIBUTION, UNREADABLE = "Faces", "Distribution", "Without a result"
REFRESH_S = 2.0


def draw(batch: SessionBatch) -> None:
    """Everything about the batch; while it runs, the results are drawn again every other second."""
    st.fragment(_draw, run_every=REFRESH_S if batch.running else None)(batch, batch.running)


def _draw(batch: SessionBatch, was_running: bool) -> None:
    if was_running and not batch.running:
        st.rerun()  # the whole page, so that nothing is drawn again from then on
    _draw_progress(batch)
    if not batch.done:
        return
    rows = batch.rows()
    panels: dict[str, Callable[[SessionBatch, pd.DataFrame], None]] = {
        FACES: face_table.draw,
        DISTRIBUTION: distribution.draw,
        UNREADABLE: _draw_unreadable,
    }
    panel = links.first_choice(
        st.segmented_control, "Panel", list(panels), key="folder_panel", label_visibility="collapsed"
    )
    panels[str(panel)](batch, rows)
    if not batch.running:
        _draw_downloads(rows)


def _draw_progress(batch: SessionBatch) -> None:
    count = f"{batch.done:,} of {batch.total:,} photos"
    with st.container(horizontal=True, vertical_alignment="center"):
        if batch.waiting:
            st.info(
                f"The analysis of {escaped(batch.name)} is waiting. This server analyzes at most {MAX_RUNNING} folders "
                "at the same time; this one starts as soon as one of them is finished.",
                icon=":material/hourglass_top:",
            )
            st.button("Stop waiting", key="folder_stop", icon=":material/stop_circle:", on_click=batch.stop)
        elif batch.running:
            speed, words = batch.files_per_s, f"{escaped(batch.name)}: {count}"
            if batch.done:
                left_s = (batch.total - batch.done) / max(speed, 1e-9)
                words += f" · {speed:.1f} per second · about {progress.duration(left_s)} left"
            st.progress(batch.done / batch.total, words)
            st.button("Stop", key="folder_stop", icon=":material/stop_circle:", on_click=batch.stop)
        elif not batch.finished:
            st.button("Resume", key="folder_resume", icon=":material/play_arrow:", on_click=batch.start)
            st.caption(f"{escaped(batch.name)}: stopped; {count} were analyzed.")
        else:
            detector = services.DETECTORS.get(batch.detector, batch.detector)
            failed = batch.unreadable
            count = f"{batch.total - failed:,} of {batch.total:,} photos"
            others = f"; {failed:,} could not be" if failed else ""
            st.caption(f"{escaped(batch.name)}: {count} were analyzed{others}. {escaped(batch.networks)}; {detector}.")
    if batch.error:
        show_error(batch.error)
    for note in batch.notes:
        show_warning(note)


def _draw_unreadable(batch: SessionBatch, rows: pd.DataFrame) -> None:
    problems = rows[rows["error"].notna()]
    without_face = rows[rows["error"].isna() & rows["expression"].isna()]
    if problems.empty and without_face.empty:
        so_far = "Every photo" if batch.finished else "So far, every photo"
        st.success(f"{so_far} could be read and has a face.", icon=":material/check:")
    if len(problems):
        st.markdown(f"**Files that could not be analyzed: {len(problems):,}**")
        shown = problems[["path", "error"]].rename(columns={"path": "file", "error": "reason"})
        st.dataframe(shown, hide_index=True, alt="Files that could not be analyzed, with the reason")
    if len(without_face):
        st.markdown(f"**Photos without a face: {len(without_face):,}**")
        st.dataframe(
            without_face[["path"]].rename(columns={"path": "photo"}), hide_index=True, alt="Photos without a face"
        )


def _draw_downloads(rows: pd.DataFrame) -> None:
    results = rows.drop(columns=[ENTRY, THUMBNAIL])
    sections.draw_downloads(
        [
            csv("All rows (CSV)", "results.csv", lambda: results),
            Download("All rows (Parquet)", "results.parquet", PARQUET, lambda: _parquet(results)),
        ]
    )


def _parquet(rows: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    rows.to_parquet(buffer, index=False)
    return buffer.getvalue()
