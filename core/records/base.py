"""What every record shares: numbers and file names that are valid in JSON, and strict validation."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from numbers import Real
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if not isinstance(value, Real):
        raise ValueError(f"expected a number, got {value!r:.60}")
    try:
        number = float(value)
    except OverflowError:  # an integer beyond the range of floats
        return None
    return round(number, 6) if math.isfinite(number) else None


def _numbers(value: Any) -> Any:
    """The numbers of an array, row by row."""
    if value is None:
        return None
    if not isinstance(value, Sequence | np.ndarray) or isinstance(value, str):
        raise ValueError(f"expected numbers, got {value!r:.60}")
    return [_numbers(v) if np.ndim(v) else _number(v) for v in value]


def file_name(path: Path | str) -> str:
    """A path as valid Unicode; bytes that are not UTF-8 are written as backslash escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _valid_text(value: object) -> object:
    return file_name(value) if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_valid_text)]  # may contain the name of a file
Number = Annotated[float | None, BeforeValidator(_number)]
Numbers = Annotated[list[float | None], BeforeValidator(_numbers)]
Rows = Annotated[list[list[float | None]], BeforeValidator(_numbers)]


class Record(BaseModel):
    """Base of all records; an unknown field is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


class ScoreRecord(Record):
    """A score with its 95 % interval over ``n`` images."""

    value: Number
    low: Number
    high: Number
    n: int
    method: str


def to_json(value: Record | Any, *, indent: int | None = None) -> str:
    """A record, or plain values, as strict JSON in ASCII, which no encoding of a terminal or file can damage."""
    plain = value.model_dump() if isinstance(value, Record) else value
    return json.dumps(plain, allow_nan=False, indent=indent)
