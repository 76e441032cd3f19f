"""Small pictures of a prediction and of a confusion matrix, in plain HTML.

Not in Plotly: it is 5 MB of JavaScript, which the first page would have to wait for.
"""

from __future__ import annotations

import io
from html import escape

import numpy as np
from PIL import Image
from plotly.colors import sample_colorscale

from core.evaluation import ConfusionMatrix
from core.images import data_uri
from core.labels import LabelSet
from dashboard.plots.cells import colorscale
from dashboard.style import Ink, class_color

ROW_PX = 26


def probabilities(labels: LabelSet, values: np.ndarray, inks: Ink, *, alt: str) -> str:
    """One row per class with its probability as a bar and as a number; ``values`` are (K,)."""
    rows = "".join(
        f'<span>{escape(name)}</span><p><b style="width:{100 * value:.2f}%;background:{class_color(name)}"></b></p>'
        f"<span>{value:.3f}</span>"
        for name, value in zip(labels.classes, values, strict=True)
    )
    style = f"""
.preview-bars {{ display: grid; grid-template-columns: max-content 1fr max-content; column-gap: 12px;
  color: {inks.text}; font-size: 13px; line-height: {ROW_PX}px; font-variant-numeric: tabular-nums; }}
.preview-bars span:nth-child(3n + 1) {{ text-align: right; }}
.preview-bars p {{ margin: 5px 0; background: {inks.faint}55; line-height: 0; }}
.preview-bars b {{ display: inline-block; height: 100%; box-shadow: inset 0 0 0 .6px {inks.muted}; }}
"""
    return f'<style>{style}</style><div class="preview-bars" {_picture(alt)}>{rows}</div>'


def picture(pixels: np.ndarray, width_px: int, *, alt: str) -> str:
    """An image (H, W, 3) uint8 that is part of the page, so that the browser need not request it."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=90)  # PNG takes ten times as long
    uri = data_uri(file.getvalue(), "image/jpeg")
    return f'<img src="{uri}" alt="{escape(alt, quote=True)}" style="width:{width_px}px;max-width:100%">'


def confusion(counted: ConfusionMatrix, inks: Ink, *, alt: str) -> str:
    """True classes as rows, predicted classes as columns; the color is the share of the true class."""
    shares = np.nan_to_num(counted.by_true())
    colors = np.reshape(sample_colorscale(colorscale(inks), shares.ravel()), shares.shape)
    classes = [escape(name) for name in counted.labels.classes]
    rows = "".join(
        f"<span>{name}</span>" + "".join(f'<b style="background:{color}"></b>' for color in row)
        for name, row in zip(classes, colors, strict=True)
    )
    columns = "<span></span>" + "".join(f"<i><u>{name}</u></i>" for name in classes)
    style = f"""
.preview-matrix {{ display: grid; grid-template-columns: max-content repeat({len(classes)}, 1fr); gap: 1px;
  color: {inks.text}; font-size: 12px; line-height: {ROW_PX - 4}px; }}
.preview-matrix span {{ text-align: right; padding-right: 8px; }}
.preview-matrix i {{ height: 52px; position: relative; font-style: normal; }}
.preview-matrix u {{ position: absolute; right: 40%; top: 2px; transform-origin: right top; transform: rotate(-40deg);
  text-decoration: none; line-height: 1.2; }}
"""
    return f'<style>{style}</style><div class="preview-matrix" {_picture(alt)}>{rows}{columns}</div>'


def _picture(alt: str) -> str:
    return f'role="img" aria-label="{escape(alt, quote=True)}"'
