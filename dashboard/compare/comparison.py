"""Networks with the same classes, split and images side by side, with their ensemble.

Use :func:`build_comparisons` to create one, as the page and ``python -m dashboard report`` use it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import pandas as pd

from core.checkpoints import Checkpoint, Latency, ModelCard
from core.data import DatasetInfo, ImageFacts
from core.errors import CheckpointError, DataError
from core.evaluation import ENSEMBLE, EvaluationRun, RunSummary, comparable_groups, map_to_common_labels
from core.labels import LabelSet
from dashboard import services
from dashboard.section import Note
from dashboard.style import LIGHT, Ink, NetworkStyle, ensemble_style
from dashboard.ui import network_picker

SCORED_SPLITS = ("test", "val")


@dataclass(frozen=True, eq=False)
class Comparison:
    """Networks that predict the same classes for the same images, and their ensemble if there are at least two.

    Mappings go by run id; those over "all rows" also have the ensemble, under ``ensemble.model_id`` and last.
    """

    checkpoints: Mapping[str, Checkpoint]
    runs: Mapping[str, EvaluationRun]  # single networks
    ensemble: EvaluationRun | None
    weights: Mapping[str, float]  # above 0, of the networks that an ensemble would have; empty if none is wanted
    summaries: Mapping[str, RunSummary]  # all rows
    names: Mapping[str, str]  # all rows
    styles: Mapping[str, NetworkStyle]  # all rows
    milliseconds: Mapping[str, Latency]  # of the single networks that were measured
    split: str  # "test" or "val"
    inks: Ink
    number: int = 0  # position among the comparisons of a page
    why_no_ensemble: str = ""  # why there is no ensemble, and what to do

    @property
    def all_runs(self) -> dict[str, EvaluationRun]:
        """The single networks and then the ensemble, in the order in which they are drawn."""
        ensemble = {self.ensemble.model_id: self.ensemble} if self.ensemble is not None else {}
        return {**self.runs, **ensemble}

    @property
    def names_in_text(self) -> dict[str, str]:
        """The names as sentences use them: the ensemble with its article."""
        ensemble = {} if self.ensemble is None else {self.ensemble.model_id: "the ensemble"}
        return {**self.names, **ensemble}

    @property
    def cards(self) -> dict[str, ModelCard]:
        """The cards of the single networks."""
        return {run_id: c.card for run_id, c in self.checkpoints.items()}

    def card_of(self, model_id: str) -> ModelCard:
        """A network's card; for the ensemble that of its first member, which has the same data."""
        return self.cards.get(model_id) or next(iter(self.cards.values()))

    @property
    def labels(self) -> LabelSet:
        """The classes of all networks."""
        return next(iter(self.runs.values())).labels

    @property
    def data(self) -> DatasetInfo:
        """The data set of all networks."""
        return next(iter(self.cards.values())).data

    @property
    def split_name(self) -> str:
        """The name of the split in the data set."""
        return self.data.split_name(self.split)

    @property
    def n(self) -> int:
        """Number of images."""
        return len(next(iter(self.runs.values())))

    @property
    def protocol(self) -> str:
        """Data set, split and number of images: the first words of every caption."""
        return f"{self.data.title} {self.split_name}, n = {self.n:,}."

    @property
    def use_of_split(self) -> str:
        """One sentence on how the networks used this split."""
        imported = sum(card.is_imported for card in self.cards.values())
        if imported == len(self.cards):
            if self.split == "val":
                return (
                    "The networks are imported, so it is not known how they were trained. This split chose the "
                    "temperature, so the scores of their probabilities are optimistic."
                )
            return "The networks are imported, so it is not known how they were trained and how this split was used."
        exception = " How the imported networks were trained is not known." if imported else ""
        if self.split == "test":
            training, validation = self.data.split_name("train"), self.data.split_name("val")
            return (
                f"The networks were trained on {training}; the epoch and the temperature were chosen on {validation}; "
                f"this split was scored once.{exception}"
            )
        return f"This split chose the epoch and the temperature, so its scores are optimistic.{exception}"

    @property
    def weights_sentence(self) -> str:
        """The weights of the ensemble in one sentence; empty for equal weights of all networks."""
        weights = {m: self.weights.get(m, 0.0) for m in self.runs}
        if self.ensemble is None or len(set(weights.values())) <= 1:
            return ""
        shares = ", ".join(f"{self.names[m]} {weight:g}" for m, weight in weights.items())
        return f"Weights of the ensemble: {shares}."

    @property
    def title(self) -> str:
        """A heading that distinguishes the comparisons of a page."""
        return f"{self.labels.name}: {len(self.labels)} classes, {self.data.title} {self.split_name}, n = {self.n:,}"

    def error_table(self, model_id: str) -> pd.DataFrame:
        """One row per image with the prediction of one row of the comparison, those of the others, and the
        disagreement of the single networks; see :func:`core.evaluation.error_table`."""
        others = [run for other_id, run in self.all_runs.items() if other_id != model_id]
        return services.error_table(self.all_runs[model_id], others, list(self.runs.values()))

    def key(self, name: str) -> str:
        """A key for widgets, links and figures that is unique on a page with several comparisons."""
        return f"{name}_{self.number + 1}" if self.number else name

    def file_name(self, stem: str) -> str:
        """The name of a download."""
        return f"{self.key(f'{stem}-{self.split}')}.csv"


