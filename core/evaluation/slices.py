"""Where a network fails: accuracy on parts of the images against the rest."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy.stats import fisher_exact
from statsmodels.stats.proportion import proportions_ztest

from core.errors import EvaluationError
from core.evaluation.intervals import UNDEFINED, Score, wilson
from core.evaluation.run import EvaluationRun
from core.evaluation.significance import ALPHA, holm

MAX_VALUES = 50
NO_PART = -1


@dataclass(frozen=True, eq=False)
class Parts:
    """A column cut into parts: ``codes`` says for each image which of the ``values`` it has, -1 for none."""

    column: str
    values: tuple[str, ...]
    codes: np.ndarray  # (N,) int64


@dataclass(frozen=True)
class Slice:
    """Images with one value, or a range of values, of a named column, against all others that have one.

    ``position`` is the part's place in its column. ``p_holm`` is corrected over all slices of the report (Holm 1979).
    ``test`` is *z* for two proportions, or *Fisher* where fewer than 5 right or wrong answers are expected in a cell.
    A slice without an image, or with all of them, has nothing to be compared with: p is NaN and ``test`` empty.
    """

    column: str
    value: str
    accuracy: Score
    rest: Score
    p_value: float
    p_holm: float
    test: str
    position: int
    of_run: np.ndarray = field(repr=False, compare=False)  # (N,) image ids of the whole run
    codes: np.ndarray = field(repr=False, compare=False)  # (N,) positions of the parts that they are in

    @property
    def image_ids(self) -> np.ndarray:
        """(n,) int64: the images of the slice."""
        return np.asarray(self.of_run[self.codes == self.position])

    @property
    def difference(self) -> float:
        """Accuracy here minus accuracy on the rest; NaN where one of them is not defined."""
        return self.accuracy.value - self.rest.value

    @property
    def difference_score(self) -> Score:
        """The difference with Newcombe's hybrid score interval (1998, method 10), made of the two Wilson intervals."""
        here, rest = self.accuracy, self.rest
        if not (here.defined and rest.defined):
            return UNDEFINED
        down = math.hypot(here.value - here.low, rest.high - rest.value)
        up = math.hypot(here.high - here.value, rest.value - rest.low)
        return Score(self.difference, self.difference - down, self.difference + up, here.n + rest.n, "Newcombe")

    @property
    def significantly_worse(self) -> bool:
        """Whether the network is worse here than elsewhere, after the correction."""
        return self.p_holm < ALPHA and self.difference < 0


def slice_report(
    run: EvaluationRun, columns: Mapping[str, np.ndarray] | Sequence[Parts], *, bins: int = 4
) -> tuple[Slice, ...]:
    """Accuracy by slices of the columns, each (N,) in the run's order; significantly worse ones first, worst on top.

    ``columns`` are cut by :func:`cut`, or were already. Rows without a value are in no slice of that column. A slice
    that is everything is left out, and so is an empty one, but for truth values: *yes* and *no* are always both there,
    not defined where they have no image. Raises EvaluationError for a column of another length or with too many texts.
    """
    slices: list[Slice] = []
    for parts in cut(columns, bins=bins) if isinstance(columns, Mapping) else columns:
        if len(parts.codes) != len(run):
            raise EvaluationError(
                f"the column {parts.column!r} must have {len(run)} rows like {run.model_id}, got {len(parts.codes)}"
            )
        slices += _of_column(run, parts)
    tested = [i for i, s in enumerate(slices) if s.test]
    for i, p_holm in zip(tested, holm([slices[i].p_value for i in tested]), strict=True):
        slices[i] = replace(slices[i], p_holm=p_holm)
    return tuple(
        sorted(slices, key=lambda s: (not s.test, not s.significantly_worse, s.difference if s.test else s.position))
    )


