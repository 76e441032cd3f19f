"""Accuracy by brightness, contrast, sharpness, annotator agreement, and copies in the training data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.errors import DataError
from core.evaluation import Slice, annotator_agreement, bin_columns, slice_report
from dashboard import services
from dashboard.compare import image_list, image_table
from dashboard.compare.comparison import Comparison, image_facts
from dashboard.plots import slices as plots
from dashboard.section import Figure, Note, Section, Table, csv
from dashboard.ui import links
from dashboard.ui import sections as ui

NUMBERS = ("brightness", "contrast", "sharpness")
NO_SLICES = Note("All images have the same values in these columns, so there are no slices to compare.")
Reports = Mapping[str, Sequence[Slice]]


@dataclass(frozen=True)
class Options:
    """The networks whose slices are tested, and the properties by which all networks are drawn; empty for all."""

    networks: Sequence[str] = ()
    properties: Sequence[str] = ()


def sections(comparison: Comparison, options: Options = Options()) -> list[Section]:
    """The slices of each network against the rest, and all networks by each property."""
    reports, properties, notes = slice_reports(comparison)
    if not any(reports.values()):
        return [Section(notes=(*notes, NO_SLICES), caption=comparison.protocol)]
    return [
        Section(notes=tuple(notes)),
        *(_of_network(comparison, m, reports) for m in options.networks or reports),
        _by_property(comparison, reports, options.properties or properties),
    ]


def slice_reports(comparison: Comparison) -> tuple[dict[str, tuple[Slice, ...]], list[str], list[Note]]:
    """The slices of every network, the properties by which images are sliced, and notes on what is missing."""

    def compute() -> tuple[dict[str, tuple[Slice, ...]], list[str], list[Note]]:
        columns, notes = slice_columns(comparison)
        parts = bin_columns(columns)
        reports = {m: slice_report(run, parts) for m, run in comparison.all_runs.items()}
        return reports, list(dict.fromkeys(p.column for p in parts if p.values)), notes

    facts, missing = image_facts(comparison)
    # Everything that the columns are computed from.
    key = ("slices", *comparison.all_runs.values(), facts, *missing, comparison.data.split_name("train"))
    return services.results().get(key, compute)


def slice_columns(comparison: Comparison) -> tuple[dict[str, np.ndarray], list[Note]]:
    """Properties of the N images of a comparison, each (N,)."""
    run = next(iter(comparison.runs.values()))
    columns: dict[str, np.ndarray] = {}
    facts, notes = image_facts(comparison)
    if facts is not None:
        try:
            facts = facts.at(run.image_ids)
            columns = {name: getattr(facts, name) for name in NUMBERS}
        except DataError as error:
            notes.append(Note(f"Brightness, contrast and sharpness are not known. {error.sentence}", is_warning=True))
            facts = None
    if facts is not None and facts.votes is not None:
        columns["agreement"] = annotator_agreement(facts.votes).round(6)
    elif facts is not None:
        notes.append(Note(f"{facts.name} has no FER+ votes, so there are no slices by annotator agreement."))
    training = comparison.data.split_name("train")
    copies = run.copy_in_train if run.copy_in_train is not None or facts is None else facts.copy_in_train
    if copies is None:
        notes.append(Note(f"It is not known which images have a copy in {training}."))
    else:
        columns[f"copy in {training}"] = copies
    return columns, notes


def _of_network(comparison: Comparison, model_id: str, reports: Reports) -> Section:
    report, name = reports[model_id], comparison.names[model_id]
    return Section(
        title=name,
        text=tuple(plots.worse_in_words(report)) or (plots.NONE_WORSE,),
        figures=(
            Figure(
                plots.differences(report, comparison.inks),
                comparison.key(f"slices-{model_id}"),
                f"Accuracy of {name} on each slice minus its accuracy on the rest, with 95 % intervals",
            ),
        ),
        caption=f"{comparison.protocol} {plots.HOW}",
        downloads=(
            csv(
                f"Slices of {name} (CSV)",
                comparison.file_name(f"slices-{model_id}"),
                lambda: plots.numbers({model_id: report}),
            ),
        ),
    )


def _by_property(comparison: Comparison, reports: Reports, properties: Sequence[str]) -> Section:
    return Section(
        title="All networks by property",
        figures=tuple(
            Figure(
                plots.by_property(reports, column, comparison.styles, comparison.names, comparison.inks),
                comparison.key(f"slices-by-{column}"),
                f"Accuracy by {column} and network",
            )
            for column in properties
        ),
        caption=f"{comparison.protocol} Error bars: 95 % (Wilson). A part without images has no accuracy.",
        downloads=(
            csv("Slices of all networks (CSV)", comparison.file_name("slices"), lambda: plots.numbers(reports)),
        ),
    )


def draw(comparison: Comparison) -> None:
    """The slices of one network, all networks by one property, and the mistakes in a slice."""
    reports, properties, notes = slice_reports(comparison)
    ui.draw_notes(notes)
    if not any(reports.values()):
        ui.draw([Section(notes=(NO_SLICES,), caption=comparison.protocol)])
        return
    names = {m: comparison.names[m] for m in reports}
    model_id = links.first_choice(st.selectbox, "Predictions of", names, key=comparison.key("slices_of"))
    report = reports[model_id]
    ui.draw([_of_network(comparison, model_id, reports)])
    ui.draw(
        [Section(title="Table of all slices", table=Table(plots.table(report), "Slices with their tests"), folded=True)]
    )
    column = links.first_choice(st.segmented_control, "Property", properties, key=comparison.key("property"))
    ui.draw([_by_property(comparison, reports, [column])])
    _images(comparison, model_id, report)


def _images(comparison: Comparison, model_id: str, report: Sequence[Slice]) -> None:
    by_title = {plots.title(s): s for s in report}
    chosen = links.choice(
        st.selectbox,
        "Mistakes in a slice",
        {title: title for title in by_title},
        key=comparison.key("slice"),
        default=None,
        placeholder="Select a slice",
    )
    if chosen is None:
        return
    predictions = comparison.error_table(model_id)
    keep = image_table.select(predictions) & predictions["image_id"].isin(by_title[chosen].image_ids).to_numpy()
    image_list.draw(
        predictions,
        image_table.ordered(predictions, keep, "confidence"),
        comparison,
        key="slice_images",
        alt=f"Mistakes of {comparison.names[model_id]} where {chosen}",
        explained=model_id,
    )
