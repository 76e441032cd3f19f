"""How uncertain the predictions are, and whether they are confident enough to be reported."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.errors import CheckpointError, EvaluationError, NotFiniteError
from core.evaluation import risk_coverage
from core.inference import LabelGroup
from core.probes import Decision, GroupUncertainty, decide
from dashboard import services, style
from dashboard.analyze import computations
from dashboard.analyze.map_options import MapOptions
from dashboard.analyze.selected_face import SelectedFace, not_finite
from dashboard.plots import calibration
from dashboard.plots import uncertainty as plots
from dashboard.plots.dumbbells import dumbbells
from dashboard.section import Figure, Note, Section, Table, csv
from dashboard.ui import links, required_accuracy, sections


def choose_criteria() -> tuple[float, str]:
    """Controls of the whole page: the accuracy required of predictions that are called sure, and the views per face."""
    accuracy = required_accuracy.choose()
    views = links.choice(
        st.selectbox,
        "Views per face",
        plots.VIEW_NAMES,
        key="views",
        default="one",
        help="Test-time augmentation: probabilities are averaged over several views of the face.",
    )
    return accuracy, str(views)


def with_possible_views(face: SelectedFace) -> SelectedFace:
    """The face with the chosen views; with one view, and a message, if no network predicts the other ones."""
    try:
        found = computations.uncertainty(face).get()
    except NotFiniteError as error:
        st.info(f"{not_finite(error.model_ids, face.names)} Using one view per face.", icon=":material/info:")
        return replace(face, views="one")
    missing = [n.model_id for n in face.networks if n.model_id not in found.predictions]
    if missing:
        st.info(f"Views per face: {not_finite(missing, face.names)}", icon=":material/info:")
    return face


def decision(face: SelectedFace, group: LabelGroup) -> Decision:
    """Whether the verdict of a group is confident enough. Raises CheckpointError without stored predictions, and
    EvaluationError if no threshold reaches the required accuracy."""
    return decide(
        group.verdict,
        services.group_evaluation(group.model_ids, "val"),
        services.group_evaluation(group.model_ids, "test"),
        face.required_accuracy,
    )


def draw(face: SelectedFace, _options: MapOptions) -> None:
    """The verdict, the predictions before and after temperature scaling, then the numbers."""
    found = computations.uncertainty(face).get()
    for number, (group, section) in enumerate(zip(found.groups, uncertainty_sections(face), strict=True)):
        sections.draw([section])
        after = "after" if found.views == "one" else f"after, {plots.OVER_VIEWS[found.views]}"
        st.html(
            dumbbells(
                group.raw,
                group.augmented,
                face.styles,
                face.names,
                face.inks,
                alt="Probability of each expression before and after temperature scaling, by network",
                words=("before temperature scaling", after),
            )
        )
        st.caption(
            "Hollow: without temperature scaling. Filled: with the temperature fitted on "
            f"{face.data_and_split('val', group.augmented.model_ids)}, {plots.OVER_VIEWS[found.views]}."
        )
        sections.draw(_risk(face, group, number))


def uncertainty_sections(face: SelectedFace) -> list[Section]:
    """One section per label group: verdict, protocol, numbers."""
    found = computations.uncertainty(face).get()
    built = []
    for number, group in enumerate(found.groups):
        table = plots.table(group, found.views, face.names)
        text, notes = _verdict_text(face, group)
        built.append(
            Section(
                face.group_title(group.augmented),
                text=text,
                notes=notes,
                table=Table(table, "Predictions, probabilities and entropy by network"),
                caption=plots.spread(group),
                downloads=(csv("Uncertainty (CSV)", f"{face.stem}-uncertainty-{number + 1}.csv", table.copy),),
            )
        )
    return built


def _verdict_text(face: SelectedFace, group: GroupUncertainty) -> tuple[tuple[str, ...], tuple[Note, ...]]:
    try:
        made = decision(face, group.augmented)
    except (CheckpointError, EvaluationError) as error:
        return (), (Note(f"There is no threshold: {error}."),)
    chosen_on, shown_on = (face.data_and_split(split, group.augmented.model_ids) for split in ("val", "test"))
    protocol = plots.protocol(made, face.views, chosen_on, shown_on)
    return (f"{plots.verdict(made)}. {plots.reason(made)}", protocol), ()


def _risk(face: SelectedFace, group: GroupUncertainty, number: int) -> list[Section]:
    """Risk by coverage on the test split, folded; nothing without a threshold."""
    try:
        made, run = decision(face, group.augmented), services.group_evaluation(group.augmented.model_ids, "test")
    except (CheckpointError, EvaluationError):
        return []
    styles = {run.model_id: style.ensemble_style(face.inks), **face.styles}  # a single network has its own
    names = {run.model_id: style.ENSEMBLE_NAME, **face.names}
    plot = calibration.risk_coverage(
        {run.model_id: risk_coverage(run)}, {run.model_id: made.effect}, styles, names, face.inks
    )
    split = face.data_and_split("test", group.augmented.model_ids)
    figure = Figure(
        plot,
        f"risk-{number}",
        f"Error rate by the fraction of the faces of {split} that are predicted; the threshold is marked",
    )
    caption = f"{split}, n = {len(run):,}. The most confident predictions come first; the threshold is marked."
    return [Section("Risk and coverage", figures=(figure,), caption=caption, folded=True)]
