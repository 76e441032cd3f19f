"""Shares, transitions, moments and disagreement of timelines with known predictions."""

from __future__ import annotations

import numpy as np
import pytest

from core.faces import Box, Face
from core.faces.tracking import TrackedFace
from core.inference import Prediction
from core.labels import FER7
from core.video import Timeline, TimelineRecorder
from core.video.statistics import disagreements, expressive_moments, track_shares, transitions

ANGRY, HAPPY, SAD, NEUTRAL = (FER7.index(name) for name in ("angry", "happy", "sad", "neutral"))


def timeline_of(rows: list[tuple[float, int, int, int, float]]) -> Timeline:
    """Rows of time, track, class by network a, class by network b, and the probability of both."""
    recorder = TimelineRecorder({"a": FER7, "b": FER7})
    last = None
    for time_s, track, *classes, share in rows:
        if time_s != last:
            recorder.add_frame(time_s)
            last = time_s
        predictions = {}
        for model_id, top in zip("ab", classes, strict=True):
            p = np.full(7, (1 - share) / 6)
            p[top] = share
            predictions[model_id] = Prediction(model_id, FER7, np.log(p).astype(np.float32))
        recorder.add(TrackedFace(track, Face(Box(0, 0, 9, 9), 0.9)), predictions)
    return recorder.timeline()


@pytest.fixture
def timeline() -> Timeline:
    """Face 1: happy for 2 s, then neutral for 1 s, then a gap of 5 s, then sad for 1 s; face 2: neutral for 1 s."""
    rows = []
    for i in range(40):
        t = i / 10
        if i < 20:
            rows.append((t, 1, HAPPY, HAPPY, 0.9 - 0.01 * abs(i - 5)))
        elif i < 30:
            rows.append((t, 1, NEUTRAL, SAD if i < 24 else NEUTRAL, 0.7))
        if i < 10:
            rows.append((t, 2, NEUTRAL, NEUTRAL, 0.99))
    rows += [(8 + i / 10, 1, SAD, SAD, 0.6) for i in range(10)]
    return timeline_of(rows)


def test_shares_of_time_sum_to_one_and_know_how_long_a_face_was_seen(timeline):
    group = timeline.groups[0]
    first, second = track_shares(timeline, group, "a")
    assert (first.track, second.track) == (1, 2)
    # The last frame before the gap counts 0.25 s: at most 2.5 steps.
    assert first.seen_s == pytest.approx(4.15)
    assert first.shares[HAPPY] == pytest.approx(2.0 / 4.15)
    assert sum(first.shares) == pytest.approx(1)
    assert second.shares[NEUTRAL] == 1
    assert (second.start_s, second.end_s) == (0, 0.9)


def test_a_variable_frame_rate_weighs_frames_by_their_time():
    rows = [(0.0, 1, HAPPY, HAPPY, 0.9), (0.1, 1, HAPPY, HAPPY, 0.9), (0.2, 1, SAD, SAD, 0.9), (0.4, 1, SAD, SAD, 0.9)]
    timeline = timeline_of(rows)
    (shares,) = track_shares(timeline, timeline.groups[0], "ensemble")
    assert shares.shares[SAD] == pytest.approx(0.3 / 0.5)


def test_transitions_do_not_cross_a_gap(timeline):
    counts = transitions(timeline, timeline.groups[0], "a")
    assert counts[HAPPY, HAPPY] == 19
    assert counts[HAPPY, NEUTRAL] == 1
    assert counts[NEUTRAL].sum() == 9 + 9
    assert counts[:, SAD].sum() == counts[SAD, SAD] == 9


def test_moments_are_not_neutral_and_apart(timeline):
    found = expressive_moments(timeline, timeline.groups[0], "ensemble", count=5, alike=2)
    assert found[0].time_s == pytest.approx(0.5)
    assert found[0].expression == "happy"
    assert {moment.expression for moment in found} == {"happy", "sad"}
    happy = [moment.time_s for moment in found if moment.expression == "happy"]
    assert len(happy) == 2
    assert abs(happy[0] - happy[1]) >= 1
    assert all(timeline.times_s[moment.row] == moment.time_s for moment in found)


def test_disagreement_is_one_stretch(timeline):
    (stretch,) = disagreements(timeline, timeline.groups[0])
    assert (stretch.track, stretch.frames) == (1, 4)
    assert (stretch.start_s, stretch.end_s) == pytest.approx((2.0, 2.3))
    assert stretch.expressions == {"a": "neutral", "b": "sad"}
    assert stretch.disagreement_bits > 0.1


def test_an_empty_timeline_has_no_statistics():
    recorder = TimelineRecorder({"a": FER7, "b": FER7})
    recorder.add_frame(0.0)
    timeline = recorder.timeline()
    group = timeline.groups[0]
    assert track_shares(timeline, group, "a") == ()
    assert not transitions(timeline, group, "a").any()
    assert expressive_moments(timeline, group, "a") == ()
    assert disagreements(timeline, group) == ()
