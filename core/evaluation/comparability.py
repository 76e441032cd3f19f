"""Which networks can be compared: those with the same classes, split, images and true classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import EvaluationError
from core.evaluation.run import EvaluationRun
from core.labels import LabelSet


def comparable_groups(runs: Sequence[EvaluationRun]) -> tuple[tuple[EvaluationRun, ...], ...]:
    """The runs in groups with the same classes, split, images and true classes; the largest group first, groups of the
    same size in the order given. The runs of a group are paired: they have the same image in each row and the same
    class in each column, in the order of the first one."""
    groups: list[list[EvaluationRun]] = []
    for run in runs:
        for group in groups:
            try:
                group.append(group[0].paired_with(run)[1])
                break
            except EvaluationError:
                continue
        else:
            groups.append([run])
    return tuple(tuple(group) for group in sorted(groups, key=len, reverse=True))


@dataclass(frozen=True, eq=False)
class CommonLabels:
    """Runs with the same classes, images and true classes, by model id, in the order given.

    ``dropped_classes`` names for each run that was mapped the classes it has beyond ``labels``; its other probabilities
    were renormalized. ``excluded`` gives for each run that does not fit the reason. ``images_left_out`` counts the
    images of the reference for which a mapped run has no prediction; no run is evaluated on them.
    """

    labels: LabelSet
    runs: Mapping[str, EvaluationRun]
    dropped_classes: Mapping[str, tuple[str, ...]]
    excluded: Mapping[str, str]
    images_left_out: int = 0


def map_to_common_labels(runs: Sequence[EvaluationRun]) -> CommonLabels:
    """Map runs to the classes of the run with the fewest classes (the first of several), which is the reference.

    Classes beyond those of the reference are dropped and the rest is renormalized (FER+ to FER2013 by dropping
    contempt). A mapped run often has fewer images and other labels, as FER+ labels only images with a majority: all
    runs are then evaluated on the images they share, against the labels of the reference. Runs that lack a class, and
    runs with the classes of the reference but other images or labels, are excluded. Raises EvaluationError without any
    run.
    """
    if not runs:
        raise EvaluationError("expected at least one network, got none")
    reference = min(runs, key=lambda run: len(run.labels))
    fitting: dict[str, EvaluationRun] = {}
    dropped: dict[str, tuple[str, ...]] = {}
    excluded: dict[str, str] = {}
    for run in runs:
        extra = tuple(c for c in run.labels.classes if c not in reference.labels.classes)
        try:
            if len(run.labels) != len(reference.labels) + len(extra):
                reference.paired_with(run)  # raises an error that names the classes
            elif extra:
                fitting[run.model_id] = _mapped(run, reference)
                dropped[run.model_id] = extra
            else:
                fitting[run.model_id] = reference.paired_with(run)[1]
        except EvaluationError as error:
            excluded[run.model_id] = str(error)
    shared = reference.image_ids
    for model_id in dropped:
        shared = shared[np.isin(shared, fitting[model_id].image_ids)]
    if len(shared) < len(reference):
        fitting = {m: run.on_images(shared) for m, run in fitting.items()}
    return CommonLabels(reference.labels, fitting, dropped, excluded, len(reference) - len(shared))


def _mapped(run: EvaluationRun, reference: EvaluationRun) -> EvaluationRun:
    """The run among the classes of the reference, on the images that both have, against the reference's labels."""
    shared = reference.select(np.isin(reference.image_ids, run.image_ids))
    if not len(shared):
        raise EvaluationError(
            f"{reference.model_id} and {run.model_id} have no image in common; evaluate both on the same split"
        )
    return run.on_images(shared.image_ids).mapped_to(reference.labels, truth=shared.truth)