def build_comparisons(
    checkpoints: Sequence[Checkpoint],
    split: str,
    weights: Mapping[str, float] | None = None,
    *,
    with_ensemble: bool = True,
    inks: Ink = LIGHT,
) -> tuple[list[Comparison], list[Note]]:
    """One comparison for each set of networks with the same classes and images, and notes on what is missing.

    ``weights`` are those of the ensembles, by run id; 1 where not given.
    """
    notes: list[Note] = []
    runs: dict[str, EvaluationRun] = {}
    for checkpoint in checkpoints:
        try:
            runs[checkpoint.card.run_id] = services.evaluation(checkpoint, split)
        except CheckpointError as error:
            notes.append(Note(error.sentence, is_warning=True))
    known = {c.card.run_id: c for c in checkpoints if c.card.run_id in runs}
    styles = network_picker.styles(list(known.values()), inks)
    names = network_picker.titles(list(known.values()))
    milliseconds = services.latencies(list(known.values()))
    comparisons = []
    for number, group in enumerate(_groups(runs, known)):
        wanted = {r.model_id: (weights or {}).get(r.model_id, 1.0) for r in group} if with_ensemble else {}
        members = {run_id: weight for run_id, weight in wanted.items() if weight > 0}
        ensemble = None
        if len(members) > 1:
            ensemble = services.ensemble([r for r in group if r.model_id in members], list(members.values()))
        comparisons.append(
            Comparison(
                checkpoints={r.model_id: known[r.model_id] for r in group},
                runs={r.model_id: r for r in group},
                ensemble=ensemble,
                weights=members,
                summaries={
                    r.model_id: services.summary(r) for r in [*group, *([ensemble] if ensemble is not None else [])]
                },
                names={r.model_id: names[r.model_id] for r in group} | _ensemble_name(ensemble, wanted),
                styles={r.model_id: styles[r.model_id] for r in group}
                | ({ensemble.model_id: ensemble_style(inks)} if ensemble is not None else {}),
                milliseconds={r.model_id: milliseconds[r.model_id] for r in group if r.model_id in milliseconds},
                split=split,
                inks=inks,
                number=number,
                why_no_ensemble="" if ensemble else _reason_without_ensemble(len(group), with_ensemble=with_ensemble),
            )
        )
    return comparisons, notes


def _reason_without_ensemble(networks: int, *, with_ensemble: bool) -> str:
    if networks < 2:
        return "An ensemble needs at least two networks with the same classes. Choose them in the sidebar."
    if not with_ensemble:
        return "No ensemble is included. Turn on “Include ensemble” in the sidebar."
    return "An ensemble needs at least two networks with a weight above 0. Change the weights in the sidebar."


