"""Confusion matrices side by side, the difference of two, and the images of a cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.evaluation import ConfusionMatrix
from dashboard.compare import image_list, image_table
from dashboard.compare.comparison import Comparison
from dashboard.compare.significance import NEEDS_TWO
from dashboard.plots import confusion as plots
from dashboard.section import Download, Figure, Section, csv
from dashboard.ui import links
from dashboard.ui import sections as ui
from dashboard.ui.markdown import escaped

DIFFERENCE = "difference"
# The selected cell is stored in three select boxes, so that links, the keyboard and clicks can all select one.
OF, TRUE, PREDICTED = "cell_of", "cell_true", "cell_predicted"


@dataclass(frozen=True)
class Cell:
    """A cell of one network's matrix."""

    model_id: str
    true: str
    predicted: str


@dataclass(frozen=True)
class Options:
    """What the cells show (one of ``plots.SHARES`` or DIFFERENCE), the selected cell, and the networks to subtract."""

    show: str = plots.COUNTS
    cell: Cell | None = None
    first: str = ""
    second: str = ""


def sections(comparison: Comparison, options: Options = Options()) -> list[Section]:
    """One matrix per network on one color scale, or the difference of two networks."""
    if options.show == DIFFERENCE:
        return [_difference(comparison, options)]
    figures: list[Figure] = []
    downloads: list[Download] = []
    for model_id, run in comparison.all_runs.items():
        matrix, name = ConfusionMatrix.from_run(run), comparison.names[model_id]
        figures.append(
            Figure(
                plots.matrix(
                    matrix, comparison.inks, show=options.show, selected=_position(comparison, options.cell, model_id)
                ),
                figure_key(comparison, model_id),
                f"Confusion matrix of {name}, {options.show}",
                title=name,
            )
        )
        downloads.append(csv(f"Cells of {name} (CSV)", comparison.file_name(f"confusion-{model_id}"), _numbers(matrix)))
    whole = "predicted" if options.show == plots.BY_PREDICTED else "true"
    return [
        Section(
            figures=tuple(figures),
            caption=f"{comparison.protocol} Color: share of the {whole} class, on the same scale for all networks. A "
            "class without images, or that is never predicted, has no share.",
            downloads=tuple(downloads),
        )
    ]


def figure_key(comparison: Comparison, model_id: str) -> str:
    """The key of a network's matrix."""
    return comparison.key(f"confusion-{model_id}")


def _numbers(matrix: ConfusionMatrix) -> Callable[[], Any]:
    return lambda: plots.numbers(matrix)


def _difference(comparison: Comparison, options: Options) -> Section:
    runs = comparison.all_runs
    if len(runs) < 2:
        return Section(notes=(NEEDS_TWO,), caption=comparison.protocol)
    first, second = runs[options.first], runs[options.second]
    title = f"{comparison.names[options.first]} − {comparison.names[options.second]}"
    figure = plots.difference(
        first, second, comparison.inks, selected=_position(comparison, options.cell, options.first)
    )
    return Section(
        figures=(
            Figure(
                figure,
                figure_key(comparison, options.first),
                f"Difference of two confusion matrices, {title}",
                title=title,
            ),
        ),
        caption=f"{comparison.protocol} Difference of the shares of the true class, {title}. Bold: measurable "
        "difference (McNemar's exact test per cell, Holm-corrected for all cells, 5 %).",
        downloads=(
            csv(
                f"Cells of {title} (CSV)",
                comparison.file_name(f"confusion-{options.first}-minus-{options.second}"),
                lambda: plots.difference_numbers(first, second),
            ),
        ),
    )


def _position(comparison: Comparison, cell: Cell | None, model_id: str) -> plots.Position | None:
    """Where a network's matrix has the selected cell."""
    if cell is None or cell.model_id != model_id:
        return None
    return comparison.labels.index(cell.true), comparison.labels.index(cell.predicted)


def draw(comparison: Comparison) -> None:
    """The controls, the matrices, and the images of the selected cell beside its matrix."""
    words = {word: word for word in (*plots.SHARES, DIFFERENCE)}
    show = links.choice(st.segmented_control, "Cells", words, key=comparison.key("cells"), default=plots.COUNTS)
    first, second = _networks_to_subtract(comparison) if show == DIFFERENCE else ("", "")
    cell = _select_cell(comparison)
    matrices = [first] if show == DIFFERENCE else list(comparison.all_runs)
    on_select = {figure_key(comparison, m): _on_click(comparison, m) for m in matrices}
    drawn_with = cell.model_id if cell is not None and cell.model_id in matrices else None
    beside = {figure_key(comparison, drawn_with): lambda: _images(comparison, cell)} if cell and drawn_with else {}
    ui.draw(sections(comparison, Options(show, cell, first, second)), on_select=on_select, beside=beside)
    if cell is not None and drawn_with is None:
        _images(comparison, cell)


def _networks_to_subtract(comparison: Comparison) -> tuple[str, str]:
    runs = list(comparison.all_runs)
    if len(runs) < 2:
        return runs[0], runs[0]
    left, right = st.columns(2)
    with left:
        first = links.first_choice(st.selectbox, "Network", comparison.names, key=comparison.key("minuend"))
    others = {m: comparison.names[m] for m in runs if m != first}
    with right:
        second = links.first_choice(st.selectbox, "minus", others, key=comparison.key("subtrahend"))
    return first, second


def _select_cell(comparison: Comparison) -> Cell | None:
    """The selected cell; None until both classes are selected."""
    of, left, right = st.columns(3)
    with of:
        model_id = links.first_choice(
            st.selectbox, "Images of a cell: network", comparison.names, key=comparison.key(OF)
        )
    classes = {name: name for name in comparison.labels.classes}
    unset: dict[str, Any] = {"default": None, "placeholder": "Click a cell or choose a class"}
    with left:
        true = links.choice(st.selectbox, "True class", classes, key=comparison.key(TRUE), **unset)
    with right:
        predicted = links.choice(st.selectbox, "Predicted class", classes, key=comparison.key(PREDICTED), **unset)
    return Cell(model_id, true, predicted) if true and predicted else None


def _on_click(comparison: Comparison, model_id: str) -> Callable[[], None]:
    def select() -> None:
        select_cell(st.session_state[figure_key(comparison, model_id)]["selection"]["points"], model_id, comparison)

    return select


def select_cell(points: Sequence[Mapping[str, Any]], model_id: str, comparison: Comparison) -> None:
    """Put a clicked cell into the select boxes. A click outside the cells changes nothing."""
    if points:
        true, predicted = points[0]["customdata"][:2]
        classes = comparison.labels.classes
        st.session_state[comparison.key(OF)] = model_id
        st.session_state[comparison.key(TRUE)] = classes[int(true)]
        st.session_state[comparison.key(PREDICTED)] = classes[int(predicted)]


def _images(comparison: Comparison, cell: Cell) -> None:
    predictions = comparison.error_table(cell.model_id)
    keep = image_table.select(predictions, {"true": cell.true, "predicted": cell.predicted}, mistakes=False)
    title = f"{cell.true} predicted as {cell.predicted}" if cell.true != cell.predicted else cell.true
    st.markdown(f"**{escaped(title)}**")
    image_list.draw(
        predictions,
        image_table.ordered(predictions, keep, "confidence"),
        comparison,
        key="cell",
        alt=f"Images of class {cell.true} that {comparison.names[cell.model_id]} predicts as {cell.predicted}",
        explained=cell.model_id,
        captions=False,
    )
