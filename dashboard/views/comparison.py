"""What every view of Compare reads: the chosen networks, their stored answers on one split, and how they are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.checkpoints import Checkpoint, ModelCard
from core.evaluation import EvaluationError, EvaluationRun, RunSummary
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
    milliseconds: Mapping[str, float]  # a face on this machine, by single network; without those that do not load
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

    def comparable(self) -> tuple[dict[str, EvaluationRun], list[str]]:
        """The runs on the same images and classes as the first, and a sentence for each other one."""
        first, *others = self.runs.items()
        kept, left_out = dict([first]), []
        for model_id, run in others:
            try:
                kept[model_id] = first[1].paired_with(run)[1]
            except EvaluationError as error:
                left_out.append(f"{self.names[model_id]} is left out: {error}.")
        return kept, left_out