def cut(columns: Mapping[str, np.ndarray], *, bins: int = 4) -> tuple[Parts, ...]:
    """Columns of values -> parts. Numbers are cut at their quantiles into ``bins`` parts; truth values, texts (at most
    50 different) and numbers with no more than ``bins`` different values are taken as they are. NaN and None are no
    value. Raises EvaluationError for a column with too many texts."""
    return tuple(_cut(name, pd.Series(np.asarray(values)), bins) for name, values in columns.items())


def _of_column(run: EvaluationRun, parts: Parts) -> list[Slice]:
    """One slice a part, p-values not yet corrected."""
    k = len(parts.values)
    # Wrong and right answers in each part, and in none, counted in one pass.
    wrong, right = np.bincount(parts.codes + 1 + (k + 1) * run.correct, minlength=2 * (k + 1)).reshape(2, -1)[:, 1:]
    slices = []
    for i, value in enumerate(parts.values):
        hits, n = int(right[i]), int(right[i] + wrong[i])
        rest_hits, rest_n = int(right.sum()) - hits, int(right.sum() + wrong.sum()) - n
        p_value, test = _two_proportions(hits, n, rest_hits, rest_n) if n and rest_n else (math.nan, "")
        slices.append(
            Slice(
                column=parts.column,
                value=value,
                accuracy=wilson(hits, n),
                rest=wilson(rest_hits, rest_n),
                p_value=p_value,
                p_holm=p_value,
                test=test,
                position=i,
                of_run=run.image_ids,
                codes=parts.codes,
            )
        )
    return slices


def _cut(name: str, cells: pd.Series, bins: int) -> Parts:
    if pd.api.types.is_bool_dtype(cells):
        return Parts(name, ("no", "yes"), cells.to_numpy(np.int64))
    numeric = pd.api.types.is_numeric_dtype(cells)
    few = cells.head(1000).nunique() <= bins and cells.nunique() <= bins  # the head mostly settles it
    if not numeric or few:
        codes, values = pd.factorize(cells, sort=numeric)  # rows without a value have the code -1
        if not numeric and len(values) > MAX_VALUES:
            raise EvaluationError(f"the column {name!r} has {len(values)} different texts; a slice report takes 50")
        parts = Parts(name, tuple(_word(value) for value in values), np.asarray(codes, np.int64))
    else:
        parts = _quantiles(name, cells.to_numpy(np.float64), bins)
    # All images alike: there is no slice to speak of.
    return parts if len(parts.values) > 1 else Parts(name, (), np.full(len(cells), NO_PART))


def _quantiles(name: str, numbers: np.ndarray, bins: int) -> Parts:
    missing = np.isnan(numbers)
    edges = np.unique(np.quantile(numbers[~missing], np.linspace(0, 1, bins + 1)[1:-1]))
    index = sum((numbers > e for e in edges), start=np.zeros(len(numbers), np.int64))
    if index[~missing].max() == 0:  # most images have the highest number: set the others against them
        index = sum((numbers >= e for e in edges), start=np.zeros(len(numbers), np.int64))
    index[missing] = NO_PART
    values: list[str] = []
    codes = np.full(len(numbers), NO_PART)
    for i in range(len(edges) + 1):
        members = index == i
        if members.any():
            codes[members] = len(values)
            low, high = _word(numbers[members].min()), _word(numbers[members].max())
            values.append(low if low == high else f"{low} to {high}")
    return Parts(name, tuple(values), codes)


def _word(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        number = float(value)
        return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.4g}"
    return str(value)


def _two_proportions(hits: int, n: int, rest_hits: int, rest_n: int) -> tuple[float, str]:
    right = (hits + rest_hits) / (n + rest_n)
    if min(n, rest_n) * min(right, 1 - right) < 5:  # Cochran's (1954) rule for the normal approximation
        table = [[hits, n - hits], [rest_hits, rest_n - rest_hits]]
        return float(fisher_exact(table).pvalue), "Fisher"
    return float(proportions_ztest([hits, rest_hits], [n, rest_n])[1]), "z"
