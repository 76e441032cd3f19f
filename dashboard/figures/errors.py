"""Stored answers image by image, as they are read on the screen. Tables only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

ANY = "any"
# The order, largest first, and what it is good for.
ORDERS = {"confidence": "confidence", "disagreement": "disagreement", "loss": "loss"}
OTHERS = "predicted_"


def select(table: pd.DataFrame, *, true: str = ANY, predicted: str = ANY, mistakes: bool = True) -> pd.DataFrame:
    """Rows of an error table with that true class and that answer; only wrong ones where ``mistakes``."""
    keep = ~table["correct"] if mistakes else pd.Series(True, index=table.index)
    for column, value in (("true", true), ("predicted", predicted)):
        if value != ANY:
            keep &= table[column] == value
    return table[keep]


def ordered(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """The largest first; of equals the first row of the source."""
    return table.sort_values([ORDERS[by], "image_id"], ascending=[False, True], kind="stable")


def shown(table: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """The columns as they are headed on the screen: row number, classes, probabilities, what the others said."""
    headings = {"image_id": "row", "probability_of_true": "probability of true"}
    headings |= {c: names[c.removeprefix(OTHERS)] + " says" for c in table.columns if c.startswith(OTHERS)}
    return table.drop(columns="correct", errors="ignore").rename(columns=headings)


def captions(table: pd.DataFrame, columns: Sequence[str] = ("true", "predicted")) -> list[str]:
    """One line under each image: its row number and the two classes."""
    first, second = columns
    return [
        f"{row} · {a}" if a == b else f"{row} · {a} → {b}"
        for row, a, b in zip(table["image_id"], table[first], table[second], strict=True)
    ]


def framed(image: np.ndarray) -> np.ndarray:
    """(S, S) grey or (S, S, 3) -> RGBA with a transparent edge, so that faces in a row do not run into each other."""
    edge = max(1, round(image.shape[0] / 48))
    colours = image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)
    opaque = np.dstack([colours, np.full(image.shape[:2], 255, np.uint8)])
    return np.pad(opaque, ((edge, edge), (edge, edge), (0, 0)))
