"""One face as a single HTML file that needs nothing else: answers, maps, doubt, trust, model cards, versions."""

from __future__ import annotations

import base64
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.metadata import version

import numpy as np
import pandas as pd

from core.checkpoints import ModelCard
from core.images import encode_png
from core.inference import Prediction
from dashboard.theme import class_colour

PACKAGES = ("torch", "torchvision", "numpy", "opencv-python-headless", "grad-cam", "captum", "streamlit")
CAVEAT = (
    "Networks say which expression a picture was labelled with in their training data, not what a person feels. A map "
    "shows where the evidence lies; it is no proof of a reason. Unsure is a good answer."
)
STYLE = """
:root { color-scheme: light dark; --ink: #1B2A2E; --muted: #5E6C70; --line: #D9E0E0; --paper: #FFFFFF; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #E6ECEC; --muted: #9AA8AB; --line: #314045; --paper: #11181A; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.8rem; } h2 { font-size: 1.25rem; margin-top: 2.2rem; } .muted { color: var(--muted); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100%; }
th, td { text-align: left; padding: .25rem .7rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.wide { overflow-x: auto; } .row { display: flex; flex-wrap: wrap; gap: 1.2rem; } figure { margin: 0; width: 15rem; }
img { width: 100%; height: auto; } pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .8rem; }
.bar { display: inline-block; height: .7rem; margin-right: .4rem; border: 1px solid var(--line); }
"""


@dataclass(frozen=True)
class Picture:
    """A picture with what stands below it and what it says to those who cannot see it."""

    pixels: np.ndarray  # (H, W, 3) uint8
    caption: str
    alt: str


@dataclass(frozen=True)
class Report:
    """What goes into the file; names go by model id. Whatever is empty is left out."""

    title: str
    summary: Sequence[str]
    predictions: Mapping[str, Prediction]
    names: Mapping[str, str]
    cards: Sequence[ModelCard]
    pictures: Sequence[Picture] = ()
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)


def html(report: Report, created_at: str) -> str:
    """The whole file. ``created_at`` is ISO 8601, UTC. No script, no address that would be fetched."""
    parts = [
        f"<h1>{escape(report.title)}</h1>",
        f'<p class="muted">FERscope, {escape(created_at)}</p>',
        *(f"<p>{escape(sentence)}</p>" for sentence in report.summary),
        "<h2>Probabilities</h2>",
        _probabilities(report.predictions, report.names),
    ]
    if report.pictures:
        parts += ["<h2>Pictures</h2>", f'<div class="row">{"".join(_figure(p) for p in report.pictures)}</div>']
    for title, table in report.tables.items():
        parts += [f"<h2>{escape(title)}</h2>", f'<div class="wide">{table.to_html(index=False, border=0)}</div>']
    parts += [f'<p class="muted">{escape(CAVEAT)}</p>', "<h2>Model cards</h2>"]
    parts += [_card(card, report.names[card.run_id]) for card in report.cards]
    parts += ["<h2>Versions</h2>", _pairs({"Python": platform.python_version(), **{p: version(p) for p in PACKAGES}})]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(report.title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


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
    return f'<span class="bar" style="width:{6 * probability:.3f}rem;background:{class_colour(class_name)}"></span>'


def _figure(picture: Picture) -> str:
    data = base64.b64encode(encode_png(picture.pixels)).decode()
    image = f'<img src="data:image/png;base64,{data}" alt="{escape(picture.alt)}">'
    return f'<figure>{image}<figcaption class="muted">{escape(picture.caption)}</figcaption></figure>'


def _card(card: ModelCard, name: str) -> str:
    scores = card.metrics.get("test")
    facts = {
        "run": card.run_id,
        "architecture": card.architecture,
        "classes": ", ".join(card.labels.classes),
        "data": str(card.data.get("name", "")),
        "accuracy on PrivateTest": str(scores.accuracy) if scores else "not defined",
        "parameters": f"{card.parameters:,}",
        "temperature": f"{card.temperature:.3f}",
        "limits": card.limits,
        "licence": card.licence,
        "trained": card.created_at,
        "weights, SHA-256": card.weights_sha256,
    }
    whole = escape(json.dumps(card.to_json(), indent=2, ensure_ascii=False, default=str))
    return (
        f"<h3>{escape(name)}</h3>{_pairs(facts)}<details><summary>The whole card</summary><pre>{whole}</pre></details>"
    )


def _pairs(values: Mapping[str, str]) -> str:
    rows = "".join(f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in values.items())
    return f'<div class="wide"><table>{rows}</table></div>'
