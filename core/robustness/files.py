"""A network's robustness as a Parquet file beside its weights: one row a condition, and the answers to every image."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from core.checkpoints import Checkpoint
from core.errors import RobustnessError
from core.robustness.perturbations import SEED
from core.robustness.results import CONDITIONS, Condition, Robustness, in_words, value_of

# right: one bit an image in the order of the split, the most significant bit first (numpy.packbits).
COLUMNS = (
    *("run", "split", "weights_sha256", "seed"),
    *("perturbation", "strength", "value", "n", "correct", "accuracy", "right"),
)
NUMBERS = ("seed", "strength", "value", "n", "correct", "accuracy")


def load_robustness(checkpoint: Checkpoint, split: str) -> Robustness | None:
    """What was stored with a checkpoint; None where nothing was.

    Raises RobustnessError where the file is damaged, unfinished, or of other weights, images or strengths.
    """
    path = checkpoint.robustness_path(split)
    if not path.is_file():
        return None
    card = checkpoint.card
    again = f"measure again with: {command(card.run_id, split)}"
    try:
        right = load_rows(path, card.run_id, split, card.weights_sha256)
        found = Robustness(card.run_id, split, card.weights_sha256, right)
    except RobustnessError as error:
        raise RobustnessError(f"{error}; {again}") from error
    scored = card.metrics.get(split)
    if scored is not None and scored.n != found.n:
        raise RobustnessError(
            f"{card.run_id}: {path.name} is over {found.n:,} images, but the card's {split} split has {scored.n:,}; "
            f"{again}"
        )
    return found


def command(run_id: str, split: str) -> str:
    """What makes the file."""
    return f"python -m core robustness {run_id} --split {split}"


def save_robustness(found: Robustness, path: Path) -> None:
    """Write all conditions; the file is complete or not there."""
    save_rows(path, found.model_id, found.split, found.weights_sha256, found.right)


def save_rows(
    path: Path, model_id: str, split: str, weights_sha256: str, right: Mapping[Condition, np.ndarray]
) -> None:
    """Write the conditions there are, all or some. Raises RobustnessError where the folder cannot be written to."""
    rows = [
        (
            *(model_id, split, weights_sha256, SEED),
            *(*condition, value_of(condition), len(of_images), int(of_images.sum())),
            *(float(of_images.mean()), np.packbits(of_images).tobytes()),
        )
        for condition, of_images in right.items()
    ]
    partial = path.with_suffix(".writing")
    try:
        pd.DataFrame(rows, columns=list(COLUMNS)).to_parquet(partial, index=False, compression="zstd")
        partial.replace(path)
    except OSError as error:
        raise RobustnessError(f"{path} cannot be written: {error.strerror or error}") from error


def load_rows(path: Path, model_id: str, split: str, weights_sha256: str) -> dict[Condition, np.ndarray]:
    """The conditions of a file. Raises RobustnessError naming the network, the file and what is wrong in it."""
    where = f"{model_id}: {path.name}"
    try:
        table = pd.read_parquet(path)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise RobustnessError(f"{where} cannot be read as Parquet ({error})") from error
    _check_columns(table, where)
    for column, expected in (("run", model_id), ("split", split), ("weights_sha256", weights_sha256), ("seed", SEED)):
        others = table.loc[table[column] != expected, column]
        if len(others):
            raise RobustnessError(f"{where} has the {column} {others.iloc[0]}, expected {expected}")
    right: dict[Condition, np.ndarray] = {}
    for row in table.to_dict("records"):
        condition = _condition(row, where)
        if condition in right:
            raise RobustnessError(f"{where} has {in_words(condition)} twice")
        right[condition] = _right(row, where, in_words(condition), int(table["n"].iloc[0]))
    return right


def _check_columns(table: pd.DataFrame, where: str) -> None:
    missing = [c for c in COLUMNS if c not in table]
    unknown = [c for c in table if c not in COLUMNS]
    if missing:
        raise RobustnessError(f"{where} lacks the column {missing[0]!r}")
    if unknown:
        raise RobustnessError(
            f"{where} has the column {unknown[0]!r}, which is not known; expected {', '.join(COLUMNS)}"
        )
    for column in COLUMNS:
        empty = table[column].isna().to_numpy()
        if empty.any():
            raise RobustnessError(f"{where}: row {int(empty.argmax())} of the column {column!r} is empty")
        if column in NUMBERS and not pd.api.types.is_numeric_dtype(table[column]):
            raise RobustnessError(f"{where}: the column {column!r} must hold numbers, got {table[column].dtype}")


def _condition(row: Mapping[Hashable, Any], where: str) -> Condition:
    condition = (row["perturbation"], row["strength"])
    if condition not in CONDITIONS:
        raise RobustnessError(f"{where} has {in_words(condition)}, which is not known")
    known = CONDITIONS[CONDITIONS.index(condition)]
    if not math.isclose(row["value"], value_of(known)):
        raise RobustnessError(
            f"{where} was measured with {row['value']:g} for {in_words(known)}, which is {value_of(known):g} now"
        )
    return known


def _right(row: Mapping[Hashable, Any], where: str, condition: str, expected: int) -> np.ndarray:
    """(N,) bool from the packed bits, where they agree with the counts beside them."""
    n, packed = int(row["n"]), row["right"]
    if n != expected:
        raise RobustnessError(f"{where} counts {n:,} images for {condition} and {expected:,} in its first row")
    if not isinstance(packed, bytes) or n < 1 or len(packed) != math.ceil(n / 8):
        found = f"{len(packed):,} bytes" if isinstance(packed, bytes) else type(packed).__name__
        raise RobustnessError(f"{where} must hold one bit an image ({n:,}) for {condition}, got {found}")
    right = np.unpackbits(np.frombuffer(packed, np.uint8), count=n).astype(bool)
    correct = int(right.sum())
    if row["correct"] != correct or not math.isclose(row["accuracy"], correct / n, abs_tol=1e-9):
        raise RobustnessError(
            f"{where} says {row['correct']:,} correct ({row['accuracy']:.3f}) for {condition}, but its answers give "
            f"{correct:,} of {n:,}"
        )
    return right
