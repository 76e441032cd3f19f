"""What a timeline shows as a whole: shares of time, changes of expression, moments, and disagreement of networks.

All functions take one group of a timeline and the name of a network in it, or that of the ensemble.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from core.evaluation import divergence_bits
from core.video.timeline import GroupTimeline, Timeline

NEUTRAL = "neutral"


@dataclass(frozen=True)
class TrackShares:
    """How long a face was seen, and the share of that time for each class, which sum to 1."""

    track: int
    start_s: float
    end_s: float
    seen_s: float
    shares: tuple[float, ...]  # in the order of the classes


@dataclass(frozen=True)
class Moment:
    """A frame in which a face shows an expression with a high probability; ``row`` is its row in the timeline."""

    time_s: float
    track: int
    row: int
    expression: str
    probability: float


@dataclass(frozen=True)
class Stretch:
    """Successive frames in which the networks do not all predict the same expression for a face."""

    track: int
    start_s: float
    end_s: float
    frames: int
    disagreement_bits: float  # mean Jensen-Shannon divergence
    expressions: dict[str, str]  # by network: the one it predicts most often there


def track_shares(timeline: Timeline, group: GroupTimeline, name: str) -> tuple[TrackShares, ...]:
    """One result per face, the one seen longest first; faces without any prediction are left out.

    A frame counts until the next one, at most 2.5 times the usual step, so a variable frame rate is respected.
    """
    seconds = _row_seconds(timeline)
    tops, known = _tops(group.of(name))
    found = []
    for track in timeline.track_numbers:
        rows = np.flatnonzero((timeline.tracks == track) & known)
        if not len(rows):
            continue
        total = np.bincount(tops[rows], weights=seconds[rows], minlength=len(group.labels))
        seen_s = float(total.sum())
        shares = total / seen_s if seen_s > 0 else np.bincount(tops[rows], minlength=len(group.labels)) / len(rows)
        times = timeline.times_s[rows]
        found.append(
            TrackShares(track, float(times[0]), float(times[-1]), seen_s, tuple(float(share) for share in shares))
        )
    return tuple(sorted(found, key=lambda shares: -shares.seen_s))


def transitions(timeline: Timeline, group: GroupTimeline, name: str) -> np.ndarray:
    """(K, K) int64: how often class ``row`` is followed by class ``column`` in the next analyzed frame of a face."""
    tops, known = _tops(group.of(name))
    counts = np.zeros((len(group.labels), len(group.labels)), np.int64)
    for rows in _runs(timeline):
        for one, other in itertools.pairwise(rows):
            if known[one] and known[other]:
                counts[tops[one], tops[other]] += 1
    return counts


def expressive_moments(
    timeline: Timeline, group: GroupTimeline, name: str, *, count: int = 8, alike: int = 3, apart_s: float = 1.0
) -> tuple[Moment, ...]:
    """The frames with the highest probability of an expression other than neutral, the highest first.

    Of one face with the same expression there are at most ``alike`` moments, at least ``apart_s`` apart.
    """
    probabilities = group.of(name)
    tops, known = _tops(probabilities)
    best = np.where(known, np.nan_to_num(probabilities).max(axis=1, initial=0.0), -1.0)
    chosen: list[Moment] = []
    for row in np.argsort(-best, kind="stable"):
        expression = group.labels.classes[tops[row]]
        if best[row] < 0 or expression == NEUTRAL:
            continue
        moment = Moment(float(timeline.times_s[row]), int(timeline.tracks[row]), int(row), expression, float(best[row]))
        others = [m for m in chosen if (m.track, m.expression) == (moment.track, expression)]
        if len(others) >= alike or any(abs(other.time_s - moment.time_s) < apart_s for other in others):
            continue
        chosen.append(moment)
        if len(chosen) == count:
            break
    return tuple(chosen)


def disagreements(timeline: Timeline, group: GroupTimeline) -> tuple[Stretch, ...]:
    """The stretches in which the networks predict different expressions, the longest first; none for one network."""
    if len(group.model_ids) < 2:
        return ()
    tops = np.stack([_tops(values)[0] for values in group.probabilities])  # (M, N)
    known = ~np.isnan(group.probabilities).any(axis=(0, 2))
    differ = known & (tops != tops[0]).any(axis=0)
    found = []
    for rows in _runs(timeline):
        for part in _true_parts(rows, differ):
            found.append(
                Stretch(
                    int(timeline.tracks[part[0]]),
                    float(timeline.times_s[part[0]]),
                    float(timeline.times_s[part[-1]]),
                    len(part),
                    float(divergence_bits(list(group.probabilities[:, part])).mean()),
                    {
                        model_id: group.labels.classes[int(np.bincount(tops[number, part]).argmax())]
                        for number, model_id in enumerate(group.model_ids)
                    },
                )
            )
    return tuple(sorted(found, key=lambda stretch: (-stretch.frames, -stretch.disagreement_bits)))


def _tops(probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The most probable class of each row (N,), and whether the row has a prediction (N,)."""
    known = ~np.isnan(probabilities).any(axis=1)
    return np.nan_to_num(probabilities).argmax(axis=1), known


def _row_seconds(timeline: Timeline) -> np.ndarray:
    """(N,): how long the frame of each row is shown."""
    times, step = timeline.frame_times_s, timeline.step_s
    shown = np.minimum(np.diff(times, append=times[-1:] + step), timeline.max_gap_s)
    return np.asarray(shown[np.searchsorted(times, timeline.times_s)])


def _runs(timeline: Timeline) -> Iterator[np.ndarray]:
    """The rows of each face, divided where it was out of the picture."""
    for track in timeline.track_numbers:
        rows = np.flatnonzero(timeline.tracks == track)
        gaps = np.flatnonzero(np.diff(timeline.times_s[rows]) > timeline.max_gap_s) + 1
        yield from np.split(rows, gaps)


def _true_parts(rows: np.ndarray, condition: np.ndarray) -> Iterator[np.ndarray]:
    """The successive rows for which the condition (N,) holds."""
    holds = condition[rows]
    edges = np.flatnonzero(np.diff(holds.astype(np.int8))) + 1
    for part in np.split(rows, edges):
        if len(part) and condition[part[0]]:
            yield part