def on_common_classes(comparisons: Sequence[Comparison]) -> tuple[Comparison, tuple[str, ...]] | None:
    """The networks of several comparisons among the classes that all of them have, with sentences on what was dropped.

    None where nothing has to be mapped, where the data sets differ, or where the ensemble would have fewer than two
    members. That the same row number is the same image is known of data sets with one table of image facts, such as
    FER2013 and FER+.
    """
    by_table: dict[tuple[str, ...], list[Comparison]] = {}
    for comparison in comparisons:
        with suppress(DataError):
            table = services.facts(comparison.card_of(ENSEMBLE))
            by_table.setdefault(table.fingerprints, []).append(comparison)
    if not by_table:
        return None
    fitting = max(by_table.values(), key=len)
    runs = [run for c in fitting for run in c.runs.values()]
    common = services.results().get(("common classes", *runs), lambda: map_to_common_labels(runs))
    if len(common.runs) < 2 or not common.dropped_classes:
        return None
    by_id = {run_id: c for c in fitting for run_id in c.runs}
    weights = {m: by_id[m].weights[m] for m in common.runs if m in by_id[m].weights}
    if len(weights) < 2:
        return None
    ensemble = services.ensemble([common.runs[m] for m in weights], list(weights.values()))
    reference = next(c for c in fitting if c.labels == common.labels)
    found = replace(
        reference,
        # Those of the reference first, because the data set of a comparison is that of its first network.
        checkpoints={m: by_id[m].checkpoints[m] for m in sorted(common.runs, key=lambda m: by_id[m] is not reference)},
        runs=common.runs,
        ensemble=ensemble,
        weights=weights,
        summaries={r.model_id: services.summary(r) for r in (*common.runs.values(), ensemble)},
        names={m: by_id[m].names[m] for m in common.runs}
        | _ensemble_name(ensemble, {m: weights.get(m, 0.0) for m in common.runs}),
        styles={m: by_id[m].styles[m] for m in common.runs} | {ensemble.model_id: ensemble_style(reference.inks)},
        milliseconds={m: by_id[m].milliseconds[m] for m in common.runs if m in by_id[m].milliseconds},
        number=len(comparisons),
    )
    dropped = [
        f"{found.names[m]} without {', '.join(classes)}, its other probabilities renormalized to {common.labels.name}."
        for m, classes in common.dropped_classes.items()
    ]
    if common.images_left_out:
        dropped.append(
            f"{common.images_left_out:,} images for which not every network has a prediction are left out for all; the "
            f"labels are those of {reference.data.title}."
        )
    return found, tuple(dropped)


def _ensemble_name(ensemble: EvaluationRun | None, weights: Mapping[str, float]) -> dict[str, str]:
    return {} if ensemble is None else {ensemble.model_id: network_picker.ensemble_name(weights)}


def image_facts(comparison: Comparison) -> tuple[ImageFacts | None, list[Note]]:
    """Brightness, copies and votes of the images of a comparison, or a note on why they are not known."""
    notes = {}
    for card in comparison.cards.values():
        try:
            return services.facts(card), []
        except DataError as error:
            notes[error.sentence] = Note(error.sentence)
    return None, list(notes.values())


def _groups(runs: Mapping[str, EvaluationRun], known: Mapping[str, Checkpoint]) -> list[tuple[EvaluationRun, ...]]:
    """Comparable runs on the same data set; the largest group first, then in the given order."""
    by_data: dict[str, list[EvaluationRun]] = {}
    for run_id, run in runs.items():
        by_data.setdefault(known[run_id].card.data.title, []).append(run)
    # Cached, because a run that is put into another order is a new object, and results are cached by runs.
    groups = [
        group
        for of_data in by_data.values()
        for group in services.results().get(("groups", *of_data), partial(comparable_groups, of_data))
    ]
    return sorted(groups, key=len, reverse=True)
