"""Networks against the ten annotators of FER+ (Barsoum et al. 2016).

Votes are (N, 10) counts aligned with a run's rows: neutral, happiness, surprise, sadness, anger, disgust, fear,
contempt, unknown, NF (no face).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy

from core.errors import EvaluationError
from core.evaluation.intervals import Score, mean_score, wilson
from core.evaluation.probabilities import by_blocks, first_highest
from core.evaluation.run import EvaluationRun
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
    of an image agree. ``favorite``: that chance for the class with most votes, the best answer there is.
    ``cross_entropy``: nats from the votes on the run's classes to the network's probabilities;
    ``vote_entropy`` is its lower bound.
    """

    network: Score
    annotators: Score
    favorite: Score
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
    return _majority(np.ascontiguousarray(_checked(votes).T))


@dataclass(frozen=True, eq=False)
class AnnotatorVotes:
    """The votes on N images and what they say without any network, worked out once for all networks.

    ``agreement`` is the share of the votes that the most chosen column got, 0 without votes; ``majority`` the position
    in FERPLUS8, -1 for none.
    """

    by_column: np.ndarray  # (10, N): sums over N images, not over ten numbers
    total: np.ndarray  # (N,) float64
    agreement: np.ndarray  # (N,) float64
    majority: np.ndarray  # (N,) int64
    annotators: Score

    @classmethod
    def of(cls, votes: np.ndarray) -> AnnotatorVotes:
        """From (N, 10) counts. Raises EvaluationError for another shape and for negative counts."""
        by_column = np.ascontiguousarray(_checked(votes).T)
        total, agreement, pairs = (np.zeros(by_column.shape[1]) for _ in range(3))

        def fill(rows: slice) -> None:
            counts = by_column[:, rows].astype(np.float64)
            n = counts.sum(axis=0)
            total[rows] = n
            np.divide(counts.max(axis=0), n, out=agreement[rows], where=n > 0)
            same = np.einsum("kn,kn->n", counts, counts) - n  # ordered pairs of votes for the same column
            np.divide(same, n * (n - 1), out=pairs[rows], where=n > 1)

        by_blocks(fill, len(total))
        return cls(by_column, total, agreement, _majority(by_column), mean_score(pairs[total > 1]))

    def __len__(self) -> int:
        return len(self.total)


def human_agreement(run: EvaluationRun, votes: np.ndarray | AnnotatorVotes) -> HumanAgreement:
    """Compare a run with the votes on the same rows. Raises EvaluationError for votes of another shape.

    Images without votes are left out; so are, for the cross-entropy, images with no vote for any class of the run.
    """
    columns = _columns_of(run)
    of_images = votes if isinstance(votes, AnnotatorVotes) else AnnotatorVotes.of(_checked(votes, len(run)))
    if len(of_images) != len(run):
        raise EvaluationError(f"FER+ votes must have one row for each of {len(run)} images, got {len(of_images)}")
    by_column, total = of_images.by_column, of_images.total
    # Counts are few numbers, so c log c is looked up.
    c_log_c = xlogy(counts := np.arange(int(by_column.max(initial=0)) + 1), counts)
    says, favorite, cross_entropy, entropy, on_classes = (np.empty(len(run)) for _ in range(5))

    def fill(rows: slice) -> None:
        of_classes = by_column[columns, rows]
        predicted, n = run.predicted[rows], of_classes.sum(axis=0, dtype=np.float64)
        says[rows] = of_classes[predicted, np.arange(len(predicted))]
        favorite[rows] = of_classes.max(axis=0)
        on_classes[rows] = n
        # log p(k) = z(k) - z(predicted) + log p(predicted): one logarithm an image, of a number that is at least 1/K.
        scores = run.logits[rows].T / run.temperature
        offset = np.log(run.confidence[rows]) - scores[predicted, np.arange(len(predicted))]
        n_or_1 = np.maximum(n, 1)
        cross_entropy[rows] = -np.einsum("kn,kn->n", of_classes, scores + offset) / n_or_1
        # The entropy of shares c/n is log n - sum(c log c) / n.
        entropy[rows] = np.log(n_or_1) - c_log_c[of_classes].sum(axis=0) / n_or_1

    by_blocks(fill, len(run))
    seen, usable = total > 0, on_classes > 0
    return HumanAgreement(
        network=mean_score(says[seen] / total[seen]),
        annotators=of_images.annotators,
        favorite=mean_score(favorite[seen] / total[seen]),
        cross_entropy=mean_score(cross_entropy[usable]),
        vote_entropy=mean_score(entropy[usable]),
        groups=_groups(run, of_images, columns),
    )


