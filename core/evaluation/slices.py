"""Where a network fails: its accuracy on parts of the images against the remaining images."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from core.errors import EvaluationError
from core.evaluation.intervals import Score, difference_of_proportions, wilson
from core.evaluation.run import EvaluationRun
from core.evaluation.significance import ALPHA, holm

BINS = 4
MAX_VALUES = 50
NO_VALUE = -1


@dataclass(frozen=True, eq=False)
class BinnedColumn:
    """A column divided into bins; images without a value are in none of them. It is divided once for all networks."""

    column: str
    values: tuple[str, ...]
    rows: tuple[np.ndarray, ...]  # for each value the positions of its images, int64
    n: int  # images, those without a value included

    @classmethod
    def of(cls, column: str, values: Sequence[str], codes: np.ndarray) -> BinnedColumn:
        """From the position (N,) in ``values`` of each image, -1 if it has no value."""
        return cls(column, tuple(values), tuple(np.flatnonzero(codes == i) for i in range(len(values))), len(codes))


@dataclass(frozen=True)
class Slice:
    """The images with one value, or a range of values, of a column against all other images that have a value.

    ``position`` is the place of the value in its column. ``p_holm`` is corrected over all different tests of the report
    (Holm 1979). ``test`` is *z* for two proportions, or *Fisher* if fewer than 5 correct or wrong predictions are
    expected in a cell. A slice that has no images, or all of them, cannot be compared: p is NaN and ``test`` is empty.
    """

    column: str
    value: str
    accuracy: Score
    rest: Score
    p_value: float
    p_holm: float
    test: str
    position: int
    image_ids: np.ndarray = field(repr=False, compare=False)  # (n,) int64, the images of the slice

    @property
    def difference(self) -> float:
        """The accuracy of the slice minus that of the rest; NaN if one of them is not defined."""
        return self.accuracy.value - self.rest.value

    @property
    def difference_score(self) -> Score:
        """The difference with Newcombe's interval."""
        return difference_of_proportions(self.accuracy, self.rest)

    @property
    def significant(self) -> bool:
        """Whether the accuracies of the slice and of the rest differ measurably, after the correction."""
        return self.p_holm < ALPHA

    @property
    def significantly_worse(self) -> bool:
        """Whether the network is measurably worse on the slice than on the rest."""
        return self.significant and self.difference < 0


def slice_report(run: EvaluationRun, columns: Sequence[BinnedColumn]) -> tuple[Slice, ...]:
    """Accuracy by slices of the columns of :func:`bin_columns`, each of N images in the order of the run. Significantly
    worse slices come first, then the others, the worst first.

    Images without a value are in no slice of that column. A column with a single value gives no slice, except for truth
    values: *yes* and *no* are always reported, and not defined without images. Raises EvaluationError for a column of
    another length.
    """
    slices: list[Slice] = []
    for binned in columns:
        if binned.n != len(run):
            raise EvaluationError(
                f"the column {binned.column!r} must have {len(run)} rows like {run.model_id}, got {binned.n}"
            )
        slices += _column_slices(run, binned)
    return tuple(
        sorted(
            _corrected(slices),
            key=lambda s: (not s.test, not s.significantly_worse, s.difference if s.test else s.position),
        )
    )


def bin_columns(columns: Mapping[str, np.ndarray]) -> tuple[BinnedColumn, ...]:
    """Divide columns of values (N,) into bins. Numbers are divided at their quantiles into four bins; truth values,
    texts (at most 50 different ones) and numbers with no more than four different values are taken as they are. NaN and
    None count as missing. Raises EvaluationError for a column with too many texts."""
    return tuple(_binned(name, pd.Series(np.asarray(values))) for name, values in columns.items())


