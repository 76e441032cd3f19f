"""Saliency methods side by side: the map of every chosen method for every network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from core.errors import ExplainError
from core.explain import Explanation, distinct_methods, method_named, saliency_methods
from core.inference import Predictor
from dashboard.analyze import computations, maps
from dashboard.analyze.computations import Computation
from dashboard.analyze.map_options import MapOptions
from dashboard.analyze.selected_face import SelectedFace
from dashboard.plots import method_grid, saliency_pictures
from dashboard.section import Download, Note, Picture, Section, csv
from dashboard.ui import links, progress, sections

DEFAULT_METHODS = ("gradcam", "gradcam++", "layercam", "eigencam", "guided_backprop")
CELL_PX = 176
KEY = "methods-work"
SCALE = "0: no evidence, 1: maximum. Every map has its own scale."


@dataclass(frozen=True)
class Cell:
    """One map of the grid: of several methods if they give the same one on this network."""

    network: Predictor
    methods: tuple[str, ...]
    result: Computation[tuple[Explanation, ...]]
    index: int  # of the map in the result

    @property
    def explanation(self) -> Explanation:
        """The map; call only when the result is ready."""
        return self.result.get()[self.index]


Rows = Mapping[tuple[str, ...], Sequence[Cell]]  # by the methods of the row


def draw(face: SelectedFace, options: MapOptions) -> None:
    """The methods to compare, and their maps."""
    titles = {name: method_title(name) for name in saliency_methods()}
    chosen = links.choice(st.pills, "Methods", titles, key="methods", default=DEFAULT_METHODS, wrap=True)
    if not chosen:
        st.info("Choose at least one method.", icon=":material/info:")
        return
    networks, notes = _usable(face, options)
    rows = _rows(face, options, networks, [name for name in saliency_methods() if name in chosen])
    cells = [(row, cell) for row, of_row in rows.items() for cell in of_row]
    # Quick methods first, so that an interrupted grid has most of its maps.
    cells.sort(key=lambda item: method_named(item[0][0]).slow)
    steps = [
        progress.Step(f"{method_named(row[0]).title} of {face.names[cell.network.model_id]}", cell.result)
        for row, cell in cells
    ]
    notes += [Note(problem) for problem in progress.run(KEY, steps)]
    sections.draw_notes(notes)
    with st.grid("auto", min_column_width=min(CELL_PX * max(len(networks), 1), 460), gap="large") as grid:
        for section in _row_sections(face, options, rows):
            with grid.cell():
                sections.draw([section])
    sections.draw(
        [
            Section(
                color_scale=saliency_pictures.color_scale(options.colormap, SCALE),
                caption=_caption(face, options, rows),
                downloads=_downloads(face, options, rows),
            )
        ]
    )


def method_title(name: str) -> str:
    """The title of a method in the control."""
    method = method_named(name)
    return method.title + (" (slow)" if method.slow else "")


def _usable(face: SelectedFace, options: MapOptions) -> tuple[list[Predictor], list[Note]]:
    """The networks that have the classes and the stage, and a note for each other one."""
    usable, notes = [], []
    for network in face.networks:
        try:
            options.target_of(network)
            options.stage_of(network)
        except ExplainError as error:
            notes.append(Note(f"{face.names[network.model_id]} is left out: {error}."))
        else:
            usable.append(network)
    return usable, notes


def _rows(face: SelectedFace, options: MapOptions, networks: Sequence[Predictor], chosen: Sequence[str]) -> Rows:
    """One row for each map that differs on at least one network; methods that coincide on all networks share a row."""
    groups = {n.model_id: distinct_methods(chosen, n.network, options.stage_of(n)) for n in networks}
    everywhere = set.intersection(*(set(of) for of in groups.values())) if groups else set()
    joined = {name: group for group in everywhere for name in group}
    rows: dict[tuple[str, ...], list[Cell]] = {}
    for name in chosen:
        row = joined.get(name, (name,))
        if row in rows:
            continue
        rows[row] = []
        for network in networks:
            group = next(g for g in groups[network.model_id] if name in g)
            stage = network.card.cam_layer if method_named(name).marks_pixels else options.stage_of(network)
            # The first method of a group stands for all of them, so that its map is computed once.
            target = options.target_of(network)
            found = computations.target_explanation(face, network, method=group[0], stage=stage, target=target)
            rows[row].append(Cell(network, group, *found))
    return rows


def _row_sections(face: SelectedFace, options: MapOptions, rows: Rows) -> list[Section]:
    return [
        Section(
            method_grid.title(row),
            pictures=tuple(_picture(face, options, row, cell) for cell in cells if cell.result.ready),
            text=() if any(cell.result.ready for cell in cells) else ("This method has not been computed.",),
        )
        for row, cells in rows.items()
    ]


def _picture(face: SelectedFace, options: MapOptions, row: tuple[str, ...], cell: Cell) -> Picture:
    name, explanation = face.names[cell.network.model_id], cell.explanation
    words = [name]
    if not explanation.has_evidence:
        words.append("no evidence")
    elif cell.methods[0] != row[0]:
        words.append(f"same map as {method_named(cell.methods[0]).title}")
    words.append(maps.chance_text(face, cell.network, explanation))
    return Picture(
        maps.over_photo(face, cell.network, explanation, options),
        f"{method_named(row[0]).title} of {name} for {options.evidence}",
        caption=", ".join(word for word in words if word),
    )


def _caption(face: SelectedFace, options: MapOptions, rows: Rows) -> str:
    cells = [cell for of_row in rows.values() for cell in of_row]
    stages = {face.names[cell.network.model_id]: options.stage_of(cell.network) for cell in cells}
    if len(set(stages.values())) == 1:
        where = next(iter(stages.values()))
    else:
        where = ", ".join(f"{name} {stage}" for name, stage in stages.items())
    notes = [f"Evidence for {options.evidence}; {where}, pixel methods at the input."]
    coinciding = dict.fromkeys(face.names[cell.network.model_id] for cell in cells if len(cell.methods) > 1)
    if coinciding:
        notes.append(
            f"For {', '.join(coinciding)}, methods that differ only in how they pool gradients give the same map at "
            "this stage; the map is computed once."
        )
    shared = [method_named(row[0]).title for row in rows if not method_named(row[0]).class_specific]
    if shared:
        notes.append(f"{', '.join(shared)}: one map for all classes.")
    return " ".join(notes)


def _downloads(face: SelectedFace, options: MapOptions, rows: Rows) -> tuple[Download, ...]:
    ready = [(row, cell) for row, cells in rows.items() for cell in cells if cell.result.ready]
    if not ready:
        return ()

    def sheet() -> bytes:
        pictures: dict[str, dict[str, np.ndarray]] = {}
        words = {}
        for row, cell in ready:
            title, name, explanation = method_grid.title(row), face.names[cell.network.model_id], cell.explanation
            drawn = maps.over_photo(face, cell.network, explanation, options, size_px=CELL_PX)
            pictures.setdefault(title, {})[name] = drawn
            words[title, name] = maps.chance_text(face, cell.network, explanation)
        heading = f"Evidence for {options.evidence}, {face.title}"
        return method_grid.sheet(pictures, heading, options.colormap, {k: v for k, v in words.items() if v})

    def numbers() -> pd.DataFrame:
        classes = {network.model_id: network.card.labels.classes for network in face.networks}
        return method_grid.numbers([cell.explanation for _, cell in ready], classes, face.names)

    stem = f"{face.stem}-{options.class_name}-methods"
    return (
        Download("Maps of all methods (PNG)", f"{stem}.png", "image/png", sheet),
        csv("Maps of all methods (CSV)", f"{stem}.csv", numbers),
    )
