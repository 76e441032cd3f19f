"""A timeline from predictions with known values."""

from __future__ import annotations

import numpy as np
import pytest

from core.faces import Box, Face
from core.faces.tracking import TrackedFace
from core.inference import Prediction
from core.labels import FER7, FERPLUS8
from core.video import ExponentialSmoothing, TimelineRecorder


def prediction(model_id: str, top: int, labels=FER7, share: float = 0.94) -> Prediction:
    p = np.full(len(labels), (1 - share) / (len(labels) - 1))
    p[top] = share
    return Prediction(model_id, labels, np.log(p).astype(np.float32))


def tracked(track: int, x: float = 10) -> TrackedFace:
    return TrackedFace(track, Face(Box(x, 5, 20, 24), 0.9))


def recorded(seconds: int = 10) -> TimelineRecorder:
    """Track 1 is happy and from 5 s on sad, track 2 is neutral until 3 s; one frame per second."""
    recorder = TimelineRecorder({"a": FER7, "plus": FERPLUS8, "b": FER7})
    for i in range(seconds):
        recorder.add_frame(float(i))
        recorder.add(tracked(1), {"a": prediction("a", 3 if i < 5 else 4), "plus": prediction("plus", 1, FERPLUS8)})
        if i <= 3:
            recorder.add(tracked(2, 90), {m: prediction(m, 6) for m in "ab"})
    return recorder


def test_rows_groups_and_ensemble():
    timeline = recorded().timeline()
    assert len(timeline) == 14
    assert timeline.track_numbers == (1, 2)
    assert [group.model_ids for group in timeline.groups] == [("a", "b"), ("plus",)]
    fer, plus = timeline.groups
    assert fer.names == ("a", "b", "ensemble")
    assert plus.names == ("plus",)
    first = timeline.select(timeline.tracks == 1).groups[0]
    assert np.isnan(first.of("b")).all()  # no prediction of that network
    assert first.ensemble.argmax(axis=1).tolist() == [3] * 5 + [4] * 5
    assert timeline.box(1) == Box(90, 5, 20, 24)
    assert timeline.step_s == 1


def test_the_table_has_a_row_per_face_and_network():
    table = recorded().timeline().table()
    assert len(table) == 14 * 4
    row = table[(table.time_s == 6) & (table.network == "a")].iloc[0]
    assert (row.expression, row.track) == ("sad", 1)
    assert row.p_sad == pytest.approx(0.94, abs=1e-5)
    assert table[(table.network == "b") & (table.track == 1)].expression.isna().all()


def test_the_rows_of_two_ensembles_are_distinguished_by_their_classes():
    recorder = TimelineRecorder({"a": FER7, "b": FER7, "c": FERPLUS8, "d": FERPLUS8})
    recorder.add_frame(0.0)
    found = {m: prediction(m, 3, labels) for m, labels in zip("abcd", [FER7] * 2 + [FERPLUS8] * 2, strict=True)}
    recorder.add(tracked(1), found)
    table = recorder.timeline().table()
    assert table[table.network == "ensemble"].classes.tolist() == ["FER7", "FERPLUS8"]


def test_a_range_has_the_frames_of_that_range():
    part = recorded().timeline().between(2, 5)
    assert part.frame_times_s.tolist() == [2, 3, 4, 5]
    assert part.times_s.tolist() == [2, 2, 3, 3, 4, 5]


def test_smoothing_reaches_63_percent_of_a_step_after_its_time_constant():
    timeline = recorded(30).timeline()
    smoothed = timeline.smoothed(4.0).select(timeline.tracks == 1)
    happy = smoothed.groups[0].of("a")[:, 3]
    low, high = 0.01, 0.94
    assert happy[4] == pytest.approx(high, abs=1e-5)
    assert (high - happy[8]) / (high - low) == pytest.approx(1 - np.exp(-1), abs=1e-4)
    assert np.allclose(smoothed.groups[1].ensemble.sum(axis=1), 1, atol=1e-5)
    assert timeline.smoothed(0) is timeline


def test_smoothing_does_not_depend_on_the_frame_rate_and_skips_unknown_values():
    slow, fast = ExponentialSmoothing(1.0), ExponentialSmoothing(1.0)
    for smoothing, rate in ((slow, 5), (fast, 50)):
        smoothing.update(np.zeros(1), 0.0)
        for i in range(1, 2 * rate + 1):
            value = smoothing.update(np.ones(1), i / rate)
        assert value[0] == pytest.approx(1 - np.exp(-2))
    assert np.isnan(slow.update(np.full(1, np.nan), 2.2)).all()
    assert slow.update(np.ones(1), 2.2)[0] > 0.8


def test_times_do_not_decrease():
    recorder = recorded()
    with pytest.raises(ValueError, match="not decrease"):
        recorder.add_frame(1.0)
