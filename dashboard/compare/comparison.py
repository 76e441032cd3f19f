"""What every view of Compare reads: the chosen networks, their stored answers on one split, and how they are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from core.checkpoints import Checkpoint, ModelCard
from core.evaluation import EvaluationRun, RunSummary, comparable_runs
from core.inference import ENSEMBLE
from dashboard.style import Form, Ink

SPLITS = {"test": "PrivateTest", "val": "PublicTest"}


@dataclass(frozen=True)
class Comparison:
    """Networks side by side. Mappings go by model id, the ensemble last where there is one."""

    checkpoints: Mapping[str, Checkpoint]  # without the ensemble
    runs: Mapping[str, EvaluationRun]
    summaries: Mapping[str, RunSummary]
    names: Mapping[str, str]
    forms: Mapping[str, Form]
    milliseconds: Mapping[str, float]  # a face on this machine, by single network; without those that do not load
    split: str  # "test" or "val"
    inks: Ink
    weights: Mapping[str, float]  # what each single network counts in the ensemble, 0 to 1

    @property
    def cards(self) -> dict[str, ModelCard]:
        """The cards of the single networks."""
        return {model_id: c.card for model_id, c in self.checkpoints.items()}

    @property
    def members(self) -> dict[str, float]:
        """The weights above 0 of the comparable networks: those that an ensemble is made of."""
        return {m: self.weights[m] for m in self._together[0] if self.weights.get(m, 0) > 0}

    @property
    def weights_in_words(self) -> str:
        """One sentence on an ensemble whose members do not count alike; nothing for any other."""
        if ENSEMBLE not in self.runs or len(set(self.members.values())) <= 1:
            return ""
        return f" {self.names[ENSEMBLE]}: {', '.join(f'{self.names[m]} {w:g}' for m, w in self.members.items())}."

    @property
    def split_name(self) -> str:
        """The field's name of the split."""
        return SPLITS[self.split]

    @property
    def n(self) -> int:
        """Images that the comparable networks answered."""
        return len(next(iter(self._together[0].values())))

    def comparable(self) -> tuple[dict[str, EvaluationRun], list[str]]:
        """The runs on the same images with the same classes, most of all, and a sentence for each other one."""
        return self._together

    @cached_property
    def _together(self) -> tuple[dict[str, EvaluationRun], list[str]]:
        kept, refused = comparable_runs(list(self.runs.values()))
        left_out = [f"{self.names[model_id]} is left out: {why}." for model_id, why in refused.items()]
        return {run.model_id: run for run in kept}, left_out
