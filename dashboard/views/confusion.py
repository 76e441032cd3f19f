"""Confusion matrices side by side, the difference of two, and the images of a cell."""

from __future__ import annotations

from collections.abc import Callable

import plotly.graph_objects as go
import streamlit as st

from core.evaluation import ConfusionMatrix
from dashboard import charts, services
from dashboard.figures import confusion as figures
from dashboard.figures import errors as tables
from dashboard.views import blocks, image_list
from dashboard.views.comparison import Comparison

DIFFERENCE = "difference"
# The chosen cell lives in three selection boxes, so that a link, a keyboard and a click all lead to it.
OF, TRUE, PREDICTED = "cell_of", "cell_true", "cell_predicted"


def draw(comparison: Comparison) -> None:
    """One matrix a network on one colour scale, or two networks' difference; below it a cell's images."""
    show = st.segmented_control(
        "Cells",
        [*figures.SHARES, DIFFERENCE],
        default=figures.COUNTS,
        required=True,
        key="cells",
        bind="query-params",
    )
    if show == DIFFERENCE:
        _difference(comparison)
    else:
        _matrices(comparison, show)
    _images(comparison)


def _matrices(comparison: Comparison, show: str) -> None:
    matrices = {m: ConfusionMatrix.from_run(run) for m, run in comparison.runs.items()}
    for row in range(0, len(matrices), 2):
        for column, (model_id, matrix) in zip(st.columns(2), list(matrices.items())[row : row + 2], strict=False):
            name = comparison.names[model_id]
            with column:
                drawn = figures.matrix(
                    matrix, comparison.inks, show=show, title=name, chosen=_chosen(comparison, model_id)
                )
                _clickable(drawn, f"confusion-{model_id}", model_id, comparison, f"Confusion matrix of {name}, {show}")
                blocks.csv(_numbers(matrix), f"confusion-{model_id}-{comparison.split}", "Cells (CSV)")
    whole = "predicted" if show == figures.BY_PREDICTED else "true"
    st.caption(
        f"{blocks.protocol(comparison)} Colour: the share of the {whole} class, on one scale for all. A class without "
        "images, or never answered, has no share: not defined. Click a cell to list its images."
    )


def _numbers(matrix: ConfusionMatrix) -> Callable[[], object]:
    return lambda: figures.numbers(matrix)


def _difference(comparison: Comparison) -> None:
    runs = blocks.comparable(comparison)
    if len(runs) < 2:
        st.info("A difference needs two networks: choose another one in the sidebar.", icon=":material/info:")
        return
    names, (left, right) = comparison.names, st.columns(2)
    first = left.selectbox("Network", list(runs), format_func=names.__getitem__, key="minuend", bind="query-params")
    others = [m for m in runs if m != first]
    second = right.selectbox("minus", others, format_func=names.__getitem__, key="subtrahend", bind="query-params")
    title = f"{names[first]} − {names[second]}"
    drawn = figures.difference(
        runs[first], runs[second], comparison.inks, title=title, chosen=_chosen(comparison, first)
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


def choose_cell(points: list[dict], model_id: str, comparison: Comparison) -> None:
    """Put a clicked cell into the selection boxes; a click beside the cells changes nothing."""
    if points:
        true, predicted = points[0]["customdata"][:2]
        classes = comparison.runs[model_id].labels.classes
        st.session_state[OF] = model_id
        st.session_state[TRUE], st.session_state[PREDICTED] = classes[int(true)], classes[int(predicted)]


def _chosen(comparison: Comparison, model_id: str) -> figures.Cell | None:
    classes = comparison.runs[model_id].labels.classes
    true, predicted = st.session_state.get(TRUE), st.session_state.get(PREDICTED)
    if st.session_state.get(OF) != model_id or true not in classes or predicted not in classes:
        return None
    return classes.index(true), classes.index(predicted)


def _images(comparison: Comparison) -> None:
    st.markdown("**Images of a cell**")
    runs = blocks.comparable(comparison)
    of, left, right = st.columns(3)
    model_id = of.selectbox(
        "Answers of", list(runs), format_func=comparison.names.__getitem__, key=OF, bind="query-params"
    )
    classes = list(runs[model_id].labels.classes)
    true, predicted = (
        place.selectbox(label, classes, index=None, key=key, bind="query-params", placeholder="click a cell, or choose")
        for place, label, key in ((left, "True", TRUE), (right, "Predicted", PREDICTED))
    )
    if true is None or predicted is None:
        return
    others = [r for m, r in runs.items() if m != model_id]
    found = tables.select(services.error_table(runs[model_id], others), true=true, predicted=predicted, mistakes=False)
    card = comparison.cards.get(model_id) or next(iter(comparison.cards.values()))
    image_list.draw(
        tables.ordered(found, "confidence"),
        comparison,
        card,
        key="cell",
        alt=f"Images of class {true} that {comparison.names[model_id]} answers {predicted}",
    )
