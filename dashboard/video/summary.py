"""What the timeline shows as a whole: shares of time, changes, moments, disagreement, and files."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.checkpoints import ModelCard
from core.errors import VideoError
from core.records import VideoRecord, to_json
from core.video import GroupTimeline, Timeline
from core.video.statistics import disagreements, expressive_moments, track_shares, transitions
from dashboard.plots import expression_timeline as plots
from dashboard.section import Download, Figure, Note, Picture, Section, Table, counted, csv
from dashboard.style import Ink
from dashboard.video.session_video import SessionVideo

MOST_FACES = 12
MOST_STRETCHES = 20


@dataclass(frozen=True, eq=False)
class Summary:
    """The part of a timeline that is summarized, by one series of one group."""

    video: SessionVideo
    timeline: Timeline
    group: GroupTimeline
    name: str  # of the series
    title: str  # of the series with its smoothing, for readers
    names: Mapping[str, str]  # titles of the networks
    inks: Ink

    @property
    def protocol(self) -> str:
        """What every caption begins with."""
        times = self.timeline.frame_times_s
        return f"{self.video.name}, {times[0]:.1f} to {times[-1]:.1f} s, {len(times):,} analyzed frames; {self.title}."


def shares(summary: Summary) -> list[Section]:
    """The share of time of each expression by face."""
    found = track_shares(summary.timeline, summary.group, summary.name)
    if not found:
        return [Section(notes=(Note("No face was found in this part of the video."),))]
    shown = sorted(found[:MOST_FACES], key=lambda of_track: of_track.track)
    left_out = f" The {MOST_FACES} faces seen longest, of {len(found)}." if len(found) > len(shown) else ""
    classes = summary.group.labels.classes
    return [
        Section(
            figures=(
                Figure(
                    plots.shares(shown, classes, summary.inks),
                    "video-shares",
                    "Share of time of each expression by face",
                ),
            ),
            caption=f"{summary.protocol} Of the time in which a face was found, the share in which each expression was "
            f"the most probable one.{left_out}",
            downloads=(csv("Shares of time (CSV)", "video-shares.csv", lambda: plots.shares_table(found, classes)),),
        )
    ]


def changes(summary: Summary) -> list[Section]:
    """Which expression follows which."""
    classes = summary.group.labels.classes
    counts = transitions(summary.timeline, summary.group, summary.name)
    stays = int(counts.trace())
    return [
        Section(
            figures=(
                Figure(
                    plots.transitions(counts, classes, summary.inks),
                    "video-transitions",
                    "How often one expression follows another",
                ),
            ),
            caption=f"{summary.protocol} Number of times that the most probable expression of a face changed from one "
            f"analyzed frame to the next: {int(counts.sum()) - stays:,}; it stayed the same {counted(stays, 'time')}.",
            downloads=(
                csv("Transitions (CSV)", "video-transitions.csv", lambda: plots.transitions_table(counts, classes)),
            ),
        )
    ]


def moments(summary: Summary) -> list[Section]:
    """The frames with the most probable expressions other than neutral."""
    found = expressive_moments(summary.timeline, summary.group, summary.name)
    pictures = []
    for moment in found:
        try:
            pixels = summary.video.face_thumbnail(summary.timeline, moment.row)
        except VideoError as error:
            return [Section(notes=(Note(error.sentence, is_warning=True),))]
        pictures.append(
            Picture(
                pixels,
                f"Face {moment.track} at {moment.time_s:.2f} s: {moment.expression}",
                title=f"{moment.expression} {moment.probability:.0%}".replace("%", " %"),
                caption=f"Face {moment.track}, {moment.time_s:.2f} s",
            )
        )
    if not pictures:
        return [Section(notes=(Note("No expression other than neutral was the most probable one in any frame."),))]
    return [
        Section(
            pictures=tuple(pictures),
            caption=f"{summary.protocol} The highest probabilities of an expression other than neutral; at most three "
            "of the same face and expression, at least 1 s apart.",
        )
    ]


def disagreement(summary: Summary) -> list[Section]:
    """The stretches in which the networks predict different expressions."""
    if len(summary.group.model_ids) < 2:
        return [
            Section(notes=(Note("Choose at least two networks with the same classes to see where they disagree."),))
        ]
    found = disagreements(summary.timeline, summary.group)
    if not found:
        return [Section(notes=(Note("The networks predict the same expression in every frame."),))]
    frames = sum(stretch.frames for stretch in found)
    longest = f" The {MOST_STRETCHES} longest of {len(found)} stretches." if len(found) > MOST_STRETCHES else ""
    return [
        Section(
            table=Table(
                plots.disagreement_table(found[:MOST_STRETCHES], summary.names),
                "Stretches in which the networks predict different expressions",
            ),
            caption=f"{summary.protocol} For {frames:,} of {len(summary.timeline):,} faces in analyzed frames, the "
            "networks do not all predict the same expression. The column of a network shows the expression that it "
            f"predicts most often in the stretch. Disagreement: mean Jensen-Shannon divergence.{longest}",
            downloads=(
                csv(
                    "All stretches (CSV)",
                    "video-disagreement.csv",
                    lambda: plots.disagreement_table(found, summary.names),
                ),
            ),
        )
    ]


PANELS: dict[str, Callable[[Summary], list[Section]]] = {
    "Share of time": shares,
    "Transitions": changes,
    "Moments": moments,
    "Disagreement": disagreement,
}


def files(summary: Summary, cards: Sequence[ModelCard]) -> list[Download]:
    """The numbers of the chosen part as files; the JSON document has the whole video and no smoothing."""
    timeline, job = summary.timeline, summary.video.job

    def parquet() -> bytes:
        file = io.BytesIO()
        timeline.write_parquet(file)
        return file.getvalue()

    return [
        csv("Probabilities (CSV)", "video.csv", timeline.table),
        Download("Probabilities (Parquet)", "video.parquet", "application/vnd.apache.parquet", parquet),
        Download(
            "All numbers of the video (JSON)",
            "video.json",
            "application/json",
            lambda: to_json(VideoRecord.of(summary.video.name, job, cards), indent=1),
        ),
    ]
