"""Findings of an audit: copies, copies across splits, conflicting labels, blank images."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import streamlit as st

from core.data import ImageFacts
from core.data.overview import Findings
from core.errors import DataError
from dashboard import services
from dashboard.dataset.description import Description
from dashboard.plots import dataset as plots
from dashboard.section import Note, Section, Table, counted, csv
from dashboard.ui import links
from dashboard.ui import sections as ui
from dashboard.ui.face_grid import DatasetFace, draw_faces
from dashboard.ui.markdown import escaped
from dashboard.ui.messages import show_warning

PAGE = 20


def sections(description: Description) -> list[Section]:
    """The number of findings of each kind."""
    if description.facts is None:
        return [Section(notes=(Note(description.missing),))]
    found = services.findings(description.facts)
    summary = plots.finding_table(found, description.totals, description.split_names)
    return [
        Section(
            table=Table(summary, f"Findings of the audit of {description.name}"),
            caption=f"{description.protocol} {description.origin} Identical: equal in every pixel. A test image that "
            f"is also in {description.split_names['train']} makes the score of a network that memorized it "
            "optimistic; for networks trained on this data set, Compare also reports the accuracy without them.",
            downloads=(csv("Summary of the audit (CSV)", "dataset-audit.csv", lambda: summary),),
        )
    ]


def draw(description: Description, problem: str) -> None:
    """The summary, and the findings one by one; ``problem`` is a sentence on why there are no faces."""
    ui.draw(sections(description))
    if description.facts is None:
        return
    words = {kind: kind for kind in plots.FINDINGS}
    kind = links.choice(st.segmented_control, "List", words, key="finding", default=plots.CONFLICTS)
    if not description.has_images:
        st.caption(f":material/image_not_supported: Only row numbers are shown. {escaped(problem)}")
    _findings(description, description.facts, services.findings(description.facts), kind)


def _findings(description: Description, facts: ImageFacts, found: Findings, kind: str) -> None:
    table = plots.listed(found, facts, kind, description.split_names)
    if table.empty:
        st.success("No matching images.", icon=":material/check_circle:")
        return
    pages = math.ceil(len(table) / PAGE)
    page = links.page_number(pages, key="finding_page", of=(description.name, kind))
    rows = table.iloc[(page - 1) * PAGE : page * PAGE]
    if description.has_images:
        _faces(description, rows)
    first = (page - 1) * PAGE + 1
    last = first + len(rows) - 1
    listed = f"{first:,} to {last:,} of " if len(table) > 1 else ""
    count = counted(len(table), "image") if kind == plots.BLANK else f"{counted(len(table), 'set')} of identical images"
    ui.draw(
        [
            Section(
                table=Table(rows.drop(columns="first"), f"{kind.capitalize()} in {description.name}"),
                caption=f"{description.name}, {listed}{count}. Rows: "
                "row numbers in the data set. A number after a label or a split counts its images; "
                "without a number, it is one image.",
                downloads=(
                    csv(
                        f"All rows: {kind} (CSV)",
                        f"dataset-{kind.replace(' ', '-')}.csv",
                        lambda: table.drop(columns="first"),
                    ),
                ),
            )
        ]
    )


def _faces(description: Description, rows: pd.DataFrame) -> None:
    """One face per row, because the images of a set are identical."""
    try:
        images = description.images(rows["first"].to_numpy(np.int64))
    except DataError as error:
        show_warning(error)
        return
    draw_faces(
        [
            DatasetFace(int(first), images[int(first)], labels, f"Image {first}: {labels}")
            for first, labels in zip(rows["first"], rows["labels"], strict=True)
        ],
        key="finding",
        data=description.name,
    )
