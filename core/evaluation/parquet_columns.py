"""Reading the columns of the Parquet files that belong to a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import EvaluationError
from core.files import write_atomically


def read_table(path: Path, content: str) -> pa.Table:
    """The whole file. Raises EvaluationError if it cannot be read as a Parquet file of ``content``."""
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise EvaluationError(f"{path.name} cannot be read as a Parquet file of {content}: {error}") from error


def write_table(table: pa.Table, path: Path, *, use_dictionary: bool = True) -> None:
    """Write the file so that ``path`` is never incomplete."""
    write_atomically(
        path, lambda partial: pq.write_table(table, partial, compression="zstd", use_dictionary=use_dictionary)
    )


def require_columns(table: pa.Table, names: Sequence[str], path: Path) -> None:
    """Raises EvaluationError naming the first column that is missing."""
    missing = [name for name in names if name not in table.column_names]
    if missing:
        raise EvaluationError(f"{path.name} lacks the column {missing[0]!r}; it has {', '.join(table.column_names)}")


def column(table: pa.Table, name: str, path: Path) -> np.ndarray:
    """The numbers or truth values of a column. Raises EvaluationError if a cell is empty or the type is another."""
    values = table[name]
    if values.null_count:
        row = int(np.argmax(values.is_null().to_numpy()))
        raise EvaluationError(f"{path.name}: row {row} of the column {name!r} is empty")
    if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type) or pa.types.is_boolean(values.type)):
        raise EvaluationError(f"{path.name}: the column {name!r} must hold numbers, got {values.type}")
    return np.asarray(values.to_numpy())
