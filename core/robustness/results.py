"""Which images a network still gets right under each perturbation, and what that costs of its accuracy."""

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
from core.robustness.perturbations import PERTURBATIONS, SEED, STRENGTHS

CLEAN = ("none", 0)
Condition = tuple[str, int]  # perturbation and strength
CONDITIONS: tuple[Condition, ...] = (CLEAN, *((name, strength) for name in PERTURBATIONS for strength in STRENGTHS))


@dataclass(frozen=True, eq=False)
class Robustness:
    """One network on one split, N images, as they are and under every perturbation at every strength.

    ``right`` goes by condition: (perturbation, strength), and ``("none", 0)`` for the images as they are.
    """

    model_id: str
    split: str
    weights_sha256: str
    right: Mapping[Condition, np.ndarray]  # (N,) bool each
    seed: int = SEED

    def __post_init__(self) -> None:
        missing = [c for c in CONDITIONS if c not in self.right]
        unknown = [c for c in self.right if c not in CONDITIONS]
        if missing or unknown:
            what = f"lacks {in_words(missing[0])}" if missing else f"has {in_words(unknown[0])}, which is not known"
            raise RobustnessError(
                f"robustness of {self.model_id} on {self.split} {what}; expected all {len(CONDITIONS)}"
            )
        for condition, of_images in self.right.items():
            if of_images.dtype != np.bool_ or of_images.shape != (self.n,):
                raise RobustnessError(
                    f"robustness of {self.model_id} on {self.split}, {in_words(condition)}: expected bool ({self.n},), "
                    f"got {of_images.dtype} {of_images.shape}"
                )

    @property
    def n(self) -> int:
        """Images."""
        return len(self.right[CLEAN])

    @property
    def clean(self) -> Score:
        """Accuracy on the images as they are, with Wilson's interval."""
        return self.accuracy(*CLEAN)

    def accuracy(self, perturbation: str, strength: int) -> Score:
        """Accuracy under one condition, with Wilson's interval."""
        return self._accuracies[perturbation, strength]

    def relative_drop(self, perturbation: str | None = None) -> Score:
        """The mean over strengths, and over all perturbations for None, of (clean - perturbed) / clean accuracy.

        0: nothing is lost; 1: all is. The interval is a percentile bootstrap of the images, each with all its answers.
        Not defined for a network that gets no image right as it is.
        """
        return self._drops[perturbation]

    @cached_property
    def _accuracies(self) -> dict[Condition, Score]:
        return {c: wilson(int(np.count_nonzero(self.right[c])), self.n) for c in CONDITIONS}

    @cached_property
    def _drops(self) -> dict[str | None, Score]:
        # How many of the strengths an image survives; 45 at most, so that a byte holds it.
        kept: dict[str | None, np.ndarray] = {}
        for name in PERTURBATIONS:
            kept[name] = np.zeros(self.n, np.uint8)
            for strength in STRENGTHS:
                kept[name] += self.right[name, strength]
        drops = {name: self._drop(of_images, len(STRENGTHS)) for name, of_images in kept.items()}
        total = np.add.reduce(list(kept.values()), dtype=np.uint8)
        return drops | {None: self._drop(total, len(STRENGTHS) * len(PERTURBATIONS))}

    def _drop(self, kept: np.ndarray, conditions: int) -> Score:
        """From the number of conditions, of that many, that each image survives, (N,) uint8."""
        clean = self.right[CLEAN]
        if not clean.any():
            return UNDEFINED
        # The figure is one minus a ratio of two means over images, so images with the same two numbers are alike: a
        # resample is a handful of counts and costs nothing at a million images.
        groups = np.bincount(clean.view(np.uint8) * np.uint8(conditions + 1) + kept, minlength=2 * (conditions + 1))
        was_right, now_right = np.divmod(np.arange(len(groups)), conditions + 1)
        drawn = np.random.default_rng(BOOTSTRAP_SEED).multinomial(self.n, groups / self.n, RESAMPLES)
        base = (drawn @ was_right).astype(float)
        base[base == 0] = math.nan
        value = 1 - float(groups @ now_right) / conditions / float(groups @ was_right)
        return percentile_score(value, 1 - drawn @ now_right / conditions / base, self.n)

    def table(self) -> pd.DataFrame:
        """One row a condition, for a file: what it was set to, correct answers, images, accuracy with its interval."""
        rows = []
        for name, strength in CONDITIONS:
            score = self.accuracy(name, strength)
            rows.append(
                {
                    "network": self.model_id,
                    "perturbation": name,
                    "strength": strength,
                    "value": value_of((name, strength)),
                    "n": self.n,
                    "correct": int(self.right[name, strength].sum()),
                    "accuracy": score.value,
                    "low": score.low,
                    "high": score.high,
                    "seed": self.seed,
                }
            )
        return pd.DataFrame(rows)


def value_of(condition: Condition) -> float:
    """What a perturbation is set to; 0 for the images as they are."""
    name, strength = condition
    return 0.0 if condition == CLEAN else float(PERTURBATIONS[name].settings[strength - 1])


def in_words(condition: tuple[str, object]) -> str:
    """``"blur 3"``."""
    return "the images as they are" if condition == CLEAN else f"{condition[0]} {condition[1]}"
