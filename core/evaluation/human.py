"""Networks against the ten annotators of FER+ (Barsoum et al. 2016).

Votes are (N, 10) counts aligned with a run's rows: neutral, happiness, surprise, sadness, anger, disgust, fear,
contempt, unknown, NF (no face).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.evaluation.intervals import Score, mean_score, wilson
from core.evaluation.run import EvaluationError, EvaluationRun
from core.labels import FERPLUS8, LabelSet

VOTE_COLUMNS = (*FERPLUS8.classes, "unknown", "NF")
EXPRESSIONS = len(FERPLUS8)
NO_MAJORITY = -1


@dataclass(frozen=True)
class AgreementGroup:
    """Images on which a share ``low < share <= high`` of the annotators' votes went to one column."""

    low: float
    high: float
    accuracy: Score  # against the data set's label
    accuracy_to_majority: Score  # against the FER+ majority, where there is one


@dataclass(frozen=True)
class HumanAgreement:
    """One network beside the annotators, on the images that have votes.

    ``network``: chance that a random annotator says what the network says. ``annotators``: chance that two annotators
    of an image agree. ``favourite``: that chance for the class with most votes, the best answer there is.
    ``cross_entropy``: nats from the votes on the run's classes to the network's probabilities;
    ``vote_entropy`` is its lower bound.
    """

    network: Score
    annotators: Score
    favourite: Score
    cross_entropy: Score
    vote_entropy: Score
    groups: tuple[AgreementGroup, ...]


@dataclass(frozen=True, eq=False)
class VoteMatrix:
    """The data set's label (rows) against the FER+ majority (columns; the last is *no majority*)."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: np.ndarray  # (K, 9) int64

    def by_row(self) -> np.ndarray:
        """(K, 9) float64: shares of each label; NaN for a label without images."""
        totals = self.counts.sum(axis=1, keepdims=True)
        shares = np.divide(self.counts, totals, out=np.full(self.counts.shape, np.nan), where=totals > 0)
        return np.asarray(shares)

    @property
    def agreement(self) -> Score:
        """How often label and majority say the same, where there is a majority."""
        same = sum(int(self.counts[i, self.columns.index(c)]) for i, c in enumerate(self.rows) if c in self.columns)
        return wilson(same, int(self.counts[:, :EXPRESSIONS].sum()))


def ferplus_majority(votes: np.ndarray) -> np.ndarray:
    """(N, 10) votes -> (N,) position in FERPLUS8, -1 where the annotators do not agree on an expression.

    FER+'s own rule: single votes are dropped as outliers; the winner needs more than half of what remains.
    """
    kept = np.where(_checked(votes) > 1, votes, 0)
    winner = kept.argmax(axis=1)
    has_majority = (2 * kept.max(axis=1) > kept.sum(axis=1)) & (winner < EXPRESSIONS)
    return np.asarray(np.where(has_majority, winner, NO_MAJORITY))


def human_agreement(run: EvaluationRun, votes: np.ndarray) -> HumanAgreement:
    """Compare a run with the votes on the same rows. Raises EvaluationError for votes of another shape.

    Images without votes are left out; so are, for the cross-entropy, images with no vote for any class of the run.
    """
    votes = _checked(votes, len(run)).astype(np.float64)
    columns = _columns_of(run)
    total = votes.sum(axis=1)
    seen = total > 0
    rows = np.flatnonzero(seen)
    for_answer = votes[rows, columns[run.predicted[rows]]] / total[rows]
    several = total > 1
    pairs = (votes * (votes - 1)).sum(axis=1)[several] / (total * (total - 1))[several]

    for_classes = votes[:, columns]
    usable = for_classes.sum(axis=1) > 0
    shares = for_classes[usable] / for_classes[usable].sum(axis=1, keepdims=True)
    log_shares = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    return HumanAgreement(
        network=mean_score(for_answer),
        annotators=mean_score(pairs),
        favourite=mean_score(votes[np.ix_(rows, columns)].max(axis=1) / total[rows]),
        cross_entropy=mean_score(-(shares * run.log_probabilities[usable]).sum(axis=1)),
        vote_entropy=mean_score(-(shares * log_shares).sum(axis=1)),
        groups=_groups(run, votes, columns),
    )


def annotator_agreement(votes: np.ndarray) -> np.ndarray:
    """(N, 10) votes -> (N,) share of the votes that the most chosen column got; NaN without votes."""
    votes = _checked(votes)
    total = votes.sum(axis=1)
    return np.asarray(np.divide(votes.max(axis=1), total, out=np.full(len(votes), np.nan), where=total > 0))


def label_against_votes(run: EvaluationRun, votes: np.ndarray) -> VoteMatrix:
    """:func:`truth_against_votes` for the labels that a run was scored against."""
    return truth_against_votes(run.labels, run.truth, _checked(votes, len(run)))


def truth_against_votes(labels: LabelSet, truth: np.ndarray, votes: np.ndarray) -> VoteMatrix:
    """Count labels (N,) by FER+ majority: how often the two labellings of the same faces differ."""
    majority = ferplus_majority(_checked(votes, len(truth)))
    columns = (*FERPLUS8.classes, "no majority")
    cells = truth * len(columns) + np.where(majority == NO_MAJORITY, EXPRESSIONS, majority)
    counts = np.bincount(cells, minlength=len(labels) * len(columns)).reshape(len(labels), len(columns))
    return VoteMatrix(labels.classes, columns, counts)


def _groups(run: EvaluationRun, votes: np.ndarray, columns: np.ndarray) -> tuple[AgreementGroup, ...]:
    share, majority = annotator_agreement(votes), ferplus_majority(votes)
    right_by_majority = columns[run.predicted] == majority
    groups = []
    for tenth in range(10):
        low, high = tenth / 10, (tenth + 1) / 10
        # Rounded: 3 of 10 votes must not fall on the wrong side of 0.3.
        member = (np.round(share, 6) > low) & (np.round(share, 6) <= high)
        if not member.any():
            continue
        judged = member & (majority != NO_MAJORITY)
        groups.append(
            AgreementGroup(
                low,
                high,
                wilson(int(run.correct[member].sum()), int(member.sum())),
                wilson(int(right_by_majority[judged].sum()), int(judged.sum())),
            )
        )
    return tuple(groups)


def _columns_of(run: EvaluationRun) -> np.ndarray:
    """The vote column of each class of the run."""
    positions = run.labels.positions_in(FERPLUS8)
    if None in positions:
        unknown = run.labels.classes[positions.index(None)]
        raise EvaluationError(
            f"FER+ has no votes on {unknown!r}, a class of {run.model_id}; choose a run on FER classes"
        )
    return np.asarray(positions)


def _checked(votes: np.ndarray, n: int | None = None) -> np.ndarray:
    votes = np.asarray(votes)
    if votes.ndim != 2 or votes.shape[1] != len(VOTE_COLUMNS) or (n is not None and len(votes) != n):
        rows = "N" if n is None else n
        raise EvaluationError(f"FER+ votes must have shape ({rows}, 10), one row for each image, got {votes.shape}")
    if votes.size and not (votes >= 0).all():
        raise EvaluationError("FER+ votes are counts from 0, got a negative number or NaN")
    return votes
