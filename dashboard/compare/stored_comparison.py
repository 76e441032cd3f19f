"""The comparison that the page makes of chosen networks, without a page."""

from __future__ import annotations

from pathlib import Path

from core import checkpoints
from core.checkpoints import Checkpoint
from core.errors import CheckpointError, EvaluationError
from core.evaluation import comparable_runs, ensemble_run, summarize
from core.inference import ENSEMBLE, Predictor
from core.inference.latency import milliseconds_per_face
from dashboard.compare.comparison import Comparison
from dashboard.style import FORMS, LIGHT
from dashboard.ui.network_picker import forms, titles


def from_checkpoints(run_ids: list[str], split: str, root: Path = checkpoints.ROOT) -> tuple[Comparison, list[str]]:
    """The comparison that the page would make of these networks (none: all), and what is wrong with some of them.

    Raises CheckpointError for an unknown network, or where none has stored answers on the split.
    """
    listing = checkpoints.list_checkpoints(root)
    chosen = [listing.get(run_id) for run_id in dict.fromkeys(run_ids)] or list(listing.checkpoints)
    problems = [] if run_ids else list(listing.problems)
    runs = {}
    for checkpoint in chosen:
        try:
            runs[checkpoint.card.run_id] = checkpoint.evaluation(split)
        except (CheckpointError, EvaluationError) as error:
            problems.append(str(error))
    if not runs:
        why = problems or [f"there is no trained network in {root}; train one with: python -m core train fer_cnn"]
        raise CheckpointError("; ".join(why))
    chosen = [c for c in chosen if c.card.run_id in runs]
    together, _ = comparable_runs(list(runs.values()))
    if len(together) > 1:
        runs[ENSEMBLE] = ensemble_run(together, model_id=ENSEMBLE)
    found = Comparison(
        checkpoints={c.card.run_id: c for c in chosen},
        runs=runs,
        summaries={model_id: summarize(run) for model_id, run in runs.items()},
        names=titles(chosen) | {ENSEMBLE: "Ensemble"},
        forms=forms(chosen) | {ENSEMBLE: FORMS[ENSEMBLE]},
        milliseconds=_milliseconds(chosen),
        split=split,
        inks=LIGHT,
        weights=dict.fromkeys((r.model_id for r in together), 1.0),
    )
    return found, problems


def _milliseconds(chosen: list[Checkpoint]) -> dict[str, float]:
    found = {}
    for checkpoint in chosen:
        try:
            found[checkpoint.card.run_id] = milliseconds_per_face(Predictor.load(checkpoint))
        except CheckpointError:
            continue  # its answers are stored, so all else can be said of it
    return found
