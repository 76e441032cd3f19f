"""What would change the answer: sliders and a grid that hides parts; every network answers anew at once."""

from __future__ import annotations

import time

import numpy as np
import streamlit as st

from core.errors import NotFiniteError, PerturbationError
from core.inference import FaceAnalysis
from core.probes import OCCLUSION_PRESETS, PERTURBATION_SETTINGS, Perturbation, predict_perturbed
from dashboard.analyze import computations
from dashboard.analyze.selected_face import FaceInQuestion, not_finite
from dashboard.plots import charts, saliency_pictures
from dashboard.plots import perturbation as figures
from dashboard.plots.dumbbells import dumbbells

# What follows the answers takes every core for a while; a browser on the same machine would draw them only after it.
UNTIL_DRAWN_S = 0.08
CELL_CONFIG = {"displayModeBar": False, "scrollZoom": False}


# A fragment: a slider asks the networks again, and nothing else on the page.
@st.fragment
def draw(face: FaceInQuestion) -> None:
    """The changed face, the answers before and after, and one probability along one slider."""
    sliders = st.container()
    # What a slider says is known before it is drawn again; the answers need not wait for the browser to do that.
    known = all(name in st.session_state for name in (*PERTURBATION_SETTINGS, "mirrored"))
    if not known:
        with sliders:
            _sliders()
    settings = {
        name: round(st.session_state[name], 4) for name in PERTURBATION_SETTINGS
    }  # a slider's steps add up to 0.30000000000004
    settings["mirrored"] = st.session_state["mirrored"]
    left, right = st.columns([4, 8], gap="large")
    with left:
        hidden = _hidden(face)
        try:
            change = Perturbation(**settings, hidden=hidden)
        except PerturbationError as error:
            st.info(f"{str(error)[0].upper()}{str(error)[1:]}.", icon=":material/info:")
            _undo(face)
            change = None
        picture = st.container()
    if change is None:  # there is no such face, so there is nothing to see and no answer
        if known:
            with sliders:
                _sliders()
        return
    try:
        changed = predict_perturbed(face.networks, face.analysis, face.number, change)
    except NotFiniteError as error:
        right.info(not_finite(error.model_ids, face.names), icon=":material/info:")
        if known:
            with sliders:
                _sliders()
        return
    # The answers go first: what is sent after them may take its time.
    with right:
        _answers(face, changed, change)
    if known:
        with sliders:
            _sliders()
    if not change.is_identity:
        time.sleep(UNTIL_DRAWN_S)
    with picture:
        _grid(face, changed)
    with right:
        _curve(face, change)


def _sliders() -> None:
    with st.grid("auto", min_column_width=165, gap="small"):
        for name, knob in PERTURBATION_SETTINGS.items():
            st.slider(
                knob.title, knob.low, knob.high, knob.identity, knob.step, key=name, bind="query-params", help=knob.unit
            )
        st.toggle("Mirrored", key="mirrored", bind="query-params")


def _hidden(face: FaceInQuestion) -> frozenset[tuple[int, int]]:
    """The cells of the chosen parts, and those clicked, which turn a cell round."""
    parts = st.pills(
        "Hide", list(OCCLUSION_PRESETS), selection_mode="multi", key="hidden_parts", bind="query-params", wrap=True
    )
    cells = frozenset[tuple[int, int]]().union(*(OCCLUSION_PRESETS[p] for p in parts or ()))
    clicked: frozenset[tuple[int, int]] = st.session_state.get(f"cells-{face.key}", frozenset())
    return cells ^ clicked


def _grid(face: FaceInQuestion, changed: FaceAnalysis) -> None:
    seen = changed.inputs[face.networks[0].model_id]
    clicks = st.session_state.setdefault(f"clicks-{face.key}", 0)
    chart = f"grid-{face.key}-{clicks}"  # a fresh chart after each click, with nothing selected
    st.plotly_chart(
        figures.grid(saliency_pictures.enlarged(seen), face.inks),
        key=chart,
        on_select=lambda: _turn_round(face.key, chart),
        selection_mode="points",
        width="content",
        config=CELL_CONFIG,
        alt="The changed face as the networks see it, under a grid of 6 by 6 cells to hide parts of it",
    )
    st.caption(f"What the networks now see, {seen.shape[1]} × {seen.shape[0]} px. Click a cell to hide or show it.")
    _undo(face)


