"""Where a network fails: accuracy on parts of the images against the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy.stats import fisher_exact
from statsmodels.stats.proportion import proportions_ztest

from core.evaluation.intervals import Score, wilson
from core.evaluation.run import EvaluationError, EvaluationRun
from core.evaluation.significance import ALPHA, holm

MAX_VALUES = 50


@dataclass(frozen=True)
class Slice:
    """Images with one value, or a range of values, of a named column, against all others that have one.

    ``p_holm`` is corrected over all slices of the report (Holm 1979). ``test`` is *z* for two proportions, or *Fisher*
    where fewer than 5 right or wrong answers are expected in a cell.
    """

    column: str
    value: str
    accuracy: Score
    rest: Score
    p_value: float
    p_holm: float
    test: str
    image_ids: np.ndarray = field(repr=False, compare=False)  # (n,)

    @property
    def difference(self) -> float:
        """Accuracy here minus accuracy on the rest."""
        return self.accuracy.value - self.rest.value

    @property
    def significantly_worse(self) -> bool:
        """Whether the network is worse here than elsewhere, after the correction."""
        return self.p_holm < ALPHA and self.difference < 0


def slice_report(run: EvaluationRun, columns: Mapping[str, np.ndarray], *, bins: int = 4) -> tuple[Slice, ...]:
    """Accuracy by slices of the columns, each (N,) in the run's order; significantly worse ones first, worst on top.

    Numbers are cut at their quantiles into ``bins`` parts; truth values, texts (at most 50 different) and numbers with
    no more than ``bins`` different values are taken as they are. Rows without a value (NaN, None) are in no slice of
    that column. A slice that is empty or everything is left out. Raises EvaluationError for a column of another length
    or with too many texts.
    """
    slices: list[Slice] = []
    for name, values in columns.items():
        cells = pd.Series(np.asarray(values))
        if len(cells) != len(run):
            raise EvaluationError(
                f"the column {name!r} must have {len(run)} rows like {run.model_id}, got {len(cells)}"
            )
        known = cells.notna().to_numpy(bool)
        for value, member in _parts(name, cells, bins):
            here, rest = run.correct[member], run.correct[known & ~member]
            if not len(here) or not len(rest):
                continue
            p_value, test = _two_proportions(int(here.sum()), len(here), int(rest.sum()), len(rest))
            score, rest_score = (wilson(int(part.sum()), len(part)) for part in (here, rest))
            slices.append(Slice(name, value, score, rest_score, p_value, p_value, test, run.image_ids[member]))
    corrected = holm([s.p_value for s in slices])
    slices = [replace(s, p_holm=p) for s, p in zip(slices, corrected, strict=True)]
    return tuple(sorted(slices, key=lambda s: (not s.significantly_worse, s.difference)))


def _parts(name: str, cells: pd.Series, bins: int) -> list[tuple[str, np.ndarray]]:
    """What a column is cut into: a name and the rows (N,) bool of each part."""
    numeric = pd.api.types.is_numeric_dtype(cells) and not pd.api.types.is_bool_dtype(cells)
    if not numeric or cells.nunique() <= bins:
        codes, values = pd.factorize(cells, sort=numeric)  # rows without a value have the code -1
        if not numeric and len(values) > MAX_VALUES:
            raise EvaluationError(f"the column {name!r} has {len(values)} different texts; a slice report takes 50")
        return [(_word(value), codes == i) for i, value in enumerate(values)]
    numbers = cells.to_numpy(np.float64)
    missing = np.isnan(numbers)
    edges = np.unique(np.nanquantile(numbers, np.linspace(0, 1, bins + 1)[1:-1]))
    index = np.searchsorted(edges, numbers)
    if index[~missing].max() == 0:  # most images have the highest number: set the others against them
        index = np.searchsorted(edges, numbers, side="right")
    parts = [(index == i) & ~missing for i in range(len(edges) + 1)]
    return [(f"{_word(numbers[p].min())} to {_word(numbers[p].max())}", p) for p in parts if p.any()]


def _word(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)


def _two_proportions(hits: int, n: int, rest_hits: int, rest_n: int) -> tuple[float, str]:
    right = (hits + rest_hits) / (n + rest_n)
    if min(n, rest_n) * min(right, 1 - right) < 5:  # Cochran's (1954) rule for the normal approximation
        table = [[hits, n - hits], [rest_hits, rest_n - rest_hits]]
        return float(fisher_exact(table).pvalue), "Fisher"
    return float(proportions_ztest([hits, rest_hits], [n, rest_n])[1]), "z"
