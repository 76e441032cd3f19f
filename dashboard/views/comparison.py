"""What every view of Compare reads: the chosen networks, their stored answers on one split, and how they are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.checkpoints import Checkpoint, ModelCard
from core.evaluation import EvaluationRun, RunSummary
from dashboard.theme import Form, Ink

SPLITS = {"test": "PrivateTest", "val": "PublicTest"}


@dataclass(frozen=True)
class Comparison:
    """Networks side by side on the same images. Mappings go by model id, the ensemble last where there is one."""

    checkpoints: Mapping[str, Checkpoint]  # without the ensemble
    runs: Mapping[str, EvaluationRun]
    summaries: Mapping[str, RunSummary]
    names: Mapping[str, str]
    forms: Mapping[str, Form]
    split: str  # "test" or "val"
    inks: Ink

    @property
    def cards(self) -> dict[str, ModelCard]:
        """The cards of the single networks."""
        return {model_id: c.card for model_id, c in self.checkpoints.items()}

    @property
    def split_name(self) -> str:
        """The field's name of the split."""
        return SPLITS[self.split]

    @property
    def n(self) -> int:
        """Images in the split."""
        return len(next(iter(self.runs.values())))
