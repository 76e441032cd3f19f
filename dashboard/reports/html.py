"""A report as one self-contained HTML file, which opens offline and makes no requests.

The text of a report may contain names that users entered. Jinja2 escapes everything except the figures, which Plotly
serializes as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import plotly.io
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from core.checkpoints import ModelCard
from core.images import data_uri, encode_png
from core.versions import versions
from dashboard.section import Figure, Picture, Section, facts
from dashboard.style import CONFIG

TEMPLATES = Path(__file__).parent / "templates"
Progress = Callable[[str, int, int], None]  # title of the chapter, its number from 0, number of chapters


@dataclass(frozen=True, eq=False)
class Chapter:
    """A titled part of a report; its sections are computed when the report is written."""

    title: str
    sections: Callable[[], Sequence[Section]]

    @property
    def anchor(self) -> str:
        """The name of this chapter in links."""
        return self.title.lower().replace(" ", "-")


def write(
    title: str,
    summary: Sequence[str],
    chapters: Sequence[Chapter],
    *,
    created_at: datetime,
    progress: Progress | None = None,
) -> str:
    """The whole file. ``created_at`` is shown in UTC; figures have to be made with the colors of a light page."""
    computed = []
    for number, chapter in enumerate(chapters):
        if progress is not None:
            progress(chapter.title, number, len(chapters))
        computed.append((chapter, tuple(chapter.sections())))
    return (
        _templates()
        .get_template("report.html.j2")
        .render(
            title=title,
            created_at=_date(created_at.astimezone(UTC)),
            summary=summary,
            chapters=computed,
            plotly_js=Markup(get_plotlyjs()),
        )
    )


def card_sections(card: ModelCard, name: str) -> list[Section]:
    """A model card: the main facts, and the complete card folded."""
    scores = card.metrics.get("test")
    known = {
        "run": card.run_id,
        "architecture": card.architecture,
        "classes": ", ".join(card.labels.classes),
        "test accuracy": str(scores.accuracy) if scores else "not defined",
        "parameters": f"{card.parameters:,}",
        "temperature": f"{card.temperature:.3f}",
        "limits": card.data.limits,
        "license": card.data.license,
        "trained": card.created_at,
        "SHA-256 of the weights": card.weights_sha256,
    }
    whole = json.dumps(card.to_json(), indent=2, ensure_ascii=False, default=str)
    return [
        Section(name, table=facts(known, f"Model card of {name}")),
        Section(f"Complete card of {name}", code=whole, folded=True),
    ]


def versions_section() -> Section:
    """Versions of FERscope, Python and the packages behind the numbers."""
    return Section(table=facts(versions(), "Versions"))


def _date(time: datetime) -> str:
    return f"{time:%B} {time.day}, {time:%Y, %H:%M} UTC"


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"plot": _plot, "png": _png}
    return environment


def _plot(figure: Figure) -> Markup:
    return Markup(
        plotly.io.to_html(figure.plot, include_plotlyjs=False, full_html=False, config={**CONFIG, "responsive": True})
    )


def _png(picture: Picture) -> str:
    return data_uri(encode_png(picture.pixels), "image/png")
