"""Stored answers image by image, as they are read on the screen. Tables only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from core.evaluation import EvaluationRun

ANY = "any"
# What a table of answers, and one of likely wrong labels, is sorted by: heading -> column.
ORDERS = {
    "confidence": "confidence",
    "disagreement": "disagreement",
    "loss": "loss",
    "probability of true": "probability_of_true",
    "true": "true",
    "predicted": "predicted",
    "row": "image_id",
}
LABEL_ORDERS = {
    "margin": "margin",
    "probability of given": "probability_of_given",
    "given": "given",
    "suggested": "suggested",
    "row": "image_id",
}
OTHERS, OTHERS_CONFIDENCE = "predicted_", "confidence_"


def select(
    table: pd.DataFrame,
    classes: Mapping[str, str] | None = None,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    *,
    mistakes: bool = True,
) -> np.ndarray:
    """(N,) bool: the rows with those ``classes`` by column (``ANY``: whichever) and with numbers in those ``ranges`` by
    column, bounds included; only wrong answers where ``mistakes``."""
    keep = ~table["correct"].to_numpy() if mistakes else np.ones(len(table), bool)
    for column, value in (classes or {}).items():
        if value != ANY:
            keep &= (table[column] == value).to_numpy()
    for column, (low, high) in (ranges or {}).items():
        keep &= table[column].between(low, high).to_numpy()
    return keep


def ordered(table: pd.DataFrame, keep: np.ndarray, column: str, *, ascending: bool = False) -> np.ndarray:
    """Positions of the rows where ``keep`` (N,) bool, by a column, the largest first where not ``ascending``; of equals
    the first row of the source. A page is taken of them: a million rows put in order would be a second table."""
    rows = np.flatnonzero(keep)
    values = table[column].cat.codes if isinstance(table[column].dtype, pd.CategoricalDtype) else table[column]
    key = values.to_numpy()[rows]
    return np.asarray(rows[np.lexsort((table["image_id"].to_numpy()[rows], key if ascending else -key))])


def with_probabilities(table: pd.DataFrame, run: EvaluationRun) -> pd.DataFrame:
    """The table with the run's probability of each class for its images."""
    probabilities = run.on_images(table["image_id"].to_numpy()).probabilities
    return table.assign(**{f"p({c})": probabilities[:, k] for k, c in enumerate(run.labels.classes)})


def shown(table: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """The columns as they are headed on the screen: row number, classes, probabilities, what the others said."""
    headings = {"image_id": "row", "probability_of_true": "probability of true"}
    headings |= {c: names[c.removeprefix(OTHERS)] + " says" for c in table.columns if c.startswith(OTHERS)}
    headings |= {
        c: names[c.removeprefix(OTHERS_CONFIDENCE)] + " confidence"
        for c in table.columns
        if c.startswith(OTHERS_CONFIDENCE)
    }
    return table.drop(columns="correct", errors="ignore").rename(columns=headings)


def captions(table: pd.DataFrame, columns: Sequence[str] = ("true", "predicted")) -> list[str]:
    """One line under each image: its row number and the two classes."""
    first, second = columns
    return [
        f"{row} · {a}" if a == b else f"{row} · {a} → {b}"
        for row, a, b in zip(table["image_id"], table[first], table[second], strict=True)
    ]


def framed(image: np.ndarray) -> np.ndarray:
    """(S, S) gray or (S, S, 3) -> RGBA with a transparent edge, so that faces in a row do not run into each other."""
    edge = max(1, round(image.shape[0] / 48))
    colors = image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)
    opaque = np.dstack([colors, np.full(image.shape[:2], 255, np.uint8)])
    return np.pad(opaque, ((edge, edge), (edge, edge), (0, 0)))
