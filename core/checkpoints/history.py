"""The history of a training, one row per epoch."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class EpochRow:
    """One row of the history. The training figures are running ones, on augmented images, while the weights change."""

    epoch: int  # from 1
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float
    seconds: float


def best_epoch(val_accuracy: ArrayLike) -> int:
    """The epoch with the highest validation accuracy, the first of equals; ``val_accuracy`` is that of each epoch."""
    return int(np.argmax(val_accuracy)) + 1


def read_history(path: Path, chosen_epoch: int) -> pd.DataFrame:
    """The rows of a CSV file, with the columns of :class:`EpochRow`.

    Raises OSError, and ValueError for another table or one without the chosen epoch.
    """
    history = pd.read_csv(path)  # whose own errors are ValueErrors
    missing = [column.name for column in fields(EpochRow) if column.name not in history]
    if missing:
        raise ValueError(f"it lacks the columns {', '.join(missing)}")
    if chosen_epoch not in history["epoch"].to_numpy():
        raise ValueError(f"it lacks the chosen epoch, {chosen_epoch}")
    return history
