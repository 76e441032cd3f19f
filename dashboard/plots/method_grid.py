"""Saliency methods by networks: row titles, the complete grid as one picture, and the maps as numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFont

from core.explain import Explanation, colorize, method_named
from core.images import encode_png

INK = "#1B2A2E"


def title(methods: Sequence[str]) -> str:
    """The title of a row: the methods that give its maps."""
    return " = ".join(method_named(name).title for name in methods)


def numbers(
    explained: Sequence[Explanation], classes: Mapping[str, Sequence[str]], names: Mapping[str, str]
) -> pd.DataFrame:
    """One row per cell of a map: network, method, stage, the class that it is evidence for and the one that this class
    is contrasted with, row, column, saliency in [0, 1]. ``classes`` and ``names`` go by model id."""
    tables = []
    for explanation in explained:
        of_network, against = classes[explanation.model_id], explanation.against
        rows, columns = np.indices(explanation.heatmap.shape)
        tables.append(
            pd.DataFrame(
                {
                    "network": names[explanation.model_id],
                    "method": explanation.method,
                    "stage": explanation.stage,
                    "expression": of_network[explanation.class_index],
                    "against": "" if against is None else of_network[against],
                    "row": rows.ravel(),
                    "column": columns.ravel(),
                    "saliency": explanation.heatmap.ravel(),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def sheet(
    rows: Mapping[str, Mapping[str, np.ndarray]],
    heading: str,
    colormap: str,
    notes: Mapping[tuple[str, str], str] | None = None,
) -> bytes:
    """PNG of the grid: a row of pictures (S, S, 3) uint8 by network for each method, with names and a color bar.

    ``notes`` are written below the pictures, by (row, network).
    """
    side = next(iter(next(iter(rows.values())).values())).shape[0]
    networks = list(dict.fromkeys(name for pictures in rows.values() for name in pictures))
    gap, left, top = 8, 180, 64
    pitch = side + gap + (18 if notes else 0)
    width = max(left + len(networks) * (side + gap) + gap, 520)
    height = top + len(rows) * pitch + 56
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=14)
    draw.text((gap, 10), heading, fill=INK, font=font)
    for column, name in enumerate(networks):
        draw.text((left + column * (side + gap), 40), name, fill=INK, font=font)
    for row, (name, pictures) in enumerate(rows.items()):
        upper = top + row * pitch
        draw.multiline_text((gap, upper + side // 2 - 16), name.replace(" = ", "\n= "), fill=INK, font=font)
        for network, cell in pictures.items():
            at = left + networks.index(network) * (side + gap)
            picture.paste(Image.fromarray(cell), (at, upper))
            draw.text((at, upper + side + 2), (notes or {}).get((name, network), ""), fill=INK, font=font)
    bar = colorize(np.tile(np.linspace(0, 1, 200, dtype=np.float32), (12, 1)), colormap)
    below = top + len(rows) * pitch + 6
    picture.paste(Image.fromarray(bar), (left, below))
    draw.text((left, below + 18), "0, no evidence", fill=INK, font=font)
    draw.text((left + 208, below - 3), "1, maximum; every map has its own scale", fill=INK, font=font)
    return encode_png(np.asarray(picture))
