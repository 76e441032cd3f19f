"""How the predicted expressions are distributed, by folder or by a column of the CSV."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.batch.shares import MAX_GROUPS, expression_shares, folders_of
from dashboard.folder.session_batch import SessionBatch
from dashboard.plots import expression_shares as plots
from dashboard.section import Figure, Note, Section, counted, csv
from dashboard.style import Ink
from dashboard.ui import links, theme
from dashboard.ui import sections as ui

EVERY_FACE, FOLDER = "all faces", "folder"


def sections(batch: SessionBatch, rows: pd.DataFrame, by: str, inks: Ink) -> list[Section]:
    """The shares of the expressions in the groups of ``by``, which is EVERY_FACE, FOLDER or a column of the source."""
    groups = None if by == EVERY_FACE else _groups(batch, rows, by)
    shares = expression_shares(rows, batch.classes, groups)
    if not shares:
        return [Section(notes=(Note(batch.no_face_sentence),))]
    total = 1 if groups is None else groups[rows["expression"].notna()].nunique()
    left_out = "" if total <= MAX_GROUPS else f" The {MAX_GROUPS} largest of {total:,} groups."
    figure = Figure(
        plots.by_group(shares, inks),
        f"shares-{by}",
        f"Share of each expression among the faces, by {by}",
    )
    caption = (
        f"{batch.name}: expressions that {batch.who} predicts, n = {counted(sum(g.faces for g in shares), 'face')} "
        f"in {counted(sum(g.photos for g in shares), 'photo')}.{left_out} Error bars: 95 % (Wilson), for "
        "independent faces; with several photos of one person they are too narrow. Shares of predictions are not "
        "shares of expressions: networks confuse some expressions more often than others."
    )
    title = "Expressions" if by == EVERY_FACE else f"Expressions by {by}"
    download = csv(f"{title} (CSV)", "expression-shares.csv", lambda: plots.numbers(shares))
    return [Section(title, figures=(figure,), caption=caption, downloads=(download,))]


def draw(batch: SessionBatch, rows: pd.DataFrame) -> None:
    """The groups to choose from, and the shares."""
    options = list(dict.fromkeys([EVERY_FACE, FOLDER, *batch.columns]))
    by = links.first_choice(st.segmented_control, "Groups", options, key="shares_by")
    ui.draw(sections(batch, rows, str(by), theme.ink()))


def _groups(batch: SessionBatch, rows: pd.DataFrame, by: str) -> pd.Series:
    return rows[by].replace("", "(empty)") if by in batch.columns else folders_of(rows["path"])
