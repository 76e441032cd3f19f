"""What a panel shows: text, figures, a table, a caption and downloads. Computed once, drawn by the page and by reports.

A panel computes its sections without Streamlit; ``dashboard.ui.sections`` draws them on the page and
``dashboard.reports.html`` writes them as HTML, so a page and its report cannot disagree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

# A cell of a numeric column: a number with its unit or interval, an empty cell or a dash, or a few words in place of a
# number, such as "not defined". Longer texts that begin with a digit are sentences.
WORDS = re.compile(r"(not|that of|mean of) [a-z ]+$")
NUMERIC_CELL = re.compile(rf"[<≤+\-−]? ?\d.{{0,23}}$|[–—-]?$|{WORDS.pattern}")


@dataclass(frozen=True)
class Note:
    """A sentence about something that is missing or needs attention."""

    text: str
    is_warning: bool = False
    command: str = ""  # what to run


@dataclass(frozen=True)
class Download:
    """A file that is created when it is requested. The label names the content and the format of the file."""

    label: str
    file_name: str
    mime: str
    make: Callable[[], str | bytes]


@dataclass(frozen=True, eq=False)
class Figure:
    """A Plotly figure; ``key`` is unique on the page, ``alt`` describes it for screen readers.

    ``selection`` names how points can be selected on the page: ``"points"`` by a click, ``"lasso"`` and ``"box"``.
    """

    plot: go.Figure
    key: str
    alt: str
    title: str = ""
    caption: str = ""
    selection: tuple[Literal["points", "lasso", "box"], ...] = ("points",)


@dataclass(frozen=True, eq=False)
class Picture:
    """An image (H, W, 3) uint8 with its caption."""

    pixels: np.ndarray
    alt: str
    title: str = ""
    caption: str = ""


@dataclass(frozen=True, eq=False)
class Table:
    """A table without its index. ``bold`` (rows, columns) bool marks cells."""

    data: pd.DataFrame
    alt: str
    bold: np.ndarray | None = None

    def rows(self) -> list[list[tuple[str, bool]]]:
        """Cells as text, each with whether it is bold."""
        bold = np.zeros(self.data.shape, bool) if self.bold is None else self.bold
        return [
            [(_text(value), bool(is_bold)) for value, is_bold in zip(values, row, strict=True)]
            for values, row in zip(self.data.itertuples(index=False), bold, strict=True)
        ]

    def numeric(self) -> list[bool]:
        """Whether each column contains numbers only, with their units and intervals, and is aligned to the right."""
        if self.data.empty:
            return [False] * self.data.shape[1]
        columns = [[text for text, _ in column] for column in zip(*self.rows(), strict=True)]
        return [all(map(NUMERIC_CELL.match, texts)) and not all(map(WORDS.match, texts)) for texts in columns]

    def turned(self, heading: str = "score") -> Table:
        """The rows as columns under the values of the first column, which must differ: fewer columns fit a phone.
        ``heading`` is that of the new first column."""
        first, *others = self.data.columns
        data = self.data.set_index(first).T.rename_axis(columns=None)
        data.insert(0, heading, others)
        bold = None if self.bold is None else np.column_stack([np.zeros(len(others), bool), self.bold[:, 1:].T])
        return Table(data.reset_index(drop=True), self.alt, bold)


def counted(n: int, noun: str) -> str:
    """A number with its noun, which takes an s in the plural: "1 image", "2,000 images"."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def listed(words: Sequence[str], last: str = " and ") -> str:
    """Words separated by commas, the last one by ``last``: "A, B and C"."""
    return last.join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def with_minus_signs(text: str) -> str:
    """The text with a minus sign, not a hyphen, before negative numbers."""
    return re.sub(r"(?<![\w.-])-(?=\d)", "−", text)


def _text(value: object) -> str:
    shown = f"{value:.3f}" if isinstance(value, float | np.floating) else str(value)
    # A line that is too long is broken before "±", never after it.
    return with_minus_signs(shown).replace(" ± ", " ±\u00a0")


@dataclass(frozen=True, eq=False)
class Section:
    """One part of a panel. Empty parts are not drawn; figures are drawn in rows of two. All texts are plain texts."""

    title: str = ""
    text: tuple[str, ...] = ()  # paragraphs
    notes: tuple[Note, ...] = ()
    figures: tuple[Figure, ...] = ()
    pictures: tuple[Picture, ...] = ()
    color_scale: Picture | None = None  # a bar that explains the colors of the pictures, with its caption beside it
    table: Table | None = None
    code: str = ""  # preformatted text, such as JSON
    caption: str = ""
    downloads: tuple[Download, ...] = ()
    folded: bool = False  # shown when its title is clicked


def csv(label: str, file_name: str, numbers: Callable[[], pd.DataFrame]) -> Download:
    """A table as CSV; ``numbers`` is called when the file is requested."""
    return Download(label, file_name, "text/csv", lambda: numbers().to_csv(index=False))


def facts(values: Mapping[str, str], alt: str) -> Table:
    """Properties and their values, one row each."""
    return Table(pd.DataFrame({"property": list(values), "value": list(values.values())}), alt)
