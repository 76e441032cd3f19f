"""Methods × networks: every chosen method's map of every network, small and side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.errors import ExplainError
from core.explain import Explanation, distinct_methods, method_named, saliency_methods
from core.inference import Predictor
from dashboard.analyze import computations, findings
from dashboard.analyze import saliency_options as questions
from dashboard.analyze.saliency_options import Question
from dashboard.analyze.selected_face import FaceInQuestion
from dashboard.plots import method_grid, saliency_pictures
from dashboard.ui import progress

AT_FIRST = ("gradcam", "gradcam++", "layercam", "eigencam", "guided_backprop")
COLORMAP = "viridis"
CELL_PX = 176
KEY = "grid"


@dataclass(frozen=True)
class Cell:
    """One map of the grid: several methods where they make the same one on this network."""

    network: Predictor
    methods: tuple[str, ...]
    piece: computations.Computation[tuple[Explanation, ...]]


def draw(face: FaceInQuestion) -> None:
    """The question without its method, the methods, and the grid as it fills."""
    question = questions.ask(face, with_method=False)
    known = saliency_methods()
    chosen = st.pills(
        "Methods",
        list(known),
        selection_mode="multi",
        default=list(AT_FIRST),
        format_func=titled,
        key="methods",
        bind="query-params",
        wrap=True,
    )
    if not chosen:
        st.info("Choose at least one method.", icon=":material/info:")
        return
    in_turn = [name for name in known if name in chosen]
    networks = _usable(face, question)
    if not networks:
        return
    rows = _rows(face, question, networks, in_turn)
    made = _fill(face, rows, _places(face, rows, networks))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.image(saliency_pictures.color_bar(COLORMAP), alt="Color bar from 0 to 1", width=200)
        st.caption("0, no evidence → 1, most. Every map is on its own scale.")
    _notes(question, rows, networks)
    _downloads(face, question, rows, made)


def titled(name: str) -> str:
    """A method as it is offered."""
    method = method_named(name)
    return method.title + (" (slow)" if method.slow else "")


def _usable(face: FaceInQuestion, question: Question) -> list[Predictor]:
    """The networks that have the classes and the stage; each other one is named in a sentence."""
    usable = []
    for network in face.networks:
        try:
            question.target_of(network)
            if question.stage_of(network) not in network.network.stages:
                raise ExplainError(
                    f"this network has no {question.stage_of(network)}; it has {', '.join(network.network.stages)}"
                )
        except ExplainError as error:
            st.info(f"{face.names[network.model_id]} is left out: {error}.", icon=":material/info:")
        else:
            usable.append(network)
    return usable


def _rows(
    face: FaceInQuestion, question: Question, networks: Sequence[Predictor], chosen: Sequence[str]
) -> dict[tuple[str, ...], list[Cell]]:
    """One row for each map that differs on at least one network; methods that coincide on all share a row."""
    groups = {n.model_id: distinct_methods(chosen, n.network, question.stage_of(n)) for n in networks}
    everywhere = set.intersection(*(set(of) for of in groups.values()))
    joined = {name: group for group in everywhere for name in group}
    rows: dict[tuple[str, ...], list[Cell]] = {}
    for name in chosen:
        row = joined.get(name, (name,))
        if row in rows:
            continue
        rows[row] = []
        for network in networks:
            group = next(g for g in groups[network.model_id] if name in g)
            stage = network.card.cam_layer if method_named(name).marks_pixels else question.stage_of(network)
            # The first of a group stands for all, so that its map is made once.
            piece = computations.explanations(
                face, network, method=group[0], stage=stage, classes=question.target_of(network)
            )
            rows[row].append(Cell(network, group, piece))
    return rows


def _places(
    face: FaceInQuestion, rows: dict[tuple[str, ...], list[Cell]], networks: Sequence[Predictor]
) -> dict[tuple[str, ...], list[DeltaGenerator]]:
    """The empty grid: names on top and at the left, a place for each map."""
    columns = len(networks) + 1
    places: dict[tuple[str, ...], list[DeltaGenerator]] = {}
    with (
        st.container(width=columns * CELL_PX),
        st.grid(columns, wrap=False, min_column_width=76, gap="xsmall", vertical_alignment="center"),
    ):
        st.caption("method")
        for network in networks:
            st.markdown(f"**{face.names[network.model_id]}**")
        for row in rows:
            st.markdown(method_grid.title(row))
            places[row] = [st.empty() for _ in networks]
    return places


def _fill(
    face: FaceInQuestion,
    rows: dict[tuple[str, ...], list[Cell]],
    places: dict[tuple[str, ...], list[DeltaGenerator]],
) -> dict[tuple[str, ...], dict[str, np.ndarray]]:
    """Draw what is kept, then make the rest: quick methods first, so that there is soon something to see."""
    cells = [(row, place, cell) for row in rows for place, cell in zip(places[row], rows[row], strict=True)]
    made: dict[tuple[str, ...], dict[str, np.ndarray]] = {row: {} for row in rows}
    waiting = []
    for row, place, cell in cells:
        if cell.piece.ready:
            _show(face, made[row], place, row, cell)
        else:
            waiting.append((row, place, cell))
    asked = tuple(cell.piece.key for _, _, cell in cells)
    if waiting and progress.stopped(KEY, asked):
        for _, place, _ in waiting:
            place.caption("stopped")
        progress.go_on(KEY, f"{len(cells) - len(waiting)} of {len(cells)} maps are made.")
        return made
    waiting.sort(key=lambda item: method_named(item[0][0]).slow)
    with progress.work(KEY, asked, len({cell.piece.key for _, _, cell in waiting})) as work:
        for row, place, cell in waiting:
            try:
                if not cell.piece.ready:  # methods that coincide wait for one and the same map
                    cell.piece.get(work.part(f"{method_named(row[0]).title} of {face.names[cell.network.model_id]}"))
            except ExplainError as error:
                place.caption(f"{str(error)[0].upper()}{str(error)[1:]}.")
            else:
                _show(face, made[row], place, row, cell)
    return made


def _show(
    face: FaceInQuestion, made: dict[str, np.ndarray], place: DeltaGenerator, row: tuple[str, ...], cell: Cell
) -> None:
    model_id = cell.network.model_id
    (explanation,) = cell.piece.get()
    picture = saliency_pictures.overlay_picture(
        face.found.inputs[model_id], explanation, opacity=0.6, colormap=COLORMAP, size_px=CELL_PX
    )
    name = face.names[model_id]
    made[name] = picture
    with place.container(gap=None):
        st.image(picture, alt=f"{method_named(row[0]).title} of {name}", width="stretch")
        tested = findings.chance_words(face, cell.network, explanation)
        if not explanation.has_evidence:
            st.caption("no evidence")
        elif cell.methods[0] != row[0]:
            same = f"same map as {method_named(cell.methods[0]).title}"
            st.caption(f"{same}, {tested}" if tested else same)
        elif tested:
            st.caption(tested)


def _notes(question: Question, rows: dict[tuple[str, ...], list[Cell]], networks: Sequence[Predictor]) -> None:
    stages = {n.card.title: question.stage_of(n) for n in networks}
    same = len(set(stages.values())) == 1
    where = next(iter(stages.values())) if same else ", ".join(f"{name} {stage}" for name, stage in stages.items())
    notes = [f"Evidence for {question.evidence}; {where}, pixel methods at the input."]
    if any(len(cell.methods) > 1 for cells in rows.values() for cell in cells):
        notes.append(f"{questions.COINCIDE} It is made and counted once.")
    shared = [method_named(row[0]).title for row in rows if not method_named(row[0]).class_specific]
    if shared:
        notes.append(f"{', '.join(shared)} makes one map for all classes.")
    st.caption(" ".join(notes))


def _downloads(
    face: FaceInQuestion,
    question: Question,
    rows: dict[tuple[str, ...], list[Cell]],
    made: dict[tuple[str, ...], dict[str, np.ndarray]],
) -> None:
    if not any(made.values()):
        return
    sheet = {method_grid.title(row, plain=True): pictures for row, pictures in made.items() if pictures}
    ready = [cell for cells in rows.values() for cell in cells if cell.piece.ready]
    explained = [replace(e, model_id=face.names[c.network.model_id]) for c in ready for e in c.piece.get()]
    notes = {
        (method_grid.title(row, plain=True), face.names[cell.network.model_id]): words
        for row, cells in rows.items()
        for cell in cells
        if cell.piece.ready and (words := findings.chance_words(face, cell.network, cell.piece.get()[0]))
    }
    title = f"Evidence for {question.evidence}, {face.stem}"
    with st.container(horizontal=True):
        st.download_button(
            "Grid (PNG)",
            lambda: method_grid.sheet(sheet, title, COLORMAP, notes),
            file_name=f"{face.stem}-{question.class_name}-methods.png",
            mime="image/png",
            icon=":material/image:",
            type="tertiary",
            on_click="ignore",
        )
        st.download_button(
            "Maps (CSV)",
            lambda: method_grid.numbers(explained).to_csv(index=False),
            file_name=f"{face.stem}-{question.class_name}-methods.csv",
            mime="text/csv",
            icon=":material/table:",
            type="tertiary",
            on_click="ignore",
        )
