"""The predictions for the faces of a video over time: one row per face and analyzed frame, as arrays."""

from __future__ import annotations

import warnings
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from core.errors import VideoError
from core.faces import Box, Face
from core.faces.tracking import TrackedFace
from core.inference import ENSEMBLE, Prediction
from core.labels import LabelSet, groups_by_classes
from core.video.smoothing import ExponentialSmoothing


@dataclass(frozen=True, eq=False)
class GroupTimeline:
    """The probabilities of networks that share their classes, for the N rows of a :class:`Timeline`."""

    labels: LabelSet
    model_ids: tuple[str, ...]
    probabilities: np.ndarray  # (M, N, K) float32; NaN where a network has no prediction

    @cached_property
    def ensemble(self) -> np.ndarray:
        """(N, K): the mean of the networks' probabilities, of the only network its own."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a row in which no network has a prediction stays NaN
            return np.asarray(np.nanmean(self.probabilities, axis=0))

    @property
    def names(self) -> tuple[str, ...]:
        """The networks, and the ensemble if there are several."""
        return (*self.model_ids, ENSEMBLE) if len(self.model_ids) > 1 else self.model_ids

    def of(self, name: str) -> np.ndarray:
        """(N, K): the probabilities of a network or of the ensemble. Raises ValueError for another name."""
        return self.ensemble if name == ENSEMBLE else self.probabilities[self.model_ids.index(name)]


@dataclass(frozen=True, eq=False)
class Timeline:
    """N rows in the order of their times; rows of one time are the faces of one frame."""

    frame_times_s: np.ndarray  # (F,) float64: every analyzed frame, also those without a face
    times_s: np.ndarray  # (N,) float64
    tracks: np.ndarray  # (N,) int64, from 1
    boxes: np.ndarray  # (N, 4) float32: left, top, width, height in px of the upright frame
    scores: np.ndarray  # (N,) float32: the detector's score
    detected: np.ndarray  # (N,) bool: False where the face was not searched for in this frame
    groups: tuple[GroupTimeline, ...]  # the group with the most networks first

    def __len__(self) -> int:
        return len(self.times_s)

    @cached_property
    def track_numbers(self) -> tuple[int, ...]:
        """The tracks, the one with the most rows first."""
        numbers, counts = np.unique(self.tracks, return_counts=True)
        return tuple(int(number) for number in numbers[np.lexsort((numbers, -counts))])

    @property
    def step_s(self) -> float:
        """The usual time between two analyzed frames; 0 for fewer than two."""
        return float(np.median(np.diff(self.frame_times_s))) if len(self.frame_times_s) > 1 else 0.0

    @property
    def max_gap_s(self) -> float:
        """The longest time between two rows of a track that follow each other: 2.5 usual steps."""
        return 2.5 * self.step_s

    def box(self, row: int) -> Box:
        """The box of one row."""
        left, top, width, height = (float(value) for value in self.boxes[row])
        return Box(left, top, width, height)

    def last_faces(self) -> tuple[TrackedFace, ...]:
        """The faces of the last analyzed frame."""
        rows = np.flatnonzero(self.times_s == self.frame_times_s[-1]).tolist() if len(self.frame_times_s) else []
        return tuple(
            TrackedFace(int(self.tracks[row]), Face(self.box(row), float(self.scores[row])), bool(self.detected[row]))
            for row in rows
        )

    def rows_near(self, time_s: float) -> np.ndarray:
        """The rows of the analyzed frame that is nearest to a time; empty without a face there."""
        if not len(self.frame_times_s):
            return np.empty(0, np.int64)
        nearest = self.frame_times_s[np.abs(self.frame_times_s - time_s).argmin()]
        return np.flatnonzero(self.times_s == nearest)

    def select(self, rows: np.ndarray) -> Timeline:
        """The rows of a mask or of indices (N,); the analyzed frames stay."""
        groups = tuple(replace(group, probabilities=group.probabilities[:, rows]) for group in self.groups)
        return Timeline(
            self.frame_times_s,
            self.times_s[rows],
            self.tracks[rows],
            self.boxes[rows],
            self.scores[rows],
            self.detected[rows],
            groups,
        )

    def between(self, start_s: float, end_s: float) -> Timeline:
        """The part from ``start_s`` to ``end_s``, both included."""
        inside = (self.frame_times_s >= start_s) & (self.frame_times_s <= end_s)
        part = self.select((self.times_s >= start_s) & (self.times_s <= end_s))
        return replace(part, frame_times_s=self.frame_times_s[inside])

    def smoothed(self, time_constant_s: float) -> Timeline:
        """The probabilities of each track smoothed over time (:class:`core.video.ExponentialSmoothing`)."""
        if time_constant_s == 0:
            return self
        groups = []
        for group in self.groups:
            probabilities = group.probabilities.copy()
            for track in self.track_numbers:
                smoothing = ExponentialSmoothing(time_constant_s)
                for row in np.flatnonzero(self.tracks == track):
                    probabilities[:, row] = smoothing.update(group.probabilities[:, row], float(self.times_s[row]))
            groups.append(replace(group, probabilities=probabilities))
        return replace(self, groups=tuple(groups))

    def table(self) -> pd.DataFrame:
        """One row per time, face and network or ensemble, with one column ``p_<class>`` per class, for a file.

        ``classes`` is the name of the label set, which distinguishes ensembles.
        """
        face = pd.DataFrame(
            {
                "time_s": self.times_s.round(6),
                "track": self.tracks,
                **dict(zip(("left", "top", "width", "height"), self.boxes.T, strict=True)),
                "score": self.scores,
                "detected": self.detected,
            }
        )
        parts = []
        for group in self.groups:
            columns = [f"p_{name}" for name in group.labels.classes]
            for name in group.names:
                values = group.of(name)
                known = ~np.isnan(values).any(axis=1)
                tops = np.nan_to_num(values).argmax(axis=1)
                expressions = [group.labels.classes[top] if k else None for top, k in zip(tops, known, strict=True)]
                part = face.assign(
                    network=name, classes=group.labels.name, expression=pd.Series(expressions, dtype="str")
                )
                parts.append(part.join(pd.DataFrame(values, columns=columns, index=face.index)))
        table = pd.concat(parts, ignore_index=True)
        return table.sort_values(["time_s", "track"], kind="stable", ignore_index=True)

    def write_csv(self, target: Path | BinaryIO) -> None:
        """Write :meth:`table` as CSV."""
        self.table().to_csv(target, index=False)

    def write_parquet(self, target: Path | BinaryIO) -> None:
        """Write :meth:`table` as Parquet."""
        self.table().to_parquet(target, index=False)


class TimelineRecorder:
    """Collects the rows of a :class:`Timeline` in little memory: about 100 bytes per face and network.

    ``labels`` are the classes of each network by model id.
    """

    def __init__(self, labels: Mapping[str, LabelSet]) -> None:
        if not labels:
            raise ValueError("a timeline needs at least one network, got none")
        self._groups = [(labels[model_ids[0]], model_ids) for model_ids in groups_by_classes(labels)]
        self._frame_times_s = array("d")
        self._times_s = array("d")
        self._tracks = array("q")
        self._boxes = array("f")
        self._scores = array("f")
        self._detected = array("b")
        self._probabilities = [array("f") for _ in self._groups]  # per row: M x K

    def add_timeline(self, timeline: Timeline) -> None:
        """Add what an earlier analysis by the same networks found. Raises VideoError for other networks."""
        found = [(group.labels.classes, group.model_ids) for group in timeline.groups]
        expected = [(labels.classes, model_ids) for labels, model_ids in self._groups]
        if found != expected:
            names = [", ".join(name for _, ids in of for name in ids) for of in (found, expected)]
            raise VideoError(
                f"the earlier analysis was made by {names[0]}, not by {names[1]}; choose the same networks"
            )
        self._frame_times_s.extend(timeline.frame_times_s)
        self._times_s.extend(timeline.times_s)
        self._tracks.extend(timeline.tracks)
        self._boxes.extend(timeline.boxes.ravel())
        self._scores.extend(timeline.scores)
        self._detected.extend(timeline.detected.tolist())
        for group, rows in zip(timeline.groups, self._probabilities, strict=True):
            rows.extend(group.probabilities.transpose(1, 0, 2).ravel())

    def add_frame(self, time_s: float) -> None:
        """Note that a frame was analyzed; call it before :meth:`add`. Times must not decrease."""
        if self._frame_times_s and time_s < self._frame_times_s[-1]:
            raise ValueError(f"times must not decrease, got {time_s} s after {self._frame_times_s[-1]} s")
        self._frame_times_s.append(time_s)

    def add(self, found: TrackedFace, predictions: Mapping[str, Prediction]) -> None:
        """Add a face of the last frame; a network without a prediction gets NaN."""
        box = found.face.box
        self._times_s.append(self._frame_times_s[-1])
        self._tracks.append(found.track)
        self._boxes.extend((box.left, box.top, box.width, box.height))
        self._scores.append(found.face.score)
        self._detected.append(found.detected)
        for (labels, model_ids), rows in zip(self._groups, self._probabilities, strict=True):
            for model_id in model_ids:
                prediction = predictions.get(model_id)
                if prediction is None:
                    rows.extend([float("nan")] * len(labels))
                else:
                    rows.extend(prediction.in_order_of(labels).probabilities.tolist())

    def timeline(self) -> Timeline:
        """A copy of what was added so far."""
        count = len(self._times_s)
        groups = []
        for (labels, model_ids), rows in zip(self._groups, self._probabilities, strict=True):
            values = np.array(rows, np.float32).reshape(count, len(model_ids), len(labels))
            groups.append(GroupTimeline(labels, model_ids, values.transpose(1, 0, 2)))
        return Timeline(
            np.array(self._frame_times_s),
            np.array(self._times_s),
            np.array(self._tracks),
            np.array(self._boxes, np.float32).reshape(count, 4),
            np.array(self._scores),
            np.array(self._detected, bool),
            tuple(groups),
        )
