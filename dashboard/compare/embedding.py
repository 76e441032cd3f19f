"""The penultimate features of a network as a map of the images, on which images are selected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.errors import CheckpointError, DataError, EvaluationError
from core.evaluation.embedding import Embedding, pca_plane
from core.evaluation.tsne import PERPLEXITY, STAGE_ITERATIONS, STAGES, tsne_map
from dashboard import services
from dashboard.compare import image_list, image_table
from dashboard.compare.comparison import Comparison
from dashboard.plots import embedding as plots
from dashboard.plots.face_sheet import face_sheet
from dashboard.section import Figure, Note, Section, csv
from dashboard.style import Ink
from dashboard.ui import links, progress
from dashboard.ui import sections as ui
from dashboard.ui.face_hover import show_on_hover
from dashboard.ui.markdown import escaped


@dataclass(frozen=True, eq=False)
class Options:
    """The network (the first where empty), one of ``plots.COLORS``, the plane (n, 2) of t-SNE (None for PCA), one of
    ``plots.SHOWN``, the row numbers of the images that are selected when the map is first drawn, and how often the
    selection was cleared."""

    network: str = ""
    color: str = plots.TRUE
    tsne: np.ndarray | None = None
    shown: str = plots.SOME
    preselected: tuple[int, ...] = ()
    cleared: int = 0


@dataclass
class Selection:
    """The images that are selected on a map, as row numbers.

    Streamlit drops a selection when anything in the figure changes, such as its colors. Therefore the selected images
    are stored. When the colors or the theme change, or the map is shown again, the figure is created with these images
    already selected (``preselected``).
    """

    look: tuple[str, Ink]
    images: tuple[int, ...] = ()
    preselected: tuple[int, ...] = ()
    # The number of times the selection was cleared. It is part of the figure's key, because a figure with a new key has
    # no selection.
    cleared: int = 0

    def clear(self) -> None:
        """Select nothing."""
        self.images, self.preselected, self.cleared = (), (), self.cleared + 1


def sections(comparison: Comparison, options: Options = Options()) -> list[Section]:
    """The map of one network."""
    model_id = options.network or next(iter(comparison.runs))
    name = comparison.names[model_id]
    try:
        whole = services.embedding(comparison.checkpoints[model_id], comparison.split)
        mapped = whole.sample()
        plane = pca_plane(mapped) if options.tsne is None else options.tsne
        table = plots.points(mapped, plane, comparison.runs[model_id])
    except CheckpointError as error:
        return [Section(notes=(Note(error.sentence),), caption=comparison.protocol)]
    except EvaluationError as error:
        return [Section(notes=(Note(error.sentence, is_warning=True),), caption=comparison.protocol)]
    layout = plots.PCA if options.tsne is None else plots.TSNE
    axes = plots.component_axes(whole) if options.tsne is None else None
    drawn = table.iloc[plots.drawn(len(table), options.shown)]
    return [
        Section(
            figures=(
                Figure(
                    plots.scatter(drawn, comparison.inks, color=options.color, axes=axes, selected=options.preselected),
                    figure_key(comparison, model_id, layout, options.shown, options.cleared),
                    f"{layout} map of the features of {name}, one point per image, colored by {options.color}",
                    selection=("points", "lasso", "box"),
                ),
            ),
            caption=f"{comparison.protocol} {_method(whole, len(drawn), layout)}",
            downloads=(
                csv(f"{layout} map of {name} (CSV)", comparison.file_name(f"embedding-{model_id}"), lambda: table),
            ),
        )
    ]


def figure_key(comparison: Comparison, model_id: str, layout: str, shown: str, cleared: int = 0) -> str:
    """The key of a map; each map has its own selection, because the points or their positions differ between maps."""
    part = "all" if shown == plots.ALL else "some"  # Streamlit would replace a comma in the key
    return comparison.key(f"embedding-{model_id}-{comparison.split}-{layout}-{part}-{cleared}")


def _method(whole: Embedding, drawn: int, layout: str) -> str:
    components = f"the first {len(whole.explained)} principal components of {whole.features:,} penultimate features"
    part = "" if drawn == len(whole) else f"{drawn:,} of {len(whole):,} images are drawn, at random with a fixed seed. "
    if layout == plots.PCA:
        return f"{part}The first two of {components}."
    settings = f"perplexity {PERPLEXITY:g}, {STAGES * STAGE_ITERATIONS:,} iterations, fixed seed"
    return (
        f"{part}t-SNE ({settings}) of {components}, which explain {100 * whole.explained.sum():.1f} % of the variance. "
        "Neighborhoods are meaningful; the axes and the distances between groups are not."
    )


def draw(comparison: Comparison) -> None:
    """The map of one network, and beside it the images that a click, a lasso or a box selects."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        single = {m: comparison.names[m] for m in comparison.runs}
        model_id = links.first_choice(
            st.selectbox, "Features of", single, key=comparison.key("embedding_of"), width=240
        )
        layout = links.first_choice(st.segmented_control, "Map", plots.LAYOUTS, key=comparison.key("layout"))
        color = links.first_choice(st.segmented_control, "Color", plots.COLORS, key=comparison.key("colored_by"))
        shown = plots.SOME
        if len(comparison.runs[model_id]) > plots.FEW:
            shown = links.first_choice(st.segmented_control, "Images drawn", plots.SHOWN, key=comparison.key("points"))
    plane = _tsne(comparison, model_id) if layout == plots.TSNE else None
    of_map = (comparison, model_id, plots.PCA if plane is None else plots.TSNE, shown)
    look = (color, comparison.inks)
    selection = st.session_state.setdefault("selections", {}).setdefault(figure_key(*of_map), Selection(look))
    key = figure_key(*of_map, selection.cleared)
    if selection.look != look or key not in st.session_state:  # the map was not on the screen before this run
        selection.look, selection.preselected = look, selection.images
    found = sections(comparison, Options(model_id, color, plane, shown, selection.preselected, selection.cleared))
    ui.draw(
        found,
        on_select={key: partial(_select, key, selection)},
        beside={key: lambda: _selected(comparison, model_id, key, shown, selection)},
    )