def _undo(face: FaceInQuestion) -> None:
    st.button("Undo all changes", icon=":material/restart_alt:", on_click=_reset, args=(face.key,))


def _turn_round(key: str, chart: str) -> None:
    """Hide the clicked cell, or show it again."""
    points = st.session_state[chart].selection.points
    if points:
        cells = frozenset(tuple(int(v) for v in point["customdata"]) for point in points)
        st.session_state[f"cells-{key}"] = st.session_state.get(f"cells-{key}", frozenset()) ^ cells
        st.session_state[f"clicks-{key}"] += 1


def _reset(key: str) -> None:
    for name, knob in PERTURBATION_SETTINGS.items():
        st.session_state[name] = knob.identity
    st.session_state["mirrored"] = False
    st.session_state["hidden_parts"] = []
    st.session_state[f"cells-{key}"] = frozenset()
    st.session_state[f"clicks-{key}"] = st.session_state.get(f"clicks-{key}", 0) + 1


def _answers(face: FaceInQuestion, changed: FaceAnalysis, change: Perturbation) -> None:
    silent = [n.model_id for n in face.networks if n.model_id not in changed.predictions]
    if silent:
        st.info(not_finite(silent, face.names), icon=":material/info:")
    before, after = face.found.verdict, changed.verdict
    kept = before.expression == after.expression
    said = f"{after.expression}, {after.probabilities[after.top]:.3f}"
    now = "Nothing is changed" if change.is_identity else "The answer stays" if kept else "The answer becomes"
    was = "" if change.is_identity else f" · unchanged {before.expression}, {before.probabilities[before.top]:.3f}"
    st.markdown(f"**{now}: {said}**{was}")
    with st.container(key="what-if-answers"):
        st.html(
            dumbbells(
                charts.with_ensemble(face.found.groups[0]),
                charts.with_ensemble(changed.groups[0]),
                face.forms,
                face.names,
                face.inks,
                alt=f"Probability of each expression before and after the change; now highest {after.expression}",
            )
        )
    moved = "" if change.is_identity else f" Largest move: {_largest_move(face, changed)}."
    st.caption(f"Hollow: the unchanged face. Filled: the changed one.{moved}")
    st.download_button(
        "Answers (CSV)",
        lambda: figures.answers(
            charts.with_ensemble(face.found.groups[0]), charts.with_ensemble(changed.groups[0]), face.names
        ).to_csv(index=False),
        file_name=f"{face.stem}-what-if.csv",
        mime="text/csv",
        icon=":material/table:",
        type="tertiary",
        on_click="ignore",
    )


def _largest_move(face: FaceInQuestion, changed: FaceAnalysis) -> str:
    moves = []
    for model_id, after in changed.predictions.items():
        by = after.probabilities - face.found.predictions[model_id].probabilities
        k = int(np.abs(by).argmax())
        moves.append((abs(by[k]), f"{after.labels.classes[k]} {by[k]:+.3f}, {face.names[model_id]}"))
    return max(moves)[1]


def _curve(face: FaceInQuestion, change: Perturbation) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        knob = st.selectbox(
            "Along",
            list(PERTURBATION_SETTINGS),
            format_func=lambda name: PERTURBATION_SETTINGS[name].title,
            key="along",
            bind="query-params",
            width=170,
        )
        classes = face.found.verdict.labels.classes
        class_name = st.selectbox(
            "probability of", classes, index=face.found.verdict.top, key=f"along-{face.key}", width=170
        )
    sweeps = {}
    for network in face.networks:
        # Looking at the session lets a newer slider position end this run before the next network is asked.
        st.session_state.get("along")
        try:
            sweeps[network.model_id] = computations.sweep(face, network, change, knob)
        except NotFiniteError as error:
            st.info(not_finite(error.model_ids, face.names), icon=":material/info:")
    if not sweeps:
        return
    st.plotly_chart(
        figures.along(sweeps, class_name, getattr(change, knob), face.forms, face.names, face.inks),
        key="what-if-curve",
        config=charts.CONFIG,
        alt=f"Probability of {class_name} along {PERTURBATION_SETTINGS[knob].title.lower()}, one line a network",
    )
    st.caption("All other changes stay as they are set. The upright line stands where the slider does.")
    st.download_button(
        "Curve (CSV)",
        lambda: figures.numbers(sweeps, face.names).to_csv(index=False),
        file_name=f"{face.stem}-{knob}.csv",
        mime="text/csv",
        icon=":material/table:",
        on_click="ignore",
    )
