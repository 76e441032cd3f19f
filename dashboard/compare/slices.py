"""Where each network fails: accuracy by brightness, contrast, sharpness, disputed faces, and copies in Training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from core.evaluation import EvaluationRun, Slice, bin_columns, slice_report
from dashboard import services
from dashboard.compare import blocks, findings, image_list
from dashboard.compare.comparison import Comparison
from dashboard.plots import errors as tables
from dashboard.plots import slices as figures


def draw(comparison: Comparison) -> None:
    """One network's slices, the measurably worse ones first; all networks along one property; a slice's images."""
    runs = blocks.comparable(comparison)
    columns, missing = findings.slice_columns(runs, blocks.image_facts(comparison))
    blocks.notes(missing)
    if not columns:
        st.info("There is no column to slice by.", icon=":material/info:")
        return
    parts = bin_columns(columns)
    reports = {m: slice_report(run, parts) for m, run in runs.items()}
    model_id = st.selectbox(
        "Answers of", list(runs), format_func=comparison.names.__getitem__, key="slices_of", bind="query-params"
    )
    report = reports[model_id]
    if not report:
        st.info("Every image is alike in these columns: there is no slice to compare.", icon=":material/info:")
        return
    _one_network(comparison, comparison.names[model_id], report, reports)
    _one_property(comparison, reports, list(dict.fromkeys(p.column for p in parts if p.values)))
    _images(comparison, runs, model_id, report)


def _one_network(
    comparison: Comparison, name: str, report: Sequence[Slice], reports: Mapping[str, Sequence[Slice]]
) -> None:
    worse = figures.worse_in_words(report)
    for sentence in worse:
        st.markdown(f":material/trending_down: {sentence}")
    if not worse:
        st.markdown(f":material/drag_handle: {name}: {figures.NONE_WORSE}")
    blocks.figure(
        figures.differences(report, comparison.inks),
        comparison,
        key="slices",
        alt=f"Accuracy of {name} on each slice minus its accuracy on the rest, with 95 % intervals",
        caption=f"{name}. {figures.HOW}",
        numbers=lambda: figures.numbers(reports),
    )
    with st.expander("Table"):
        st.dataframe(figures.table(report), hide_index=True, alt=f"Slices of {name} with their tests")


def _one_property(comparison: Comparison, reports: Mapping[str, Sequence[Slice]], columns: Sequence[str]) -> None:
    st.markdown("**All networks along one property**")
    column = st.segmented_control(
        "Property", columns, default=columns[0], required=True, key="property", bind="query-params"
    )
    blocks.figure(
        figures.by_property(reports, column, comparison.forms, comparison.names, comparison.inks),
        comparison,
        key="slices-by-property",
        alt=f"Accuracy by {column} and network",
        caption="Whiskers: 95 % (Wilson). A part without images has no accuracy: not defined.",
        numbers=lambda: figures.numbers({m: figures.of(r, column) for m, r in reports.items()}),
    )


def _images(comparison: Comparison, runs: Mapping[str, EvaluationRun], model_id: str, report: Sequence[Slice]) -> None:
    st.markdown("**Mistakes in a slice**")
    by_title = {figures.title(s): s for s in report}
    chosen = st.selectbox(
        "Slice", list(by_title), index=None, placeholder="choose one", key="slice", bind="query-params"
    )
    if chosen is None:
        return
    answers = services.error_table(runs[model_id], [r for m, r in runs.items() if m != model_id])
    keep = tables.select(answers) & answers["image_id"].isin(by_title[chosen].image_ids).to_numpy()
    image_list.draw(
        answers,
        tables.ordered(answers, keep, "confidence"),
        comparison,
        comparison.cards.get(model_id) or next(iter(comparison.cards.values())),
        key="slice_images",
        alt=f"Mistakes of {comparison.names[model_id]} where {chosen}",
        explained=model_id,
    )
