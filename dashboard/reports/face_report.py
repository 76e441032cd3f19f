"""One face as a single HTML file that needs nothing else: answers, maps, doubt, regions, trust, cards, versions."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.checkpoints import ModelCard
from core.images import encode_png
from core.inference import Prediction
from dashboard.reports import page
from dashboard.reports.static import svg
from dashboard.style import class_color

CAVEAT = (
    "Networks say which expression a picture was labeled with in their training data, not what a person feels. A map "
    "shows where the evidence lies; it is no proof of a reason. Unsure is a good answer."
)


@dataclass(frozen=True)
class Picture:
    """A picture with what stands below it and what it says to those who cannot see it."""

    pixels: np.ndarray  # (H, W, 3) uint8
    caption: str
    alt: str


@dataclass(frozen=True)
class Plot:
    """A figure made with the inks of LIGHT, what stands below it, and what it says to those who cannot see it."""

    figure: go.Figure
    caption: str
    alt: str


@dataclass(frozen=True)
class Section:
    """A chapter of the report: sentences, then groups of plots, two to a row, then tables; those with a title are
    folded away."""

    title: str
    sentences: Sequence[str] = ()
    plots: Sequence[Sequence[Plot]] = ()
    tables: Sequence[tuple[str, pd.DataFrame]] = ()  # each with its title, or an empty one


@dataclass(frozen=True)
class Report:
    """What goes into the file; names go by model id. Whatever is empty is left out."""

    title: str
    summary: Sequence[str]
    predictions: Mapping[str, Prediction]
    names: Mapping[str, str]
    cards: Sequence[ModelCard]
    pictures: Sequence[Picture] = ()
    sections: Sequence[Section] = ()


def html(report: Report, created_at: str) -> str:
    """The whole file. ``created_at`` is ISO 8601, UTC. No script, no address that would be fetched."""
    parts = [
        *(page.sentence(text) for text in report.summary),
        page.heading("Probabilities"),
        _probabilities(report.predictions, report.names),
    ]
    if report.pictures:
        figures = "".join(_figure(p) for p in report.pictures)
        parts += [page.heading("Pictures"), f'<div class="row">{figures}</div>']
    for section in report.sections:
        parts += _section(section)
    parts += [page.sentence(CAVEAT, muted=True), page.heading("Model cards")]
    parts += [page.card(card, report.names[card.run_id]) for card in report.cards]
    parts += [page.heading("Versions"), page.versions()]
    return page.page(report.title, created_at, parts)


def _section(section: Section) -> list[str]:
    parts = [page.heading(section.title), *(page.sentence(text) for text in section.sentences)]
    for group in section.plots:
        plots = [page.plot(svg(p.figure, p.alt, width_px=page.HALF_PX), p.caption, half=True) for p in group]
        parts.append(page.row(plots))
    for title, frame in section.tables:
        table = page.table(frame)
        parts.append(page.folded(title, table) if title else table)
    return parts


def _probabilities(predictions: Mapping[str, Prediction], names: Mapping[str, str]) -> str:
    """A table for each set of classes: classes as rows, networks as columns."""
    tables = []
    for classes in dict.fromkeys(p.labels.classes for p in predictions.values()):
        sharing = {m: p.probabilities for m, p in predictions.items() if p.labels.classes == classes}
        head = "".join(f"<th>{escape(names[m])}</th>" for m in sharing)
        rows = []
        for k, name in enumerate(classes):
            cells = "".join(f"<td>{_bar(float(p[k]), name)}{p[k]:.3f}</td>" for p in sharing.values())
            rows.append(f"<tr><th>{escape(name)}</th>{cells}</tr>")
        tables.append(f'<div class="wide"><table><tr><th></th>{head}</tr>{"".join(rows)}</table></div>')
    return "".join(tables)


def _bar(probability: float, class_name: str) -> str:
    return f'<span class="bar" style="width:{6 * probability:.3f}rem;background:{class_color(class_name)}"></span>'


def _figure(picture: Picture) -> str:
    data = base64.b64encode(encode_png(picture.pixels)).decode()
    image = f'<img src="data:image/png;base64,{data}" alt="{escape(picture.alt)}">'
    return f'<figure>{image}<figcaption class="muted">{escape(picture.caption)}</figcaption></figure>'