def _column_slices(run: EvaluationRun, binned: BinnedColumn) -> list[Slice]:
    """One slice per value, with uncorrected p-values."""
    hits = [int(run.correct[rows].sum()) for rows in binned.rows]
    total, total_correct = sum(len(rows) for rows in binned.rows), sum(hits)
    slices = []
    for position, (value, rows, correct) in enumerate(zip(binned.values, binned.rows, hits, strict=True)):
        n = len(rows)
        rest, rest_correct = total - n, total_correct - correct
        p_value, test = _compare_proportions(correct, n, rest_correct, rest) if n and rest else (math.nan, "")
        slices.append(
            Slice(
                column=binned.column,
                value=value,
                accuracy=wilson(correct, n),
                rest=wilson(rest_correct, rest),
                p_value=p_value,
                p_holm=p_value,
                test=test,
                position=position,
                image_ids=run.image_ids[rows],
            )
        )
    return slices


def _corrected(slices: list[Slice]) -> list[Slice]:
    """Holm's correction over the different tests. The two slices of a column with two values are one test: each is
    the rest of the other."""
    tested = [s for s in slices if s.test]
    values = Counter(s.column for s in tested)
    tests = {(s.column, 0 if values[s.column] == 2 else s.position): s.p_value for s in tested}
    corrected = dict(zip(tests, holm(list(tests.values())), strict=True))
    return [
        replace(s, p_holm=corrected[s.column, 0 if values[s.column] == 2 else s.position]) if s.test else s
        for s in slices
    ]


def _binned(name: str, cells: pd.Series) -> BinnedColumn:
    if pd.api.types.is_bool_dtype(cells):
        return BinnedColumn.of(name, ("no", "yes"), cells.to_numpy(np.int64))
    numeric = pd.api.types.is_numeric_dtype(cells)
    # The first thousand cells mostly decide it, and counting all different numbers is slow.
    if numeric and (cells.head(1000).nunique() > BINS or cells.nunique() > BINS):
        binned = _binned_at_quantiles(name, cells.to_numpy(np.float64))
    else:
        codes, values = pd.factorize(cells, sort=numeric)  # the code of NaN and None is -1
        if not numeric and len(values) > MAX_VALUES:
            raise EvaluationError(
                f"the column {name!r} has {len(values)} different texts; a slice report takes {MAX_VALUES}"
            )
        binned = BinnedColumn.of(name, [_text(value) for value in values], codes)
    # If all images have the same value, there is nothing to compare.
    return binned if len(binned.values) > 1 else BinnedColumn(name, (), (), len(cells))


def _binned_at_quantiles(name: str, numbers: np.ndarray) -> BinnedColumn:
    missing = np.isnan(numbers)
    edges = np.unique(np.quantile(numbers[~missing], np.linspace(0, 1, BINS + 1)[1:-1]))
    codes = np.searchsorted(edges, numbers)
    if codes[~missing].max() == 0:  # most images have the highest number: it forms its own bin
        codes = np.searchsorted(edges, numbers, side="right")
    codes[missing] = NO_VALUE
    used = np.flatnonzero(np.bincount(codes[~missing], minlength=BINS))
    rows = tuple(np.flatnonzero(codes == i) for i in used)
    ends = [(_text(numbers[of_bin].min()), _text(numbers[of_bin].max())) for of_bin in rows]
    values = tuple(low if low == high else f"{low} to {high}" for low, high in ends)
    return BinnedColumn(name, values, rows, len(numbers))


def _text(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        number = float(value)
        return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.4g}"
    return str(value)


def _compare_proportions(correct: int, n: int, rest_correct: int, rest: int) -> tuple[float, str]:
    from scipy.stats import fisher_exact  # not above: importing it takes half a second
    from statsmodels.stats.proportion import proportions_ztest

    share = (correct + rest_correct) / (n + rest)
    if min(n, rest) * min(share, 1 - share) < 5:  # Cochran's (1954) rule for the normal approximation
        table = [[correct, n - correct], [rest_correct, rest - rest_correct]]
        return float(fisher_exact(table).pvalue), "Fisher"
    return float(proportions_ztest([correct, rest_correct], [n, rest])[1]), "z"
