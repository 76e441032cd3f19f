"""Which networks answered the same questions, and networks with different classes as members of one ensemble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import EvaluationError
from core.evaluation.run import EvaluationRun
from core.labels import LabelSet


def same_questions(runs: Sequence[EvaluationRun]) -> tuple[list[EvaluationRun], dict[str, str]]:
    """The largest group of runs with the same classes, images and true classes, paired; and for each other run, by
    model id, what keeps it out. Of equally large groups the first one's.
    """
    best: tuple[list[EvaluationRun], dict[str, str]] = [], {}
    for first in runs:
        kept, refused = [], {}
        for run in runs:
            try:
                kept.append(first.paired_with(run)[1])
            except EvaluationError as error:
                refused[run.model_id] = str(error)
        if len(kept) > len(best[0]):
            best = kept, refused
        if len(kept) > len(runs) / 2:
            break
    return best


@dataclass(frozen=True, eq=False)
class Members:
    """Runs with the same classes, the same images and the same true classes, by model id, in the order given.

    ``dropped`` names, for each run that was mapped, the classes it knows beyond ``labels``; its other probabilities
    were renormalized. ``refused`` says for each run that is no member why. ``left_out`` counts the images of the
    reference that a mapped run did not answer, and that are therefore scored for nobody.
    """

    labels: LabelSet
    runs: Mapping[str, EvaluationRun]
    dropped: Mapping[str, tuple[str, ...]]
    refused: Mapping[str, str]
    left_out: int = 0


def on_one_label_set(runs: Sequence[EvaluationRun]) -> Members:
    """Bring runs to the classes of the one with the fewest (the first of equals), which is the reference.

    A run with further classes is mapped: they are dropped and the rest is renormalized (FER+ to FER2013 by dropping
    contempt). Such a run is often scored on fewer images under labels of its own, as FER+ keeps a majority label only:
    all are then scored on the images they share, against the reference's labels. Runs that lack a class, and runs with
    the reference's own classes over other images or labels, are refused. Raises EvaluationError without any run.
    """
    if not runs:
        raise EvaluationError("an ensemble needs at least one network, got none")
    reference = min(runs, key=lambda run: len(run.labels))
    kept: dict[str, EvaluationRun] = {}
    dropped: dict[str, tuple[str, ...]] = {}
    refused: dict[str, str] = {}
    for run in runs:
        extra = tuple(c for c in run.labels.classes if c not in reference.labels.classes)
        try:
            if len(run.labels) != len(reference.labels) + len(extra):
                reference.paired_with(run)  # says which classes differ
            elif extra:
                kept[run.model_id] = _mapped(run, reference)
            else:
                same_order = run.labels.classes == reference.labels.classes
                turned = run if same_order else run.mapped_to(reference.labels)
                kept[run.model_id] = reference.paired_with(turned)[1]
        except EvaluationError as error:
            refused[run.model_id] = str(error)
            continue
        if extra:
            dropped[run.model_id] = extra
    shared = reference.image_ids
    for model_id in dropped:
        shared = shared[np.isin(shared, kept[model_id].image_ids)]
    if len(shared) < len(reference):
        kept = {m: run.on_images(shared) for m, run in kept.items()}
    return Members(reference.labels, kept, dropped, refused, len(reference) - len(shared))


def _mapped(run: EvaluationRun, reference: EvaluationRun) -> EvaluationRun:
    """The run among the reference's classes, on the images both answered, against the reference's labels."""
    shared = reference.select(np.isin(reference.image_ids, run.image_ids))
    if not len(shared):
        raise EvaluationError(
            f"{reference.model_id} and {run.model_id} have no image in common; evaluate both on the same split"
        )
    return run.on_images(shared.image_ids).mapped_to(reference.labels, truth=shared.truth)
