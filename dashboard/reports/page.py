"""The skeleton of FERscope's reports: one HTML file without scripts and without addresses that would be fetched.

Everything that a person named passes through :func:`html.escape` here; callers hand over plain text.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import pandas as pd

import core.versions
from core.checkpoints import ModelCard

HALF_PX = 560  # width of a drawing that takes half of a row
STYLE = """
:root { color-scheme: light dark; --ink: #1B2A2E; --muted: #5E6C70; --line: #D9E0E0; --paper: #FFFFFF; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #E6ECEC; --muted: #9AA8AB; --line: #314045; --paper: #11181A; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 76rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.8rem; } h2 { font-size: 1.25rem; margin-top: 2.2rem; } .muted { color: var(--muted); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100%; }
th, td { text-align: left; padding: .25rem .7rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.data { font-size: .9rem; } .data td { white-space: nowrap; } td.best { font-weight: 700; }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1rem; } a { color: inherit; }
.wide { overflow-x: auto; } .row { display: flex; flex-wrap: wrap; gap: 1.2rem; } figure { margin: 0; width: 15rem; }
img, svg { width: 100%; height: auto; } pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .8rem; }
.bar { display: inline-block; height: .7rem; margin-right: .4rem; border: 1px solid var(--line); }
figure.plot { width: 100%; margin: .8rem 0; overflow-x: auto; } .plot svg { min-width: 36rem; }
p, nav, .facts, figure.plot:not(.half) { max-width: 60rem; }
figure.half { width: calc(50% - .6rem); min-width: min(24rem, 100%); } .half svg { min-width: 24rem; }
@media (max-width: 52rem) { figure.half { flex-grow: 1; } }
@media print { h2 { break-after: avoid; } figure, tr { break-inside: avoid; } .wide { overflow: visible; }
  .data td { white-space: normal; } }
"""


def page(title: str, created_at: str, parts: Sequence[str]) -> str:
    """The whole file. ``created_at`` is ISO 8601, UTC; ``parts`` are HTML."""
    head = [f"<h1>{escape(title)}</h1>", f'<p class="muted">FERscope, {escape(created_at)}</p>']
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body>\n" + "\n".join([*head, *parts]) + "\n</body></html>\n"
    )


def heading(title: str, anchor: str = "") -> str:
    """A section's title; ``anchor`` makes it a place to link to."""
    return f'<h2 id="{escape(anchor)}">{escape(title)}</h2>' if anchor else f"<h2>{escape(title)}</h2>"


def sentence(text: str, *, muted: bool = False) -> str:
    """A paragraph of plain text."""
    opening = '<p class="muted">' if muted else "<p>"
    return f"{opening}{escape(text)}</p>"


def table(frame: pd.DataFrame, best: np.ndarray | None = None) -> str:
    """Its columns and cells without the index; bold where ``best`` (rows, columns) bool is true."""
    bold = np.zeros(frame.shape, bool) if best is None else best
    head = "".join(f"<th>{escape(str(column))}</th>" for column in frame.columns)
    rows = [
        "".join(
            f"{'<td class=best>' if is_best else '<td>'}{escape(str(value))}</td>"
            for value, is_best in zip(values, of_row, strict=True)
        )
        for values, of_row in zip(frame.itertuples(index=False), bold, strict=True)
    ]
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="wide"><table class="data"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def pairs(values: Mapping[str, str]) -> str:
    """Names and what they stand for, as rows."""
    rows = "".join(f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in values.items())
    return f'<div class="wide facts"><table>{rows}</table></div>'


def plot(svg: str, caption: str = "", *, half: bool = False) -> str:
    """A drawing from ``dashboard.figures.static`` (which names itself) with what stands below it."""
    words = f'<figcaption class="muted">{escape(caption)}</figcaption>' if caption else ""
    return f'<figure class="plot{" half" if half else ""}">{svg}{words}</figure>'


def row(parts: Sequence[str]) -> str:
    """Plots side by side, as many as the window is wide enough for."""
    return f'<div class="row">{"".join(parts)}</div>'


def folded(title: str, *parts: str) -> str:
    """HTML that is shown when its title is clicked."""
    return f"<details><summary>{escape(title)}</summary>{''.join(parts)}</details>"


def card(of_network: ModelCard, name: str) -> str:
    """A network's card: what a reader has to know, and the whole of it folded away."""
    scores = of_network.metrics.get("test")
    facts = {
        "run": of_network.run_id,
        "architecture": of_network.architecture,
        "classes": ", ".join(of_network.labels.classes),
        "data": of_network.data.title,
        "accuracy on PrivateTest": str(scores.accuracy) if scores else "not defined",
        "parameters": f"{of_network.parameters:,}",
        "temperature": f"{of_network.temperature:.3f}",
        "limits": of_network.data.limits,
        "license": of_network.data.license,
        "trained": of_network.created_at,
        "weights, SHA-256": of_network.weights_sha256,
    }
    whole = escape(json.dumps(of_network.to_json(), indent=2, ensure_ascii=False, default=str))
    return f"<h3>{escape(name)}</h3>{pairs(facts)}{folded('The whole card', f'<pre>{whole}</pre>')}"


def versions() -> str:
    """FERscope, Python and the packages behind the numbers."""
    return pairs(core.versions.versions())


def machine() -> str:
    """Where the report is made, in a line."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} logical cores"
