"""Scores of a network on one split of a data set."""

from __future__ import annotations

from core.data.info import DatasetInfo
from core.evaluation import EvaluationRun, RunSummary
from core.records.base import Record, ScoreRecord
from core.records.predictions import LabelsRecord


class EvaluationRecord(Record):
    """Scores with their intervals; null for a score that is not defined."""

    run: str
    split: str
    n: int
    data: str  # title of the data set
    fingerprint: str
    labels: LabelsRecord  # the classes that the network chose among
    note: str  # why the scores cannot be compared with those of the card; empty where they can
    accuracy: ScoreRecord
    accuracy_without_copies: ScoreRecord | None  # without images that have an exact copy in the training images
    macro_f1: ScoreRecord
    balanced_accuracy: ScoreRecord

    @classmethod
    def of(cls, run: EvaluationRun, summary: RunSummary, data: DatasetInfo, note: str) -> EvaluationRecord:
        """The scores of one evaluation."""
        return cls.model_validate(
            {
                "run": run.model_id,
                "split": run.split,
                "n": summary.n,
                "data": data.title,
                "fingerprint": data.fingerprint,
                "labels": run.labels,
                "note": note,
                "accuracy": summary.accuracy,
                "accuracy_without_copies": summary.accuracy_without_copies,
                "macro_f1": summary.macro_f1,
                "balanced_accuracy": summary.balanced_accuracy,
            }
        )
