"""The robustness of a network as a Parquet file next to its weights: one row per condition, one bit per image."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from core.checkpoints import Checkpoint, ModelCard
from core.errors import CheckpointError, EvaluationError, RobustnessError
from core.evaluation import Score, mirror_consistency
from core.files import write_atomically
from core.robustness.corruptions import SEED
from core.robustness.results import CONDITIONS, PRECISION, Condition, Robustness, describe, setting

# The column names are part of the file format: "perturbation" is the corruption, "value" its setting, and "right" has
# one bit per image in the order of the split, the most significant bit first (numpy.packbits).
COLUMNS = (
    *("run", "split", "weights_sha256", "seed"),
    *("perturbation", "strength", "value", "n", "correct", "accuracy", "right", "precision"),
)
NUMBERS = ("seed", "strength", "value", "n", "correct", "accuracy")


def load_robustness(checkpoint: Checkpoint, split: str) -> Robustness | None:
    """The stored robustness of a network; None if there is none.

    Raises RobustnessError if the file is damaged or incomplete, or belongs to other weights, images or settings.
    """
    path = checkpoint.robustness_path(split)
    if not path.is_file():
        return None
    card = checkpoint.card
    again = f"measure again with: {measurement_command(card, split)}"
    try:
        correct = load_conditions(path, card.run_id, split, card.weights_sha256)
        found = Robustness(
            card.run_id, split, card.weights_sha256, correct, mirror_consistency=_mirror_consistency(checkpoint, split)
        )
    except RobustnessError as error:
        raise RobustnessError(f"{error}; {again}") from error
    scored = card.metrics.get(split)
    if scored is not None and scored.n != found.n:
        raise RobustnessError(
            f"{card.run_id}: {path.name} has {found.n:,} images, but the card's {split} split has {scored.n:,}; {again}"
        )
    return found


def measurement_command(card: ModelCard, split: str) -> str:
    """The command that creates the file."""
    return f"python -m core robustness {card.run_id} --split {split} --data {card.data.file_name}"


def save_robustness(found: Robustness, path: Path) -> None:
    """Write all conditions. Raises RobustnessError if the folder cannot be written to."""
    save_conditions(path, found.model_id, found.split, found.weights_sha256, found.correct)


def save_conditions(
    path: Path, model_id: str, split: str, weights_sha256: str, correct: Mapping[Condition, np.ndarray]
) -> None:
    """Write some or all conditions. Raises RobustnessError if the folder cannot be written to."""
    rows = [
        (
            *(model_id, split, weights_sha256, SEED),
            *(*condition, setting(condition), len(of_images), int(of_images.sum())),
            *(float(of_images.mean()), np.packbits(of_images).tobytes(), PRECISION),
        )
        for condition, of_images in correct.items()
    ]
    table = pd.DataFrame(rows, columns=[*COLUMNS])
    try:
        write_atomically(path, lambda partial: table.to_parquet(partial, index=False, compression="zstd"))
    except OSError as error:
        raise RobustnessError(f"{path} cannot be written: {error.strerror or error}") from error


def load_conditions(path: Path, model_id: str, split: str, weights_sha256: str) -> dict[Condition, np.ndarray]:
    """The conditions of a file. Raises RobustnessError naming the network, the file and what is wrong in it."""
    where = f"{model_id}: {path.name}"
    try:
        table = pd.read_parquet(path)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise RobustnessError(f"{where} cannot be read as Parquet ({error})") from error
    _check_columns(table, where)
    required = {"run": model_id, "split": split, "weights_sha256": weights_sha256, "seed": SEED, "precision": PRECISION}
    for column, expected in required.items():
        others = table.loc[table[column] != expected, column]
        if len(others):
            raise RobustnessError(f"{where} has the {column} {others.iloc[0]}, expected {expected}")
    correct: dict[Condition, np.ndarray] = {}
    for row in table.to_dict("records"):
        condition = _condition(row, where)
        if condition in correct:
            raise RobustnessError(f"{where} has {describe(condition)} twice")
        correct[condition] = _correct(row, where, describe(condition), int(table["n"].iloc[0]))
    return correct


def _mirror_consistency(checkpoint: Checkpoint, split: str) -> Score | None:
    try:
        return mirror_consistency(checkpoint.evaluation(split))
    except (CheckpointError, EvaluationError):
        return None  # robustness does not depend on the stored predictions


def _check_columns(table: pd.DataFrame, where: str) -> None:
    missing = [c for c in COLUMNS if c not in table]
    unknown = [c for c in table if c not in COLUMNS]
    if missing:
        raise RobustnessError(f"{where} lacks the column {missing[0]!r}")
    if unknown:
        raise RobustnessError(f"{where} has the unknown column {unknown[0]!r}; expected {', '.join(COLUMNS)}")
    for column in table.columns:
        empty = table[column].isna().to_numpy()
        if empty.any():
            raise RobustnessError(f"{where}: row {int(empty.argmax())} of the column {column!r} is empty")
        if column in NUMBERS and not pd.api.types.is_numeric_dtype(table[column]):
            raise RobustnessError(f"{where}: the column {column!r} must hold numbers, got {table[column].dtype}")


def _condition(row: Mapping[Hashable, Any], where: str) -> Condition:
    condition = (row["perturbation"], row["strength"])
    if condition not in CONDITIONS:
        raise RobustnessError(f"{where} has the unknown {describe(condition)}")
    known = CONDITIONS[CONDITIONS.index(condition)]
    if not math.isclose(row["value"], setting(known)):
        raise RobustnessError(
            f"{where} was measured with the setting {row['value']:g} for {describe(known)}, which is now "
            f"{setting(known):g}"
        )
    return known


def _correct(row: Mapping[Hashable, Any], where: str, condition: str, expected: int) -> np.ndarray:
    """(N,) bool from the packed bits, if they agree with the counts in the same row."""
    n, packed = int(row["n"]), row["right"]
    if n != expected:
        raise RobustnessError(f"{where} has {n:,} images for {condition} and {expected:,} in its first row")
    if not isinstance(packed, bytes) or n < 1 or len(packed) != math.ceil(n / 8):
        found = f"{len(packed):,} bytes" if isinstance(packed, bytes) else type(packed).__name__
        raise RobustnessError(f"{where} must have one bit per image ({n:,}) for {condition}, got {found}")
    correct = np.unpackbits(np.frombuffer(packed, np.uint8), count=n).astype(bool)
    count = int(correct.sum())
    if row["correct"] != count or not math.isclose(row["accuracy"], count / n, abs_tol=1e-9):
        raise RobustnessError(
            f"{where} states {row['correct']:,} correct ({row['accuracy']:.3f}) for {condition}, but its bits give "
            f"{count:,} of {n:,}"
        )
    return correct
