"""Runs for the evaluation tests: random ones, and ones with given predictions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from core.evaluation import EvaluationRun
from core.labels import FER7, LabelSet


# Session-wide, so that hypothesis may use them: they have no state.
@pytest.fixture(scope="session")
def make_run() -> Callable[..., EvaluationRun]:
    """N images whose logits favor the truth by ``skill``; different seeds are different networks on one test set."""

    def make(
        n: int = 400, *, seed: int = 0, skill: float = 1.5, labels: LabelSet = FER7, **fields: object
    ) -> EvaluationRun:
        shared, own = np.random.default_rng(1), np.random.default_rng(100 + seed)
        k = len(labels)
        truth = shared.integers(0, k, n)
        common = shared.normal(size=(n, k))
        values = {
            "model_id": f"network_{seed}",
            "split": "test",
            "labels": labels,
            "image_ids": np.arange(n) + 1000,
            "truth": truth,
            "logits": (common + own.normal(size=(n, k)) + skill * np.eye(k)[truth]).astype(np.float32),
            "copy_in_train": shared.random(n) < 0.1,
        }
        return EvaluationRun(**(values | fields))

    return make


@pytest.fixture(scope="session")
def run_from() -> Callable[..., EvaluationRun]:
    """A run with given probabilities (N, K) and the classes a, b, c ..."""

    def make(truth: Sequence[int], probabilities: Sequence[Sequence[float]], **fields: object) -> EvaluationRun:
        p = np.asarray(probabilities, np.float64)
        values = {
            "model_id": "network",
            "split": "test",
            "labels": LabelSet("letters", tuple("abcdefgh"[: p.shape[1]])),
            "image_ids": np.arange(len(truth)),
            "truth": np.asarray(truth),
            "logits": np.log(np.maximum(p, 1e-30)),
        }
        return EvaluationRun(**(values | fields))

    return make


@pytest.fixture(scope="session")
def predicting(run_from: Callable[..., EvaluationRun]) -> Callable[..., EvaluationRun]:
    """A run that predicts given classes: ``predicting(truth, predicted, classes)``."""

    def make(truth: Sequence[int], predicted: Sequence[int], classes: int = 3, **fields: object) -> EvaluationRun:
        return run_from(truth, 0.1 / classes + 0.9 * np.eye(classes)[list(predicted)], **fields)

    return make
