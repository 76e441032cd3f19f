"""Stored predictions image by image: filtered, ordered, and as they are shown on the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from core.evaluation import EvaluationRun

ANY = "any"
# Columns by which a table of predictions and a table of likely label errors can be sorted, by their headings.
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
    """(N,) bool: rows with these ``classes`` (ANY matches every class) and with numbers in these ``ranges``, by column.

    Bounds are included. With ``mistakes``, only wrong predictions.
    """
    keep = ~table["correct"].to_numpy() if mistakes else np.ones(len(table), bool)
    for column, value in (classes or {}).items():
        if value != ANY:
            keep &= (table[column] == value).to_numpy()
    for column, (low, high) in (ranges or {}).items():
        keep &= table[column].between(low, high).to_numpy()
    return keep


def ordered(table: pd.DataFrame, keep: np.ndarray, column: str, *, ascending: bool = False) -> np.ndarray:
    """Positions of the rows where ``keep`` (N,) is true, ordered by a column; equal values by row number.

    Positions rather than rows, because a page shows only some of up to a million.
    """
    rows = np.flatnonzero(keep)
    values = table[column].cat.codes if isinstance(table[column].dtype, pd.CategoricalDtype) else table[column]
    key = values.to_numpy()[rows]
    return np.asarray(rows[np.lexsort((table["image_id"].to_numpy()[rows], key if ascending else -key))])


def with_probabilities(table: pd.DataFrame, run: EvaluationRun) -> pd.DataFrame:
    """The table with the run's probability of each class for its images."""
    probabilities = run.on_images(table["image_id"].to_numpy()).probabilities
    return table.assign(**{f"p({c})": probabilities[:, k] for k, c in enumerate(run.labels.classes)})


def shown(table: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """The table with the headings of the page, without the columns that only serve to select, and without the
    confidence of the other networks: more columns would not fit the page."""
    headings = {column: heading for heading, column in (ORDERS | LABEL_ORDERS).items()}
    headings |= {c: names[c.removeprefix(OTHERS)] + " predicts" for c in table.columns if c.startswith(OTHERS)}
    hidden = [c for c in table.columns if c == "correct" or c.startswith(OTHERS_CONFIDENCE)]
    return table.drop(columns=hidden).rename(columns=headings)


def captions(table: pd.DataFrame, columns: Sequence[str] = ("true", "predicted")) -> list[str]:
    """The two classes of each image, or the one that both columns have."""
    first, second = columns
    return [a if a == b else f"{a} → {b}" for a, b in zip(table[first], table[second], strict=True)]
