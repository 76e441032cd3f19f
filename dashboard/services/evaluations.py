"""Stored predictions of networks on data sets, and what is computed from them.

Cached resources are shared by all sessions and never modified; every cache is bounded.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from core.checkpoints import Checkpoint
from core.evaluation import EvaluationRun, RunSummary, ensemble_run, summarize
from core.evaluation import error_table as make_error_table
from core.evaluation.embedding import Embedding
from core.inference import (
    ENSEMBLE,
    stored_embedding,
)
from core.robustness import Robustness, load_robustness
from dashboard.services.networks import changed
from dashboard.services.shelf import Shelf


def evaluation(checkpoint: Checkpoint, split: str) -> EvaluationRun:
    """The stored answers of a network. Raises CheckpointError when it has none for that split."""
    card, stamp = checkpoint.card, changed(checkpoint.predictions_path(split))
    return _evaluation(card.run_id, card.weights_sha256, card.temperature, split, stamp, checkpoint)


@st.cache_resource(max_entries=32, show_spinner=False)
def _evaluation(
    run_id: str,  # noqa: ARG001
    sha256: str,  # noqa: ARG001
    temperature: float,  # noqa: ARG001
    split: str,
    stamp: int,  # noqa: ARG001
    _checkpoint: Checkpoint,
) -> EvaluationRun:
    return _checkpoint.evaluation(split)


def ensemble(runs: list[EvaluationRun], weights: Sequence[float] | None = None) -> EvaluationRun:
    """The weighted mean of the networks' probabilities. Raises EvaluationError for runs on other images."""
    shares = tuple(weights or [1.0] * len(runs))
    return _ensemble(runs[0].split, tuple((r.model_id, r.temperature, logits_key(r)) for r in runs), shares, runs)


@st.cache_resource(max_entries=4, show_spinner=False)
def _ensemble(
    split: str,  # noqa: ARG001
    key: tuple[tuple[str, float, float], ...],  # noqa: ARG001
    weights: tuple[float, ...],
    _runs: list[EvaluationRun],
) -> EvaluationRun:
    return ensemble_run(_runs, weights, model_id=ENSEMBLE)


def summary(run: EvaluationRun) -> RunSummary:
    """Scores with intervals, computed once for an evaluation."""
    return _summary(run.model_id, run.split, run.temperature, logits_key(run), run)


def logits_key(run: EvaluationRun) -> float:
    """Tells two evaluations of the same name apart: a retrained network has other logits."""
    return float(np.float64(run.logits.sum()))


@st.cache_resource(max_entries=64, show_spinner=False)
def _summary(model_id: str, split: str, temperature: float, key: float, _run: EvaluationRun) -> RunSummary:  # noqa: ARG001
    return summarize(_run)


def history(checkpoint: Checkpoint) -> pd.DataFrame:
    """One row an epoch; empty where the run kept none."""
    return checkpoint.history()


def error_table(run: EvaluationRun, others: list[EvaluationRun]) -> pd.DataFrame:
    """One row an image of ``run``, with what the others answered. Raises EvaluationError for runs on other images."""
    key = tuple((r.model_id, r.temperature, logits_key(r)) for r in [run, *others])
    return _error_table(run.split, key, run, others)


@st.cache_resource(max_entries=8, show_spinner=False)
def _error_table(
    split: str,  # noqa: ARG001
    key: tuple[tuple[str, float, float], ...],  # noqa: ARG001
    _run: EvaluationRun,
    _others: list[EvaluationRun],
) -> pd.DataFrame:
    return make_error_table(_run, _others)


def robustness(checkpoint: Checkpoint, split: str) -> Robustness | None:
    """What was measured under perturbations; None where nothing was. Raises RobustnessError for a damaged file."""
    path = checkpoint.robustness_path(split)
    return _robustness(str(path), changed(path), checkpoint.card.weights_sha256, split, checkpoint)


@st.cache_resource(max_entries=32, show_spinner=False)
def _robustness(path: str, stamp: int, sha256: str, split: str, _checkpoint: Checkpoint) -> Robustness | None:  # noqa: ARG001
    return load_robustness(_checkpoint, split)


def embedding(checkpoint: Checkpoint, split: str) -> Embedding:
    """Where a network puts the images of a split. Raises CheckpointError naming the command that makes it."""
    path = checkpoint.embeddings_path(split)
    stamp = path.stat().st_mtime_ns if path.is_file() else 0
    return _embedding(str(path), stamp, checkpoint.card.weights_sha256, split, checkpoint)


@st.cache_resource(max_entries=8, show_spinner=False)
def _embedding(path: str, stamp: int, sha256: str, split: str, _checkpoint: Checkpoint) -> Embedding:  # noqa: ARG001
    return stored_embedding(_checkpoint, split)


@st.cache_resource(max_entries=1, show_spinner=False)
def map_shelf() -> Shelf:
    """Where Compare keeps the t-SNE maps, each made with its progress shown."""
    return Shelf(16)
