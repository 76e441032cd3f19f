"""Networks compared with the ten annotators of FER+ (Barsoum et al. 2016).

Votes are (N, 10) counts in the rows of a run: the eight classes of FERPLUS8, then *unknown* and *no face*. The FER+
majority of each image, a position in FERPLUS8 or -1, comes from :func:`core.data.ferplus_majority`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.special import entr

from core.errors import EvaluationError
from core.evaluation.intervals import Score, mean_score, wilson
from core.evaluation.run import EvaluationRun
from core.labels import FERPLUS8, LabelSet

VOTE_COLUMNS = len(FERPLUS8) + 2
NO_MAJORITY = "no majority"


@dataclass(frozen=True, eq=False)
class _ClassVotes:
    """The votes of N images for the K classes of a run."""

    shares: np.ndarray  # (N, K) of the votes for these classes; 0 without such a vote
    usable: np.ndarray  # (N,) bool, whether there is a vote for one of these classes
    entropy: Score  # of the shares, in nats
    best_possible: Score  # share of all votes for the class with most votes


@dataclass(frozen=True, eq=False)
class AnnotatorVotes:
    """The votes on N images and their FER+ majority. Raises EvaluationError for other shapes and negative votes."""

    votes: np.ndarray  # (N, 10) whole numbers
    majority: np.ndarray  # (N,) position in FERPLUS8, -1 if there is no majority
    _for_classes: dict[tuple[int, ...], _ClassVotes] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        _check_votes(self.votes)
        if self.majority.shape != (len(self.votes),):
            raise EvaluationError(
                f"the FER+ majority must have shape ({len(self.votes)},) like the votes, got {self.majority.shape}"
            )

    def __len__(self) -> int:
        return len(self.votes)

    @cached_property
    def total(self) -> np.ndarray:
        """(N,) int64: votes per image."""
        return np.asarray(self.votes.sum(axis=1, dtype=np.int64))

    @cached_property
    def agreement_tenths(self) -> np.ndarray:
        """(N,) int64: :func:`annotator_agreement` in tenths, rounded up; 0 without votes."""
        # Rounding errors must not move 3 of 10 votes to the group above 0.3.
        tenths = np.ceil(10 * np.nan_to_num(annotator_agreement(self.votes)) - 1e-6)
        return np.asarray(tenths, np.int64)

    def for_classes(self, columns: tuple[int, ...]) -> _ClassVotes:
        """The votes for the classes of a run, computed once for all runs with these classes."""
        if columns not in self._for_classes:
            votes = np.asarray(self.votes[:, columns], np.float64, order="F")
            total, with_votes = votes.sum(axis=1), self.total > 0
            shares, usable = votes / np.maximum(total, 1)[:, None], total > 0
            self._for_classes[columns] = _ClassVotes(
                shares,
                usable,
                entropy=mean_score(entr(shares).sum(axis=1)[usable], (0, math.log(len(columns)))),
                best_possible=mean_score(votes.max(axis=1)[with_votes] / self.total[with_votes], (0, 1)),
            )
        return self._for_classes[columns]

    @cached_property
    def between_annotators(self) -> Score:
        """The probability that two random annotators of an image agree, on the images with at least two votes."""
        several = self.total > 1
        n, votes = self.total[several], self.votes[several].astype(np.int64)
        agreeing_pairs = np.einsum("nk,nk->n", votes, votes) - n
        return mean_score(agreeing_pairs / (n * (n - 1)), (0, 1))


@dataclass(frozen=True)
class AgreementGroup:
    """The images for which a share ``low < share <= high`` of the votes went to one column."""

    low: float
    high: float
    accuracy: Score  # against the label of the data set
    accuracy_to_majority: Score  # against the FER+ majority, on the images that have one


@dataclass(frozen=True)
class AnnotatorComparison:
    """One network and the annotators, on the images that have votes.

    ``network``: probability that a random annotator votes for the class that the network predicts. ``annotators``:
    probability that two annotators agree. ``best_possible``: the value of ``network`` for a network that always
    predicts the class with most votes. ``cross_entropy``: nats from the votes for the classes of the run to the
    probabilities of the network; ``vote_entropy`` is its lower bound.
    """

    network: Score
    annotators: Score
    best_possible: Score
    cross_entropy: Score
    vote_entropy: Score
    groups: tuple[AgreementGroup, ...]


def compare_with_annotators(run: EvaluationRun, votes: AnnotatorVotes) -> AnnotatorComparison:
    """Compare the predictions of a run with the votes on the same images, row by row.

    Images without votes are left out; from the cross-entropy also images without a vote for any class of the run.
    Raises EvaluationError for another number of images and for a run with a class that FER+ lacks.
    """
    if len(votes) != len(run):
        raise EvaluationError(f"FER+ votes must have one row for each of {len(run)} images, got {len(votes)}")
    columns = _vote_columns(run)
    with_votes = votes.total > 0
    for_prediction = votes.votes[np.arange(len(run)), columns[run.predicted]]
    log_probabilities = np.log(np.maximum(run.probabilities, np.finfo(np.float64).tiny))
    of_classes = votes.for_classes(tuple(int(c) for c in columns))
    cross_entropy = -np.einsum("nk,nk->n", of_classes.shares, log_probabilities)
    return AnnotatorComparison(
        network=mean_score(for_prediction[with_votes] / votes.total[with_votes], (0, 1)),
        annotators=votes.between_annotators,
        best_possible=of_classes.best_possible,
        cross_entropy=mean_score(cross_entropy[of_classes.usable], (0, math.inf)),
        vote_entropy=of_classes.entropy,
        groups=_agreement_groups(run, votes, columns),
    )


def annotator_agreement(votes: np.ndarray) -> np.ndarray:
    """(N, 10) votes -> (N,): the share of the votes that went to the column with most votes; NaN without votes."""
    votes = _check_votes(votes)
    total = votes.sum(axis=1, dtype=np.float64)
    return np.asarray(np.divide(votes.max(axis=1), total, out=np.full(len(total), np.nan), where=total > 0))


@dataclass(frozen=True, eq=False)
class VoteMatrix:
    """The label of the data set (rows) against the FER+ majority (columns; the last is *no majority*)."""

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
        """How often label and majority are the same, on the images with a majority."""
        same = sum(int(self.counts[i, self.columns.index(c)]) for i, c in enumerate(self.rows) if c in self.columns)
        return wilson(same, int(self.counts[:, : len(FERPLUS8)].sum()))


def label_against_majority(labels: LabelSet, truth: np.ndarray, majority: np.ndarray) -> VoteMatrix:
    """Count labels (N,), positions in ``labels``, by FER+ majority (N,), position in FERPLUS8 or -1."""
    columns = (*FERPLUS8.classes, NO_MAJORITY)
    cells = truth * len(columns) + np.where(majority < 0, len(FERPLUS8), majority)
    counts = np.bincount(cells, minlength=len(labels) * len(columns)).reshape(len(labels), len(columns))
    return VoteMatrix(labels.classes, columns, counts)


def _agreement_groups(run: EvaluationRun, votes: AnnotatorVotes, columns: np.ndarray) -> tuple[AgreementGroup, ...]:
    with_votes, with_majority = votes.total > 0, votes.majority >= 0

    def count(images: np.ndarray) -> np.ndarray:
        return np.bincount(votes.agreement_tenths[images], minlength=11)

    n, correct = count(with_votes), count(run.correct & with_votes)
    n_majority = count(with_majority)
    as_majority = count(with_majority & (columns[run.predicted] == votes.majority))
    return tuple(
        AgreementGroup(
            (step - 1) / 10,
            step / 10,
            wilson(int(correct[step]), int(n[step])),
            wilson(int(as_majority[step]), int(n_majority[step])),
        )
        for step in range(1, 11)
        if n[step]
    )


def _vote_columns(run: EvaluationRun) -> np.ndarray:
    """The vote column of each class of the run."""
    positions = run.labels.positions_in(FERPLUS8)
    if None in positions:
        unknown = run.labels.classes[positions.index(None)]
        raise EvaluationError(
            f"FER+ has no votes on {unknown!r}, a class of {run.model_id}; choose a run with FER+ classes"
        )
    return np.asarray(positions)


def _check_votes(votes: np.ndarray) -> np.ndarray:
    if votes.ndim != 2 or votes.shape[1] != VOTE_COLUMNS:
        raise EvaluationError(
            f"FER+ votes must have shape (N, {VOTE_COLUMNS}), one row for each image, got {votes.shape}"
        )
    if votes.dtype.kind not in "iu" or (votes.size and votes.min() < 0):
        raise EvaluationError("FER+ votes must be counts from 0, got a negative or fractional number")
    return votes
