"""How often each expression was predicted, in all faces of a batch or by folder or column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import pandas as pd

from core.evaluation import Score, wilson

ALL = "all"
MAX_GROUPS = 8


@dataclass(frozen=True)
class ExpressionShares:
    """The predicted expressions of the faces in one group; ``scores`` are shares with Wilson's interval."""

    group: str
    faces: int
    photos: int
    scores: dict[str, Score]  # by class, in the order of the classes


def expression_shares(
    rows: pd.DataFrame, classes: Sequence[str], groups: pd.Series[str] | None = None
) -> list[ExpressionShares]:
    """The shares of each group, the one with the most faces first; at most MAX_GROUPS of them.

    ``rows`` are the rows of a batch, ``groups`` the group of each row, one for all where it is None. Rows without a
    prediction do not count.
    """
    named = rows.assign(group=ALL if groups is None else groups)
    faces = named[named["expression"].notna()]
    counts = faces["group"].value_counts()
    found = []
    for group in list(counts.index)[:MAX_GROUPS]:
        of_group = faces[faces["group"] == group]
        n = len(of_group)
        predicted = of_group["expression"].value_counts()
        scores = {name: wilson(int(predicted.get(name, 0)), n) for name in classes}
        found.append(ExpressionShares(str(group), n, int(of_group["path"].nunique()), scores))
    return found


def folders_of(paths: pd.Series[str]) -> pd.Series[str]:
    """The folder of each path, ``"."`` for a file that is in none."""
    return paths.map(lambda path: str(PurePosixPath(path).parent))