def _select(key: str, selection: Selection) -> None:
    selection.images = selected_images(st.session_state[key]["selection"]["points"])


def _selected(comparison: Comparison, model_id: str, key: str, shown: str, selection: Selection) -> None:
    st.markdown("**Selected images**")
    chosen = selection.images
    if chosen:
        st.button(
            "Clear the selection",
            key=comparison.key("clear-selection"),
            icon=":material/deselect:",
            on_click=selection.clear,
        )
        _images(comparison, model_id, chosen)
    else:
        st.caption(
            "Click a point to see its face here. To select several points, choose the lasso or the box in the "
            "figure's toolbar. Choose *Pan* to select single points again. Double-click to clear the selection."
        )
    try:
        _show_faces_on_hover(comparison, model_id, key, shown)
    except DataError as error:
        if not chosen:  # otherwise the list of images has the reason
            st.caption(f":material/image_not_supported: The map shows no faces. {escaped(error.sentence)}")


def _show_faces_on_hover(comparison: Comparison, model_id: str, key: str, shown: str) -> None:
    """Show the face of the point under the pointer. Raises DataError if the data set is not on this machine."""
    card = comparison.card_of(model_id)
    rows = services.embedding(comparison.checkpoints[model_id], comparison.split).sample().image_ids
    rows = rows[plots.drawn(len(rows), shown)]
    samples = services.images(card, rows)
    positions = np.searchsorted(samples.ids, rows)
    sheet = services.results().get(
        ("face sheet", card.data.fingerprint, comparison.split, len(rows)),
        lambda: face_sheet([samples.images[p] for p in positions]),
    )
    show_on_hover(key, rows, sheet)


def selected_images(points: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
    """The row numbers of the images behind selected points; points of the legend have none."""
    return tuple(sorted({int(p["customdata"][0]) for p in points if p.get("customdata")}))


def _images(comparison: Comparison, model_id: str, chosen: Sequence[int]) -> None:
    predictions = comparison.error_table(model_id)
    listed = image_table.ordered(predictions, predictions["image_id"].isin(list(chosen)).to_numpy(), "confidence")
    st.caption(_summary(predictions.iloc[listed]))
    image_list.draw(
        predictions,
        listed,
        comparison,
        key="embedded",
        alt=f"Images selected on the map of {comparison.names[model_id]}",
        explained=model_id,
    )


def _summary(found: pd.DataFrame) -> str:
    if len(found) == 1:
        (image,) = found.itertuples()
        return f"1 image: true class {image.true}, predicted {image.predicted}."
    wrong = int((~found["correct"]).sum())
    counts = found["true"].value_counts()
    most = ", ".join(f"{name} {n:,}" for name, n in counts[counts > 0].items())
    return f"{len(found):,} images, {wrong:,} predicted wrongly. True classes: {most}."


def _tsne(comparison: Comparison, model_id: str) -> np.ndarray | None:
    """The stored map, or a new one with its progress and a way to stop; None where there is no embedding."""
    try:
        embedding = services.embedding(comparison.checkpoints[model_id], comparison.split)
        stored = services.tsne(comparison.checkpoints[model_id], comparison.split)
    except CheckpointError:
        return None  # the section has the reason
    if stored is not None:
        return stored.plane
    key = ("tsne", embedding.model_id, embedding.weights_sha256, embedding.split, len(embedding))
    results = services.results()
    if key in results:
        return results.get(key, lambda: tsne_map(embedding)).plane
    show_pca = partial(st.session_state.update, {comparison.key("layout"): plots.PCA})
    with progress.work(comparison.key("tsne"), key, 1, on_stop=show_pca, patience_s=0) as shown:
        show = shown.part(f"t-SNE of {comparison.names[model_id]}, {len(embedding):,} images", "stages")
        return results.get(key, lambda: tsne_map(embedding, show)).plane
