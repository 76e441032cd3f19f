"""What views of Compare and its report both work out; nothing is drawn here, what is missing is said in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core import evaluation
from core.data import ImageFacts, ferplus_majority
from core.errors import DataError, EvaluationError
from core.evaluation import (
    AnnotatorComparison,
    AnnotatorVotes,
    EvaluationRun,
    VoteMatrix,
    annotator_agreement,
    compare_with_annotators,
)
from dashboard import services
from dashboard.compare.comparison import Comparison

COPY = "copy in Training"
PARAMETERS, MACS, MILLISECONDS = COSTS = ("parameters", "multiply-accumulates", "milliseconds")


@dataclass(frozen=True)
class Note:
    """A sentence about what a figure lacks; a warning where something was left out or cannot be read."""

    text: str
    is_warning: bool = False


def image_facts(comparison: Comparison) -> tuple[dict[str, ImageFacts], list[Note]]:
    """By model id the table of numbers on a network's images; where none fits, it is not there."""
    found: dict[str, ImageFacts] = {}
    missing: dict[str, list[str]] = {}
    cards = comparison.cards
    for model_id in comparison.runs:
        # The ensemble answered its members' images.
        card = cards.get(model_id) or next(c for m, c in cards.items() if m in comparison.runs)
        try:
            found[model_id] = services.facts(card)
        except DataError as error:
            missing.setdefault(str(error), []).append(comparison.names[model_id])
    return found, [Note(f"{', '.join(names)}: {why}.") for why, names in missing.items()]


def slice_columns(
    runs: Mapping[str, EvaluationRun], tables: Mapping[str, ImageFacts]
) -> tuple[dict[str, np.ndarray], list[Note]]:
    """What the images of runs over the same N images can be sliced by, each (N,)."""
    run = next(iter(runs.values()))
    columns: dict[str, np.ndarray] = {}
    notes = []
    facts = next((tables[m] for m in runs if m in tables), None)
    if facts is not None:
        try:
            facts = facts.at(run.image_ids)
            columns = {name: getattr(facts, name) for name in ("brightness", "contrast", "sharpness")}
        except DataError as error:
            notes.append(Note(f"No image statistics: {error}.", is_warning=True))
            facts = None
    if facts is not None and facts.votes is not None:
        columns["agreement"] = annotator_agreement(facts.votes).round(6)
    elif facts is not None:
        notes.append(Note(f"The images of {facts.name} carry no FER+ votes: no slices by agreement."))
    copies = run.copy_in_train if run.copy_in_train is not None or facts is None else facts.copy_in_train
    if copies is None:
        notes.append(Note("Which images have a copy in Training is not known."))
    else:
        columns[COPY] = copies
    return columns, notes


def beside_annotators(
    comparison: Comparison, tables: Mapping[str, ImageFacts]
) -> tuple[dict[str, AnnotatorComparison], list[Note]]:
    """By model id; a network that cannot be compared with votes is left out and named."""
    results = {}
    notes = []
    known: list[tuple[ImageFacts, np.ndarray, AnnotatorVotes]] = []  # most networks answered the same images
    for model_id, facts in tables.items():
        name = comparison.names[model_id]
        if facts.votes is None:
            notes.append(Note(f"{name}: the images of {facts.name} carry no FER+ votes."))
            continue
        run = comparison.runs[model_id]
        try:
            votes = next((v for f, ids, v in known if f is facts and np.array_equal(ids, run.image_ids)), None)
            if votes is None:
                of_images = facts.at(run.image_ids).votes
                assert of_images is not None  # the whole table has them
                votes = AnnotatorVotes(of_images, ferplus_majority(of_images))
                known.append((facts, run.image_ids, votes))
            results[model_id] = compare_with_annotators(run, votes)
        except (DataError, EvaluationError) as error:
            notes.append(Note(f"{name} is left out: {error}.", is_warning=True))
    return results, notes


def voted(results: Mapping[str, AnnotatorComparison], tables: Mapping[str, ImageFacts]) -> list[ImageFacts]:
    """The tables behind ``results``, each data set once."""
    return list({f.fingerprints[0]: f for m, f in tables.items() if m in results}.values())


def label_against_majority(facts: ImageFacts, split: str) -> VoteMatrix:
    """The labels of a split of a data set with votes against what most of its annotators say."""
    rows = facts.split == split
    if facts.votes is None:
        raise DataError(f"the images of {facts.name} carry no FER+ votes")
    return evaluation.label_against_majority(facts.labels, facts.truth[rows], ferplus_majority(facts.votes[rows]))


def validation_images(comparison: Comparison) -> dict[str, int]:
    """By model id how many PublicTest images chose the epoch, where the card says so."""
    return {m: card.metrics["val"].n for m, card in comparison.cards.items() if "val" in card.metrics}


def costs(comparison: Comparison, title: str) -> tuple[dict[str, float], list[Note]]:
    """By model id what one face costs, in one of ``COSTS``. The ensemble costs what its members cost together, and is
    left out where one of them has not been measured."""
    if title == MILLISECONDS:
        of_members = dict(comparison.milliseconds)
    else:
        attribute = {PARAMETERS: "parameters", MACS: "macs"}[title]
        of_members = {m: float(getattr(card, attribute)) for m, card in comparison.cards.items()}
    missing = [comparison.names[m] for m in comparison.cards if m not in of_members]
    notes = [Note(f"Not measured, for want of weights that load: {', '.join(missing)}.")] if missing else []
    shown = [m for m in comparison.summaries if m in of_members or not missing]
    if not any(m in of_members for m in shown):
        return {}, notes
    together = sum(c for m, c in of_members.items() if m in comparison.members)
    return {m: of_members.get(m, together) for m in shown}, notes
