"""What would change the prediction: sliders and a grid that hides parts of the face; all networks predict it again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from core.errors import NotFiniteError, PerturbationError
from core.inference import FaceAnalysis
from core.probes import OCCLUSION_GRID, OCCLUSION_PRESETS, PERTURBATION_SETTINGS, Perturbation, Sweep, predict_perturbed
from dashboard.analyze import computations
from dashboard.analyze.map_options import MapOptions
from dashboard.analyze.selected_face import SelectedFace, not_finite
from dashboard.plots import perturbation as plots
from dashboard.plots import saliency_pictures
from dashboard.plots.dumbbells import dumbbells
from dashboard.section import Figure, Section, csv, with_minus_signs
from dashboard.ui import busy, link_page, links, sections
from dashboard.ui.markdown import escaped

# Later steps use every core for a while; a browser on the same machine would draw the predictions only after them.
UNTIL_DRAWN_S = 0.08
# The cells of the grid by their names in a link, row-column, counted from 1.
CELLS = {f"{row + 1}-{column + 1}": (row, column) for row in range(OCCLUSION_GRID) for column in range(OCCLUSION_GRID)}
CELL_CONFIG = {"displayModeBar": False, "scrollZoom": False}


# A fragment: a slider reruns the networks, and nothing else on the page.
@st.fragment
def draw(face: SelectedFace, _options: MapOptions) -> None:
    """The changed face, the predictions before and after, and one probability as one setting varies."""
    place = st.container()
    # The values of known sliders are in the session, so the predictions need not wait until the sliders are drawn.
    known = all(name in st.session_state for name in (*PERTURBATION_SETTINGS, "mirrored"))
    if not known:
        with place:
            _draw_sliders()
    with busy.answered("what-if"):
        _draw_result(face)
    if known:
        with place:
            _draw_sliders()


def _draw_result(face: SelectedFace) -> None:
    settings: dict[str, Any] = {name: round(st.session_state[name], 4) for name in PERTURBATION_SETTINGS}
    left, right = st.columns([4, 8], gap="large")
    with left:
        try:
            change = Perturbation(**settings, mirrored=st.session_state["mirrored"], hidden=_hidden_cells())
        except PerturbationError as error:
            st.info(error.sentence, icon=":material/info:")
            _undo_button(face)
            return
        picture = st.container()
    try:
        changed = predict_perturbed(face.networks, face.analysis, face.number, change)
    except NotFiniteError as error:
        right.info(not_finite(error.model_ids, face.names), icon=":material/info:")
        return
    # The predictions come first, because everything sent after them is less urgent.
    with right:
        _draw_predictions(face, changed, change)
    if not change.is_identity:
        time.sleep(UNTIL_DRAWN_S)
    with picture:
        _draw_grid(face, changed)
    with right:
        _draw_response(face, change)


def _draw_sliders() -> None:
    with link_page.messages_in(st.container()), st.grid("auto", min_column_width=165, gap="small"):
        for name, setting in PERTURBATION_SETTINGS.items():
            links.slider(
                f"{setting.title} ({setting.short_unit})",
                setting.low,
                setting.high,
                setting.identity,
                setting.step,
                key=name,
                help=f"{setting.unit.capitalize()}.",
            )
        links.toggle("Mirrored", key="mirrored")


def _hidden_cells() -> frozenset[tuple[int, int]]:
    """The cells that are hidden: those of the chosen parts, where each clicked cell is inverted."""
    names = {name: name for name in OCCLUSION_PRESETS}
    parts = links.choice(st.pills, "Hide", names, key="hidden_parts", default=(), wrap=True)
    cells = frozenset[tuple[int, int]]().union(*(OCCLUSION_PRESETS[part] for part in parts or ()))
    return cells ^ {CELLS[name] for name in _clicked_cells()}


def _clicked_cells() -> list[str]:
    return links.chosen_several(links.CLICKED_CELLS, list(CELLS), title="Hide")


def _draw_grid(face: SelectedFace, changed: FaceAnalysis) -> None:
    title, seen = face.inputs(changed)[0]
    clicks = st.session_state.setdefault(f"clicks-{face.key}", 0)
    chart = f"grid-{face.key}-{clicks}"  # a new chart after each click, with nothing selected
    st.plotly_chart(
        plots.grid(saliency_pictures.enlarged(seen), face.inks),
        key=chart,
        on_select=partial(_invert_cell, face.key, chart),  # a closure would hold the face
        selection_mode="points",
        width="content",
        config=CELL_CONFIG,
        alt=f"{title}, the changed face, under a grid of 6 × 6 cells that can be hidden",
    )
    st.caption(f"{escaped(title)}, {seen.shape[1]} × {seen.shape[0]} px. Click a cell to hide or show it.")
    _undo_button(face)


def _undo_button(face: SelectedFace) -> None:
    st.button("Undo all changes", icon=":material/restart_alt:", on_click=_reset, args=(face.key,))


def _invert_cell(key: str, chart: str) -> None:
    """Hide the clicked cell, or show it again."""
    points = st.session_state[chart].selection.points
    if points:
        cells = {tuple(int(v) for v in point["customdata"]) for point in points}
        inverted = {name for name, cell in CELLS.items() if cell in cells} ^ set(_clicked_cells())
        links.choose(links.CLICKED_CELLS, " ".join(sorted(inverted)) or None)
        st.session_state[f"clicks-{key}"] += 1


def _reset(key: str) -> None:
    for name, setting in PERTURBATION_SETTINGS.items():
        st.session_state[name] = setting.identity
    st.session_state["mirrored"] = False
    st.session_state["hidden_parts"] = []
    links.choose(links.CLICKED_CELLS, None)
    st.session_state[f"clicks-{key}"] = st.session_state.get(f"clicks-{key}", 0) + 1


def _draw_predictions(face: SelectedFace, changed: FaceAnalysis, change: Perturbation) -> None:
    missing = [n.model_id for n in face.networks if n.model_id not in changed.predictions]
    if missing:
        st.info(not_finite(missing, face.names), icon=":material/info:")
    for number, group in enumerate(changed.groups):
        before = next(g for g in face.found.groups if g.labels.same_classes(group.labels))
        verdict = group.verdict
        if title := face.group_title(before):
            st.markdown(f"**{title}**")
        st.markdown(_comparison(before.verdict, verdict, change))
        with st.container(key=f"what-if-predictions-{number}"):
            st.html(
                dumbbells(
                    before,
                    group,
                    face.styles,
                    face.names,
                    face.inks,
                    alt=f"Probability of each expression before and after the change; now highest {verdict.expression}",
                )
            )
    largest = "" if change.is_identity else f" Largest change: {_largest_change(face, changed)}."
    st.caption(f"Hollow: the unchanged face. Filled: the changed face. One view per face.{largest}")
    before_all = face.found.predictions
    table = csv(
        "Predictions before and after (CSV)",
        f"{face.stem}-what-if.csv",
        lambda: plots.predictions_table(before_all, changed.predictions, face.names),
    )
    sections.draw_downloads([table])


def _comparison(before: Any, after: Any, change: Perturbation) -> str:
    now = f"{after.expression}, {after.confidence:.3f}"
    if change.is_identity:
        return f"**No change: {now}**"
    if before.expression == after.expression:
        return f"**Same prediction: {now}** · unchanged face {before.confidence:.3f}"
    return f"**New prediction: {now}** · unchanged face {before.expression}, {before.confidence:.3f}"


def _largest_change(face: SelectedFace, changed: FaceAnalysis) -> str:
    changes = []
    for model_id, after in changed.predictions.items():
        by = after.probabilities - face.found.predictions[model_id].probabilities
        k = int(np.abs(by).argmax())
        changes.append(
            (abs(by[k]), with_minus_signs(f"{after.labels.classes[k]} {by[k]:+.3f}, {face.names[model_id]}"))
        )
    return max(changes)[1]


def _draw_response(face: SelectedFace, change: Perturbation) -> None:
    titles = {name: setting.title for name, setting in PERTURBATION_SETTINGS.items()}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        setting = links.first_choice(st.selectbox, "Vary", titles, key="vary", width=170)
        class_name = links.dependent_choice(
            st.selectbox,
            "Class",
            face.classes,
            name=links.VARIED_CLASS,
            default=face.found.verdict.expression,
            key=f"vary-{face.key}-{face.found.verdict.expression}",
            width=170,
        )
    sweeps: dict[str, Sweep] = {}
    for network in face.networks:
        # Reading the session lets a newer slider position end this run before the next network predicts.
        st.session_state.get("vary")
        if class_name not in network.card.labels.classes:
            continue
        try:
            sweeps[network.model_id] = computations.sweep(face, network, change, setting).get()
        except NotFiniteError as error:
            st.info(not_finite(error.model_ids, face.names), icon=":material/info:")
    if sweeps:
        sections.draw([_response_section(face, sweeps, class_name, setting, getattr(change, setting))])


def _response_section(
    face: SelectedFace, sweeps: Mapping[str, Sweep], class_name: str, setting: str, current: float
) -> Section:
    title = PERTURBATION_SETTINGS[setting].title_in_text
    figure = Figure(
        plots.response_curve(sweeps, class_name, current, face.styles, face.names, face.inks),
        "what-if-response",
        f"Probability of {class_name} by {title}, one line per network",
    )
    return Section(
        figures=(figure,),
        caption="All other settings keep their current values. The vertical line marks the current value.",
        downloads=(
            csv(
                f"Probabilities by {title} (CSV)",
                f"{face.stem}-{setting}.csv",
                lambda: plots.response_table(sweeps, face.names),
            ),
        ),
    )
