"""A video with its faces over time."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BeforeValidator

from core.checkpoints import ModelCard
from core.errors import LabelError
from core.inference import ENSEMBLE
from core.labels import LabelSet
from core.records.analysis import SCHEMA_VERSION, BoxRecord, NetworkRecord
from core.records.base import Number, Record, file_name
from core.records.predictions import LabelsRecord
from core.versions import versions
from core.video import GroupTimeline, Timeline, VideoJob
from core.video.statistics import track_shares


class TrackRecord(Record):
    """One face over the whole video; the shares are those of the time in which it was seen."""

    track: int
    start_s: Number
    end_s: Number
    seen_s: Number
    shares: dict[str, Number]  # by class, of the ensemble or the only network of the first group


class VideoFaceRecord(Record):
    """One face in one analyzed frame."""

    time_s: Number
    track: int
    box: BoxRecord  # it may extend beyond the frame
    score: Number  # the detector's own
    detected: bool  # false: the frame was not searched, and the face lies between two detections
    probabilities: dict[str, list[Number] | None]  # by network, in the order of its group's classes


class VideoGroupRecord(Record):
    """Networks that share their classes; with several, their mean is in the probabilities as well."""

    labels: LabelsRecord
    model_ids: list[str]
    ensemble: str | None  # the key of the mean


class VideoRecord(Record):
    """A video, with the networks and the versions that analyzed it; smoothing is not applied."""

    schema_version: int
    versions: dict[str, str]
    networks: dict[str, NetworkRecord]
    path: Annotated[str, BeforeValidator(file_name)]
    width: int
    height: int
    rotation_deg: int  # clockwise, from the stored to the upright frame
    duration_s: Number  # as the file states it
    frames_per_second: Number
    detector: str
    detect_every: int  # analyzed frames per detection
    start_s: Number
    end_s: Number  # null: to the end
    state: str  # finished, stopped or failed: then it ends early
    error: str | None
    notes: list[str]
    frame_times_s: list[Number]  # every analyzed frame, also those without a face
    groups: list[VideoGroupRecord]  # the group with the most networks first
    tracks: list[TrackRecord]
    faces: list[VideoFaceRecord]

    @classmethod
    def of(cls, path: Path | str, job: VideoJob, cards: Iterable[ModelCard]) -> VideoRecord:
        """What an analysis has found so far."""
        timeline, info, options = job.timeline(), job.info, job.options
        first = timeline.groups[0]
        return cls.model_validate(
            {
                "schema_version": SCHEMA_VERSION,
                "versions": versions(),
                "networks": {card.run_id: card for card in cards},
                "path": str(path),
                "width": info.width,
                "height": info.height,
                "rotation_deg": info.rotation_deg,
                "duration_s": info.duration_s,
                "frames_per_second": info.frames_per_second,
                "detector": job.detector_name,
                "detect_every": options.detect_every,
                "start_s": options.start_s,
                "end_s": options.end_s if math.isfinite(options.end_s) else None,
                "state": job.progress.state,
                "error": None if job.error is None else job.error.sentence,
                "notes": list(job.notes),
                "frame_times_s": timeline.frame_times_s.tolist(),
                "groups": [
                    {
                        "labels": group.labels,
                        "model_ids": list(group.model_ids),
                        "ensemble": _ensemble_key(position) if len(group.model_ids) > 1 else None,
                    }
                    for position, group in enumerate(timeline.groups)
                ],
                "tracks": [
                    {
                        "track": shares.track,
                        "start_s": shares.start_s,
                        "end_s": shares.end_s,
                        "seen_s": shares.seen_s,
                        "shares": dict(zip(first.labels.classes, shares.shares, strict=True)),
                    }
                    for shares in track_shares(timeline, first, first.names[-1])
                ],
                "faces": _faces(timeline),
            }
        )

    def timeline(self) -> Timeline:
        """What was found, with the precision of the document, to be continued.

        Raises ValueError for a document that FERscope did not write.
        """
        try:
            return self._timeline()
        except (OverflowError, LabelError) as error:
            raise ValueError(str(error)) from error

    def _timeline(self) -> Timeline:
        groups = []
        for group in self.groups:
            labels = LabelSet(group.labels.name, tuple(group.labels.classes))
            unknown = [math.nan] * len(labels)
            values = [[face.probabilities.get(m) or unknown for face in self.faces] for m in group.model_ids]
            shape = len(group.model_ids), len(self.faces), len(labels)
            groups.append(GroupTimeline(labels, tuple(group.model_ids), np.array(values, np.float32).reshape(shape)))
        boxes = [(f.box.left, f.box.top, f.box.width, f.box.height) for f in self.faces]
        timeline = Timeline(
            np.array(self.frame_times_s, np.float64),
            np.array([face.time_s for face in self.faces], np.float64),
            np.array([face.track for face in self.faces], np.int64),
            np.array(boxes, np.float32).reshape(len(self.faces), 4),
            np.array([face.score for face in self.faces], np.float32),
            np.array([face.detected for face in self.faces], bool),
            tuple(groups),
        )
        for times_s in (timeline.frame_times_s, timeline.times_s):
            if not np.isfinite(times_s).all() or (np.diff(times_s) < 0).any():
                raise ValueError("expected finite times in ascending order")
        if not np.isfinite(timeline.boxes).all() or (timeline.boxes[:, 2:] <= 0).any():
            raise ValueError("expected finite boxes with a positive width and height")
        if not ((timeline.scores >= 0) & (timeline.scores <= 1)).all():
            raise ValueError("expected scores from 0 to 1")
        return timeline


def _faces(timeline: Timeline) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for row in range(len(timeline)):
        probabilities: dict[str, list[float] | None] = {}
        for position, group in enumerate(timeline.groups):
            for name in group.names:
                values = group.of(name)[row].tolist()
                probabilities[_ensemble_key(position) if name == ENSEMBLE else name] = (
                    None if any(map(math.isnan, values)) else values
                )
        found.append(
            {
                "time_s": timeline.times_s[row],
                "track": int(timeline.tracks[row]),
                "box": timeline.box(row),
                "score": timeline.scores[row],
                "detected": bool(timeline.detected[row]),
                "probabilities": probabilities,
            }
        )
    return found


def _ensemble_key(position: int) -> str:
    """The key of the mean of a group: the groups of one video share the mapping."""
    return ENSEMBLE if position == 0 else f"{ENSEMBLE} {position + 1}"