def annotator_agreement(votes: np.ndarray) -> np.ndarray:
    """(N, 10) votes -> (N,) share of the votes that the most chosen column got; NaN without votes."""
    by_column = np.ascontiguousarray(_checked(votes).T)
    total = by_column.sum(axis=0, dtype=np.float64)
    return np.asarray(np.divide(by_column.max(axis=0), total, out=np.full(len(total), np.nan), where=total > 0))


def label_against_votes(run: EvaluationRun, votes: np.ndarray) -> VoteMatrix:
    """:func:`truth_against_votes` for the labels that a run was scored against."""
    return truth_against_votes(run.labels, run.truth, _checked(votes, len(run)))


def truth_against_votes(labels: LabelSet, truth: np.ndarray, votes: np.ndarray) -> VoteMatrix:
    """Count labels (N,) by FER+ majority: how often the two labelings of the same faces differ."""
    majority = ferplus_majority(_checked(votes, len(truth)))
    columns = (*FERPLUS8.classes, "no majority")
    cells = truth * len(columns) + np.where(majority == NO_MAJORITY, EXPRESSIONS, majority)
    counts = np.bincount(cells, minlength=len(labels) * len(columns)).reshape(len(labels), len(columns))
    return VoteMatrix(labels.classes, columns, counts)


def _groups(run: EvaluationRun, votes: AnnotatorVotes, columns: np.ndarray) -> tuple[AgreementGroup, ...]:
    tenth = np.ceil(10 * votes.agreement - 1e-6).astype(
        np.int64
    )  # 3 of 10 votes must not fall on the wrong side of 0.3
    judged, seen = votes.majority != NO_MAJORITY, votes.total > 0

    def counts(of: np.ndarray) -> np.ndarray:
        return np.bincount(tenth[of], minlength=11)

    sizes, right = counts(seen), counts(run.correct & seen)
    sizes_judged, right_judged = counts(judged), counts(judged & (columns[run.predicted] == votes.majority))
    return tuple(
        AgreementGroup(
            (step - 1) / 10,
            step / 10,
            wilson(int(right[step]), int(sizes[step])),
            wilson(int(right_judged[step]), int(sizes_judged[step])),
        )
        for step in range(1, 11)
        if sizes[step]
    )


def _majority(by_column: np.ndarray) -> np.ndarray:
    """Votes (10, N) -> (N,) position in FERPLUS8, -1 for no majority."""
    found = np.empty(by_column.shape[1], np.int64)

    def fill(rows: slice) -> None:
        kept = np.where(by_column[:, rows] > 1, by_column[:, rows], 0)
        winner = first_highest(kept.T).astype(np.int64)
        wins = 2 * kept.max(axis=0).astype(np.int64) > kept.sum(axis=0, dtype=np.int64)
        found[rows] = np.where(wins & (winner < EXPRESSIONS), winner, NO_MAJORITY)

    by_blocks(fill, len(found))
    return found


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
    if votes.size and not (votes >= 0).all():  # false for NaN too
        raise EvaluationError("FER+ votes are counts from 0, got a negative number or NaN")
    return votes if votes.dtype.kind in "iu" else votes.astype(np.int64)
