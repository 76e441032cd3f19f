"""Confusion matrices side by side, the difference of two, and the images of a cell."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.evaluation import ConfusionMatrix, EvaluationRun
from dashboard import services
from dashboard.compare import blocks, image_list
from dashboard.compare.comparison import Comparison
from dashboard.plots import charts
from dashboard.plots import confusion as figures
from dashboard.plots import errors as tables

DIFFERENCE = "difference"
# The chosen cell lives in three selection boxes, so that a link, a keyboard and a click all lead to it.
OF, TRUE, PREDICTED = "cell_of", "cell_true", "cell_predicted"


def draw(comparison: Comparison) -> None:
    """One matrix a network on one color scale, or two networks' difference; below it a cell's images."""
    show = st.segmented_control(
        "Cells",
        [*figures.SHARES, DIFFERENCE],
        default=figures.COUNTS,
        required=True,
        key="cells",
        bind="query-params",
    )
    # The boxes stand below the figures but are read before them: the figures outline the cell they name.
    above, below = st.container(), st.container()
    with below:
        st.markdown("**Images of a cell**")
        runs = blocks.comparable(comparison)
        cell = _boxes(comparison, list(runs))
    with above:
        if show == DIFFERENCE:
            _difference(comparison, runs, cell)
        else:
            _matrices(comparison, show, cell, runs)
    if cell.complete:
        with below:
            _images(comparison, runs, cell)


@dataclass(frozen=True)
class Chosen:
    """What the boxes say; a class is None until it is chosen."""

    model_id: str
    true: str | None
    predicted: str | None

    @property
    def complete(self) -> bool:
        """Whether both classes are chosen."""
        return self.true is not None and self.predicted is not None

    def position(self, model_id: str, classes: tuple[str, ...]) -> figures.Cell | None:
        """Where that network's matrix is to be outlined."""
        if self.model_id != model_id or self.true not in classes or self.predicted not in classes:
            return None
        return classes.index(self.true), classes.index(self.predicted)


def _matrices(comparison: Comparison, show: str, cell: Chosen, listed: Collection[str]) -> None:
    matrices = {m: ConfusionMatrix.from_run(run) for m, run in comparison.runs.items()}
    for row in range(0, len(matrices), 2):
        for column, (model_id, matrix) in zip(st.columns(2), list(matrices.items())[row : row + 2], strict=False):
            name = comparison.names[model_id]
            with column:
                drawn = figures.matrix(
                    matrix,
                    comparison.inks,
                    show=show,
                    title=name if model_id in listed else f"{name}, n = {matrix.n:,}",
                    chosen=cell.position(model_id, matrix.labels.classes),
                )
                alt = f"Confusion matrix of {name}, {show}"
                key = f"confusion-{model_id}"
                if model_id in listed:
                    _clickable(drawn, key, model_id, comparison, alt)
                else:  # its images are not those of the others
                    st.plotly_chart(drawn, key=key, config=charts.CONFIG, alt=alt)
                blocks.csv(_numbers(matrix), f"confusion-{model_id}-{comparison.split}", "Cells (CSV)")
    whole = "predicted" if show == figures.BY_PREDICTED else "true"
    st.caption(
        f"{blocks.protocol(comparison)} Color: the share of the {whole} class, on one scale for all. A class without "
        "images, or never answered, has no share: not defined. Click a cell to list its images."
    )


def _numbers(matrix: ConfusionMatrix) -> Callable[[], pd.DataFrame]:
    return lambda: figures.numbers(matrix)


def _difference(comparison: Comparison, runs: Mapping[str, EvaluationRun], cell: Chosen) -> None:
    if len(runs) < 2:
        st.info("A difference needs two networks: choose another one in the sidebar.", icon=":material/info:")
        return
    names, (left, right) = comparison.names, st.columns(2)
    first = left.selectbox("Network", list(runs), format_func=names.__getitem__, key="minuend", bind="query-params")
    others = [m for m in runs if m != first]
    second = right.selectbox("minus", others, format_func=names.__getitem__, key="subtrahend", bind="query-params")
    title = f"{names[first]} − {names[second]}"
    drawn = figures.difference(
        runs[first], runs[second], comparison.inks, title=title, chosen=cell.position(first, runs[first].labels.classes)
    )
    _clickable(drawn, "confusion-difference", first, comparison, f"Difference of confusion matrices, {title}")
    st.caption(
        f"{blocks.protocol(comparison)} Shares of the true class, {title}; on the diagonal more is better, elsewhere "
        "less. Bold: measurable (McNemar's exact test of the cell, Holm over all cells, 5 %); the others show no "
        f"measurable difference. Click a cell to list the images that {names[first]} puts there."
    )
    blocks.csv(
        lambda: figures.difference_numbers(runs[first], runs[second]),
        f"confusion-{first}-minus-{second}-{comparison.split}",
        "Cells (CSV)",
    )


def _clickable(drawn: go.Figure, key: str, model_id: str, comparison: Comparison, alt: str) -> None:
    def choose() -> None:
        choose_cell(st.session_state[key]["selection"]["points"], model_id, comparison)

    st.plotly_chart(drawn, key=key, config=charts.CONFIG, alt=alt, on_select=choose, selection_mode="points")


def choose_cell(points: Sequence[Mapping[str, Any]], model_id: str, comparison: Comparison) -> None:
    """Put a clicked cell into the selection boxes; a click beside the cells changes nothing."""
    if points:
        true, predicted = points[0]["customdata"][:2]
        classes = comparison.runs[model_id].labels.classes
        st.session_state[OF] = model_id
        st.session_state[TRUE], st.session_state[PREDICTED] = classes[int(true)], classes[int(predicted)]


def _boxes(comparison: Comparison, model_ids: list[str]) -> Chosen:
    of, left, right = st.columns(3)
    model_id = of.selectbox(
        "Answers of", model_ids, format_func=comparison.names.__getitem__, key=OF, bind="query-params"
    )
    classes = list(comparison.runs[model_id].labels.classes)
    hint = "click a cell, or choose"
    true = left.selectbox("True", classes, index=None, key=TRUE, bind="query-params", placeholder=hint)
    predicted = right.selectbox("Predicted", classes, index=None, key=PREDICTED, bind="query-params", placeholder=hint)
    return Chosen(model_id, true, predicted)


def _images(comparison: Comparison, runs: Mapping[str, EvaluationRun], cell: Chosen) -> None:
    others = [r for m, r in runs.items() if m != cell.model_id]
    answers = services.error_table(runs[cell.model_id], others)
    keep = tables.select(answers, {"true": str(cell.true), "predicted": str(cell.predicted)}, mistakes=False)
    image_list.draw(
        answers,
        tables.ordered(answers, keep, "confidence"),
        comparison,
        comparison.cards.get(cell.model_id) or next(iter(comparison.cards.values())),
        key="cell",
        alt=f"Images of class {cell.true} that {comparison.names[cell.model_id]} answers {cell.predicted}",
        explained=cell.model_id,
    )
