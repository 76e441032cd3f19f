"""Which images a network still classifies correctly under each corruption, and how much accuracy that costs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from core.errors import RobustnessError
from core.evaluation import Score, wilson
from core.evaluation.intervals import RESAMPLES, UNDEFINED, percentile_score
from core.evaluation.intervals import SEED as BOOTSTRAP_SEED
from core.robustness.corruptions import CORRUPTIONS, SEED, STRENGTHS

Condition = tuple[str, int]  # corruption and strength
CLEAN: Condition = ("none", 0)
CONDITIONS: tuple[Condition, ...] = (CLEAN, *((name, strength) for name in CORRUPTIONS for strength in STRENGTHS))
PRECISION = "float32"  # of the arithmetic in every measurement, as for the scores of the card


@dataclass(frozen=True, eq=False)
class Robustness:
    """One network on the N images of a split, unchanged and under every corruption at every strength.

    ``correct`` maps each condition, (corruption, strength) or CLEAN, to whether each image is classified correctly.
    ``mirror_consistency`` is the share of images whose mirror image gets the same prediction; None if the predictions
    stored with the network do not include mirror images.
    """

    model_id: str
    split: str
    weights_sha256: str
    correct: Mapping[Condition, np.ndarray]  # (N,) bool each
    mirror_consistency: Score | None = None

    def __post_init__(self) -> None:
        where = f"robustness of {self.model_id} on {self.split}"
        missing = [c for c in CONDITIONS if c not in self.correct]
        unknown = [c for c in self.correct if c not in CONDITIONS]
        if missing or unknown:
            problem = f"lacks {describe(missing[0])}" if missing else f"has the unknown {describe(unknown[0])}"
            raise RobustnessError(f"{where} {problem}; expected all {len(CONDITIONS)} conditions")
        for condition, of_images in self.correct.items():
            if of_images.dtype != np.bool_ or of_images.shape != (self.n,):
                raise RobustnessError(
                    f"{where}, {describe(condition)}: expected bool ({self.n},), "
                    f"got {of_images.dtype} {of_images.shape}"
                )

    @property
    def n(self) -> int:
        """The number of images."""
        return len(self.correct[CLEAN])

    @property
    def clean(self) -> Score:
        """The accuracy on the unchanged images, with Wilson's interval."""
        return self.accuracy(*CLEAN)

    def accuracy(self, corruption: str, strength: int) -> Score:
        """The accuracy under one condition, with Wilson's interval."""
        return self._accuracies[corruption, strength]

    def relative_drop(self, corruption: str | None = None) -> Score:
        """The mean of (clean accuracy - accuracy) / clean accuracy over the strengths of a corruption, or over all
        corruptions and strengths if it is None.

        0 means that no accuracy is lost, 1 that all is. The interval is a percentile bootstrap of the images. Not
        defined for a network that classifies no unchanged image correctly.
        """
        return self._drops[corruption]

    @cached_property
    def _accuracies(self) -> dict[Condition, Score]:
        return {c: wilson(int(np.count_nonzero(self.correct[c])), self.n) for c in CONDITIONS}

    @cached_property
    def _drops(self) -> dict[str | None, Score]:
        # The number of strengths at which each image is classified correctly; at most 45, which fits a byte.
        survived: dict[str | None, np.ndarray] = {
            name: np.add.reduce([self.correct[name, strength] for strength in STRENGTHS], dtype=np.uint8)
            for name in CORRUPTIONS
        }
        drops = {name: self._drop(of_images, len(STRENGTHS)) for name, of_images in survived.items()}
        total = np.add.reduce(list(survived.values()), dtype=np.uint8)
        return drops | {None: self._drop(total, len(STRENGTHS) * len(CORRUPTIONS))}

    def _drop(self, survived: np.ndarray, conditions: int) -> Score:
        """From the number of conditions, out of ``conditions``, that each image survives, (N,) uint8."""
        clean = self.correct[CLEAN]
        if not clean.any():
            return UNDEFINED
        # The drop is one minus a ratio of two sums over images, so that only the number of images with each pair of
        # values counts: a bootstrap resample is one multinomial draw.
        groups = np.bincount(clean.view(np.uint8) * np.uint8(conditions + 1) + survived, minlength=2 * (conditions + 1))
        clean_of_group, survived_of_group = np.divmod(np.arange(len(groups)), conditions + 1)
        drawn = np.random.default_rng(BOOTSTRAP_SEED).multinomial(self.n, groups / self.n, RESAMPLES)
        base = (drawn @ clean_of_group).astype(float)
        base[base == 0] = math.nan
        value = 1 - float(groups @ survived_of_group) / conditions / float(groups @ clean_of_group)
        return percentile_score(value, 1 - drawn @ survived_of_group / conditions / base, self.n)

    def table(self) -> pd.DataFrame:
        """One row per condition, for a file."""
        rows = []
        for condition in CONDITIONS:
            score = self.accuracy(*condition)
            rows.append(
                {
                    "network": self.model_id,
                    "corruption": condition[0],
                    "strength": condition[1],
                    "setting": setting(condition),
                    "n": self.n,
                    "correct": int(self.correct[condition].sum()),
                    "accuracy": score.value,
                    "low": score.low,
                    "high": score.high,
                    "seed": SEED,
                    "precision": PRECISION,
                }
            )
        return pd.DataFrame(rows)


def setting(condition: Condition) -> float:
    """The value of a corruption at its strength; 0 for the unchanged images."""
    name, strength = condition
    return 0.0 if condition == CLEAN else float(CORRUPTIONS[name].settings[strength - 1])


def describe(condition: tuple[str, object]) -> str:
    """A condition in words, e.g. ``"blur 3"``."""
    return "the unchanged images" if condition == CLEAN else f"{condition[0]} {condition[1]}"
