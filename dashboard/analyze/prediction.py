"""The verdict of each label group with its uncertainty, and the probabilities by class and network."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.errors import CheckpointError, EvaluationError
from core.inference import LabelGroup
from core.probes import Decision
from dashboard.analyze import computations, uncertainty
from dashboard.analyze.selected_face import SelectedFace
from dashboard.plots import probabilities
from dashboard.plots.uncertainty import OVER_VIEWS
from dashboard.section import Figure, Section, Table, csv
from dashboard.ui import sections
from dashboard.ui.markdown import escaped

TEMPERATURE_HELP = (
    "Temperature scaling divides the logits of a network by one number, fitted on {split}, so that its confidence "
    "matches its accuracy. The predicted class does not change (Guo et al. 2017)."
)
UNCERTAIN_HELP = (
    "The score of this detection is below the level at which this detector is usually correct. If the box contains a "
    "face, the probabilities below apply to it."
)


def groups(face: SelectedFace) -> tuple[LabelGroup, ...]:
    """The predictions that the page shows: over the chosen views, by label group."""
    return tuple(group.augmented for group in computations.uncertainty(face).get().groups)


def draw_first(face: SelectedFace) -> None:
    """Headline and chart of the first label group."""
    _draw(face, slice(1))


def draw_others(face: SelectedFace) -> None:
    """Headline and chart of each further label group."""
    _draw(face, slice(1, None))


def _draw(face: SelectedFace, part: slice) -> None:
    for group, section in zip(groups(face)[part], prediction_sections(face)[part], strict=True):
        _headline(face, group)  # which names the classes
        sections.draw([replace(section, title="")])


def prediction_sections(face: SelectedFace) -> list[Section]:
    """The chart of each label group."""
    return [
        Section(
            face.group_title(group),
            figures=(
                Figure(
                    probabilities.probabilities(group, face.styles, face.names, face.inks),
                    f"probabilities-{number}",
                    f"Probability of each expression by network; highest {group.verdict.expression}",
                ),
            ),
        )
        for number, group in enumerate(groups(face))
    ]


def table_sections(face: SelectedFace) -> list[Section]:
    """The probabilities of each label group as a table."""
    built = []
    for number, group in enumerate(groups(face)):
        table = probabilities.table(group, face.names)
        shown = table.map(lambda value: f"{value:.3f}" if isinstance(value, float) else value)
        title = face.group_title(group)
        of_group = f", {title}" if title else ""
        built.append(
            Section(
                f"Probabilities{of_group}",
                table=Table(shown, "Probabilities by class and network"),
                downloads=(
                    csv(f"Probabilities{of_group} (CSV)", f"{face.stem}-probabilities-{number + 1}.csv", table.copy),
                ),
                folded=True,
            )
        )
    return built


def summary(face: SelectedFace) -> list[str]:
    """One sentence per label group."""
    sentences = []
    for group in groups(face):
        verdict = group.verdict
        who = "The networks predict" if len(group.predictions) > 1 else "The network predicts"
        title = face.group_title(group)
        agreement = _agreement(group)
        sentences.append(
            f"{title + ': ' if title else ''}{who} {verdict.expression} with a probability of {verdict.confidence:.3f} "
            f"after temperature scaling, {OVER_VIEWS[face.views]}{'; ' + agreement if agreement else ''}."
        )
    return sentences


def _headline(face: SelectedFace, group: LabelGroup) -> None:
    verdict = group.verdict
    headline = escaped(f"{100 * verdict.confidence:.0f} % {verdict.expression}")
    if face.found.face.uncertain:  # possibly not a face, so its expression is not what the reader sees first
        st.header(":gray[Uncertain detection]", icon=":material/help:", help=UNCERTAIN_HELP, anchor=False)
        _caption(face, group, headline)
        return
    try:
        made = uncertainty.decision(face, group)
    except (CheckpointError, EvaluationError) as error:
        st.header(headline, help=f"It is not known whether this prediction is sure: {error}.", anchor=False)
    else:
        explained = _explained(face, group, made)
        if made.sure:
            st.header(f"{headline}, sure", icon=":material/check_circle:", help=explained, anchor=False)
        else:
            st.header(f":gray[{headline}, unsure]", icon=":material/help:", help=explained, anchor=False)
    _caption(face, group)


def _caption(face: SelectedFace, group: LabelGroup, *first: str) -> None:
    words = [
        *first,
        face.position,
        face.group_title(group),
        _agreement(group),
        "after temperature scaling",
        OVER_VIEWS[face.views],
    ]
    split = face.data_and_split("val", group.model_ids)
    st.caption(" · ".join(word for word in words if word), help=TEMPERATURE_HELP.format(split=split))


def _agreement(group: LabelGroup) -> str:
    count = len(group.predictions)
    return f"{group.agreeing} of {count} networks agree" if count > 1 else ""


def _explained(face: SelectedFace, group: LabelGroup, made: Decision) -> str:
    """What sure and unsure mean here."""
    relation = "reaches" if made.sure else "is below"
    return (
        f"*{'Sure' if made.sure else 'Unsure'}*: the probability {relation} {made.effect.threshold:.2f}. At or "
        f"above this threshold, predictions on {face.data_and_split('val', group.model_ids)} reach an accuracy of "
        f"{made.target:.2f}. The required accuracy can be changed in the sidebar."
    )
